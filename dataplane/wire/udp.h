// UDP header (RFC 768): eight bytes, no options.
#pragma once
#include "dataplane/base/bytes.h"
#include "dataplane/wire/packet_view.h"

namespace seine::wire {

// +---------------+---------------+---------------+---------------+
// | source port   | target port   | length        | checksum      |
// +---------------+---------------+---------------+---------------+
struct Udp {
    static constexpr std::size_t kHeaderBytes = 8;
};

// UDP part of a view. `datagram` is what was captured of header and payload, at least the header;
// `claimed` the length of both on the wire, at least eight.
inline void fill_udp(const std::uint8_t* header, ByteView datagram, std::size_t claimed,
                     PacketView& out) noexcept {
    out.transport = Transport::udp;
    out.source_port = load_be16(header);
    out.target_port = load_be16(header + 2);
    out.transport_header = header;
    out.payload = datagram.subspan(Udp::kHeaderBytes);
    out.payload_wire_bytes = static_cast<std::uint32_t>(claimed - Udp::kHeaderBytes);
    out.cut = out.payload.size() < out.payload_wire_bytes;
    out.options = {};
    out.options_cut = false;
    out.tcp_flags = 0;
}

}  // namespace seine::wire
