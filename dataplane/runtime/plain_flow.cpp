#include "dataplane/runtime/plain_flow.h"

#include "dataplane/wire/tunnel.h"

namespace seine::runtime {
namespace {

constexpr std::size_t kVlanTagsMax = 2;

constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86dd;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

bool plain_transport(ByteView bytes, std::uint8_t protocol) noexcept {
    if (protocol == kTcp) return true;
    if (protocol != kUdp || bytes.size() < 8) return false;
    // Asked both ways round, so that both directions of a flow get one answer.
    const std::uint16_t source = load_be16(bytes.data());
    const std::uint16_t target = load_be16(bytes.data() + 2);
    return !wire::may_be_udp_tunnel(source, target) && !wire::may_be_udp_tunnel(target, source);
}

bool plain_ip(ByteView ip) noexcept {
    if (ip.size() < 20) return false;
    if (ip[0] >> 4 == 4) {
        const std::size_t header_bytes = std::size_t{ip[0]} % 16 * 4;
        const bool fragment = (load_be16(ip.data() + 6) & 0x3fff) != 0;
        return header_bytes >= 20 && ip.size() >= header_bytes && !fragment &&
               plain_transport(ip.subspan(header_bytes), ip[9]);
    }
    return ip[0] >> 4 == 6 && ip.size() >= 40 && plain_transport(ip.subspan(40), ip[6]);
}

}  // namespace

bool plain_flow(ByteView frame, wire::LinkType link) noexcept {
    if (link == wire::LinkType::raw_ip) return plain_ip(frame);
    if (link != wire::LinkType::ethernet || frame.size() < 14) return false;
    std::uint16_t type = load_be16(frame.data() + 12);
    frame = frame.subspan(14);
    for (std::size_t tags = 0; type == 0x8100 || type == 0x88a8; ++tags) {
        if (tags == kVlanTagsMax || frame.size() < 4) return false;
        type = load_be16(frame.data() + 2);
        frame = frame.subspan(4);
    }
    return (type == kIpv4 || type == kIpv6) && plain_ip(frame);
}

}  // namespace seine::runtime
