// Frames whose addresses and ports every spreader reads alike.
#pragma once
#include "dataplane/base/bytes.h"
#include "dataplane/wire/link_type.h"

namespace seine::runtime {

// True for a frame that every symmetric spreader (kernel fanout, RSS with our key) hashes by the
// very addresses and ports that the inspector sees: IP without fragments or tunnels, TCP or UDP
// inside.
[[nodiscard]] bool plain_flow(ByteView frame, wire::LinkType link) noexcept;

}  // namespace seine::runtime
