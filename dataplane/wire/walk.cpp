#include "dataplane/wire/walk.h"

#include "dataplane/base/hash.h"
#include "dataplane/wire/cooked.h"
#include "dataplane/wire/mpls.h"
#include "dataplane/wire/pppoe.h"

namespace seine::wire {

Walk::Walk(ByteView frame, std::uint32_t wire_bytes, FragmentTable* fragments, Nanos now,
           PacketView& out) noexcept
    : in_(frame),
      missing_(wire_bytes > frame.size() ? wire_bytes - frame.size() : 0),
      fragments_(fragments),
      now_(now),
      out_(out) {
    // Counts alone: the arrays they count are written as they fill.
    out.vlan_count = 0;
    out.mpls_count = 0;
    out.tunnel_count = 0;
    out.pppoe_session = 0;
    out.fragmented = false;
    out.has_outer = false;
    out.transport = Transport::other;
}

DecodeResult Walk::run(LinkType link) noexcept {
    // No stack of layers within the bounds takes this many steps.
    constexpr int kStepsMax = 64;
    DecodeResult result = begin(link);
    for (int steps = 0; result == DecodeResult::ok && next_ != LayerKind::done; ++steps) {
        if (steps == kStepsMax) return DecodeResult::tunnel_limit;
        result = step();
    }
    if (result != DecodeResult::ok && falls_back(result)) return plain_udp();
    return result;
}

// Whether a failure inside a UDP tunnel says that it was no tunnel.
bool Walk::falls_back(DecodeResult result) const noexcept {
    if (!has_fallback_) return false;
    switch (result) {
        case DecodeResult::malformed_link:
        case DecodeResult::malformed_pppoe:
        case DecodeResult::malformed_ipv4:
        case DecodeResult::malformed_ipv6:
        case DecodeResult::malformed_fragment:
        case DecodeResult::malformed_tunnel:
        case DecodeResult::malformed_tcp:
        case DecodeResult::malformed_udp:
        case DecodeResult::vlan_limit:
        case DecodeResult::mpls_limit:
        case DecodeResult::extension_limit:
            return true;
        case DecodeResult::not_ip:
            return unknown_type_;
        case DecodeResult::ok:
        case DecodeResult::fragment_held:
        case DecodeResult::fragment_duplicate:
        case DecodeResult::fragment_dropped:
        case DecodeResult::truncated:
        case DecodeResult::not_tcp_udp:
        case DecodeResult::encrypted:
        case DecodeResult::tunnel_limit:
            return false;
    }
    return false;
}

DecodeResult Walk::begin(LinkType link) noexcept {
    Cooked cooked;
    Parse parse = Parse::ok;
    switch (link) {
        case LinkType::ethernet:
            return go(LayerKind::ethernet);
        case LinkType::raw_ip:
            return go(LayerKind::ip);
        case LinkType::ppp:
            return go(LayerKind::ppp);
        case LinkType::loopback:
            parse = read_loopback(in_);
            if (parse == Parse::ok) return go(LayerKind::ip);
            return parse == Parse::not_this ? DecodeResult::not_ip
                                            : ends_early(DecodeResult::malformed_link);
        case LinkType::nflog: {
            std::size_t missing = 0;
            parse = read_nflog(in_, missing);
            if (parse == Parse::not_this) return DecodeResult::not_ip;
            if (parse == Parse::ok || missing > 0) {
                missing_ = missing;
                return go(LayerKind::ip);
            }
            return parse == Parse::need_more ? ends_early(DecodeResult::malformed_link)
                                             : DecodeResult::malformed_link;
        }
        case LinkType::linux_sll:
            parse = read_linux_sll(in_, cooked);
            break;
        case LinkType::linux_sll2:
            parse = read_linux_sll2(in_, cooked);
            break;
    }
    if (parse != Parse::ok) return ends_early(DecodeResult::malformed_link);
    type_ = cooked.type;
    return type_ == kCookedLlc ? snap() : go(LayerKind::ether_type);
}

DecodeResult Walk::step() noexcept {
    switch (next_) {
        case LayerKind::ethernet:
            return ethernet();
        case LayerKind::ether_type:
            return ether_type();
        case LayerKind::ip:
            return ip();
        case LayerKind::ipv4:
            return ipv4();
        case LayerKind::ipv6:
            return ipv6();
        case LayerKind::protocol:
            return protocol();
        case LayerKind::mpls:
            return mpls();
        case LayerKind::pppoe:
            return pppoe();
        case LayerKind::ppp:
            return ppp();
        case LayerKind::gre:
            return gre();
        case LayerKind::tcp:
            return tcp();
        case LayerKind::udp:
            return udp();
        case LayerKind::done:
            break;
    }
    return DecodeResult::ok;
}

void Walk::limit_to(std::size_t bytes) noexcept {
    if (bytes <= in_.left()) {
        in_ = ByteReader(in_.rest().first(bytes));
        missing_ = 0;
    } else {
        missing_ = bytes - in_.left();
    }
}

DecodeResult Walk::enter(TunnelKind kind, std::uint32_t id, LayerKind inner) noexcept {
    if (out_.tunnel_count == kTunnelsMax) return DecodeResult::tunnel_limit;
    out_.tunnels[out_.tunnel_count++] = {id, kind};
    if (!out_.has_outer && in_ip_) {
        out_.has_outer = true;
        out_.outer_source = out_.source;
        out_.outer_target = out_.target;
    }
    return go(inner);
}

DecodeResult Walk::ethernet() noexcept {
    Ethernet header;
    if (read(in_, header) != Parse::ok) return ends_early(DecodeResult::malformed_link);
    type_ = header.type;
    return go(LayerKind::ether_type);
}

DecodeResult Walk::ether_type() noexcept {
    for (std::size_t tags = 0; is_vlan_type(type_); ++tags) {
        if (tags == kVlanTagsMax) return DecodeResult::vlan_limit;
        VlanTag tag;
        if (read(in_, tag) != Parse::ok) return ends_early(DecodeResult::malformed_link);
        if (out_.vlan_count < kVlanTagsMax) out_.vlans[out_.vlan_count++] = tag.id;
        type_ = tag.type;
    }
    switch (type_) {
        case kEtherTypeIpv4:
            return go(LayerKind::ipv4);
        case kEtherTypeIpv6:
            return go(LayerKind::ipv6);
        case kEtherTypeMpls:
        case kEtherTypeMplsMulticast:
            return go(LayerKind::mpls);
        case kEtherTypePppoe:
            return go(LayerKind::pppoe);
        case kEtherTypePpp:
            return go(LayerKind::ppp);
        case kEtherTypeTeb:  // a bridge inside Linux cooked or GRE of a tap
            return enter(TunnelKind::gre, 0, LayerKind::ethernet);
        default:
            break;
    }
    if (type_ <= kEtherLengthMax) return snap();
    unknown_type_ = !is_other_known_type(type_);
    return DecodeResult::not_ip;
}

DecodeResult Walk::snap() noexcept {
    Snap header;
    const Parse parse = read(in_, header);
    if (parse == Parse::need_more) return ends_early(DecodeResult::not_ip);
    if (parse != Parse::ok || header.type <= kEtherLengthMax) return DecodeResult::not_ip;
    type_ = header.type;
    return go(LayerKind::ether_type);
}

DecodeResult Walk::mpls() noexcept {
    MplsStack stack;
    switch (read(in_, stack)) {
        case Parse::ok:
            break;
        case Parse::limit:
            return DecodeResult::mpls_limit;
        case Parse::need_more:
        case Parse::not_this:
        case Parse::malformed:
            return ends_early(DecodeResult::malformed_link);
    }
    for (std::size_t i = 0; i < stack.count && out_.mpls_count < kMplsLabelsMax; ++i) {
        out_.mpls_labels[out_.mpls_count++] = stack.labels[i];
    }
    const std::uint32_t bottom = stack.labels[stack.count - 1];
    switch (mpls_inner(in_.rest())) {
        case MplsInner::ipv4:
            return go(LayerKind::ipv4);
        case MplsInner::ipv6:
            return go(LayerKind::ipv6);
        case MplsInner::ethernet_after_control_word:
            in_.skip(4);
            return enter(TunnelKind::pseudowire, bottom, LayerKind::ethernet);
        case MplsInner::ethernet:
            return enter(TunnelKind::pseudowire, bottom, LayerKind::ethernet);
        case MplsInner::unknown:
            break;
    }
    if (in_.left() < Ethernet::kHeaderBytes + 5 && missing_ > 0) return DecodeResult::truncated;
    unknown_type_ = true;
    return DecodeResult::not_ip;
}

DecodeResult Walk::pppoe() noexcept {
    Pppoe header;
    switch (read(in_, header)) {
        case Parse::ok:
            break;
        case Parse::not_this:
            return DecodeResult::not_ip;
        case Parse::need_more:
            return ends_early(DecodeResult::malformed_pppoe);
        case Parse::malformed:
        case Parse::limit:
            return DecodeResult::malformed_pppoe;
    }
    out_.pppoe_session = header.session_id;
    limit_to(header.payload_bytes);
    return go(LayerKind::ppp);
}

DecodeResult Walk::ppp() noexcept {
    Ppp header;
    switch (read(in_, header)) {
        case Parse::ok:
            break;
        case Parse::need_more:
            return ends_early(DecodeResult::malformed_link);
        case Parse::not_this:
        case Parse::malformed:
        case Parse::limit:
            return DecodeResult::malformed_link;
    }
    if (header.is_ether_type) {
        type_ = header.protocol;
        return go(LayerKind::ether_type);
    }
    switch (header.protocol) {
        case kPppIpv4:
            return go(LayerKind::ipv4);
        case kPppIpv6:
            return go(LayerKind::ipv6);
        case kPppMpls:
        case kPppMplsMulticast:
            return go(LayerKind::mpls);
        default:
            return DecodeResult::not_ip;
    }
}

// VLANs and tunnels that a fragment came in: what else has to be equal for two fragments to be of
// one datagram.
std::uint64_t Walk::context() const noexcept {
    std::uint64_t hash = out_.vlan_count;
    for (std::size_t i = 0; i < out_.vlan_count; ++i)
        hash = mix64(hash ^ out_.vlans[i], 0x9e3779b97f4a7c15u);
    for (std::size_t i = 0; i < out_.tunnel_count; ++i) {
        const std::uint64_t tunnel = (std::uint64_t{out_.tunnels[i].id} << 8) |
                                     static_cast<std::uint8_t>(out_.tunnels[i].kind);
        hash = mix64(hash ^ (tunnel + 1), 0xd6e8feb86659fd93u);
    }
    return hash;
}

}  // namespace seine::wire
