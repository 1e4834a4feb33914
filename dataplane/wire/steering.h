// Which worker gets a frame: both directions and all fragments of a flow to the same one.
#pragma once
#include <cstdint>

#include "dataplane/base/bytes.h"
#include "dataplane/wire/link_type.h"

namespace seine::wire {

enum class SteerBy : std::uint8_t {
    none,       // no IP, or broken: any worker may count it
    addresses,  // IP without readable ports: `flow_hash` is of the two addresses and the protocol
    flow,       // `flow_hash` is of the innermost 5-tuple
    first_fragment,  // `flow_hash` as for flow; its later fragments bear the same `fragment_key`
    later_fragment,  // only `fragment_key` is known; `flow_hash` is of the addresses seen
};

// Hashes are symmetric (source and target may be swapped), depend on nothing but the bytes and the
// seed.
struct Steering {
    SteerBy by = SteerBy::none;
    std::uint64_t flow_hash = 0;
    std::uint64_t fragment_key =
        0;  // hash of source, target, protocol (IPv4) and id of the fragmented header
};

// Looks through the same layers as Decoder::decode, holds nothing back and keeps nothing. Works on
// a first fragment and on a frame cut anywhere behind the ports (if its IP length is set: of a cut
// frame with IP length 0, as segmentation offload makes them, UDP steers by addresses). Of a flow
// whose tunnel packets are fragmented, the fragment key is that of the outermost fragmented header.
[[nodiscard]] Steering peek(ByteView frame, LinkType link, std::uint64_t seed = 0) noexcept;

}  // namespace seine::wire
