// The walk from IP inwards: fragments, extension headers, tunnels, TCP and UDP.
#include "dataplane/wire/ipv4.h"
#include "dataplane/wire/ipv6.h"
#include "dataplane/wire/tcp.h"
#include "dataplane/wire/tunnel.h"
#include "dataplane/wire/udp.h"
#include "dataplane/wire/walk.h"

namespace seine::wire {

DecodeResult Walk::ip() noexcept {
    if (in_.empty()) return ends_early(DecodeResult::malformed_link);
    switch (in_.rest()[0] >> 4) {
        case 4:
            return ipv4();
        case 6:
            return ipv6();
        default:
            unknown_type_ = true;
            return DecodeResult::not_ip;
    }
}

DecodeResult Walk::ipv4() noexcept {
    Ipv4 header;
    switch (read(in_, header)) {
        case Parse::ok:
            break;
        case Parse::need_more:
            return ends_early(DecodeResult::malformed_ipv4);
        case Parse::not_this:
        case Parse::malformed:
        case Parse::limit:
            return DecodeResult::malformed_ipv4;
    }
    // Inside a UDP tunnel a packet longer than the datagram says that it is none.
    if (has_fallback_ && header.payload_bytes > claimed()) return DecodeResult::malformed_ipv4;
    fill_ipv4(header.header, out_);
    in_ip_ = true;
    saw_ip_ = true;
    extension_count_ = 0;
    length_unset_ = header.length_unset;
    if (!header.length_unset) limit_to(header.payload_bytes);
    if (!header.more_fragments && header.fragment_offset == 0) return go(LayerKind::protocol);
    Fragment piece{.key = {.source = out_.source,
                           .target = out_.target,
                           .context = 0,
                           .id = out_.ip_id,
                           .ip_version = 4,
                           .protocol = out_.protocol},
                   .header = {out_.ttl, out_.traffic_class, out_.protocol},
                   .offset_bytes = header.fragment_offset,
                   .more_fragments = header.more_fragments,
                   .bytes = {}};
    return fragment(piece);
}

DecodeResult Walk::ipv6() noexcept {
    Ipv6 header;
    switch (read(in_, header)) {
        case Parse::ok:
            break;
        case Parse::need_more:
            return ends_early(DecodeResult::malformed_ipv6);
        case Parse::not_this:
        case Parse::malformed:
        case Parse::limit:
            return DecodeResult::malformed_ipv6;
    }
    if (has_fallback_ && header.payload_bytes > claimed()) return DecodeResult::malformed_ipv6;
    fill_ipv6(header.header, out_);
    in_ip_ = true;
    saw_ip_ = true;
    extension_count_ = 0;
    length_unset_ = header.length_unset;
    if (!header.length_unset) limit_to(header.payload_bytes);
    return go(LayerKind::protocol);
}

DecodeResult Walk::protocol() noexcept {
    switch (out_.protocol) {
        case kProtocolTcp:
            return tcp();
        case kProtocolUdp:
            return udp();
        case kProtocolIpv4:
            return enter(TunnelKind::ip_in_ip, 0, LayerKind::ipv4);
        case kProtocolIpv6:
            return enter(TunnelKind::ip_in_ip, 0, LayerKind::ipv6);
        case kProtocolGre:
            return gre();
        case kProtocolEtherIp:
            return etherip();
        case kProtocolMpls:
            return enter(TunnelKind::mpls_ip, 0, LayerKind::mpls);
        case kProtocolAh:
            return extension();
        case kProtocolEsp:
            return DecodeResult::encrypted;
        default:
            break;
    }
    if (out_.ip_version == 6 && out_.protocol == kExtensionFragment) return fragment6();
    if (out_.ip_version == 6 && is_ipv6_extension(out_.protocol)) return extension();
    return DecodeResult::not_tcp_udp;
}

DecodeResult Walk::extension() noexcept {
    if (extension_count_ == kIpv6ExtensionsMax) return DecodeResult::extension_limit;
    ++extension_count_;
    const DecodeResult malformed =
        out_.ip_version == 6 ? DecodeResult::malformed_ipv6 : DecodeResult::malformed_ipv4;
    std::uint8_t next_header = 0;
    switch (step_extension(in_, out_.protocol, next_header)) {
        case Parse::ok:
            break;
        case Parse::need_more:
            return ends_early(malformed);
        case Parse::not_this:
        case Parse::malformed:
        case Parse::limit:
            return malformed;
    }
    out_.protocol = next_header;
    return go(LayerKind::protocol);
}

DecodeResult Walk::fragment6() noexcept {
    if (extension_count_ == kIpv6ExtensionsMax) return DecodeResult::extension_limit;
    ++extension_count_;
    Ipv6Fragment header;
    if (read(in_, header) != Parse::ok) return ends_early(DecodeResult::malformed_ipv6);
    out_.dont_fragment = false;
    out_.protocol = header.next_header;
    // A whole datagram in one fragment stands alone (RFC 6946).
    if (!header.more_fragments && header.offset == 0) return go(LayerKind::protocol);
    Fragment piece{.key = {.source = out_.source,
                           .target = out_.target,
                           .context = 0,
                           .id = header.id,
                           .ip_version = 6,
                           .protocol = 0},
                   .header = {out_.ttl, out_.traffic_class, header.next_header},
                   .offset_bytes = header.offset,
                   .more_fragments = header.more_fragments,
                   .bytes = {}};
    return fragment(piece);
}

DecodeResult Walk::fragment(Fragment& piece) noexcept {
    out_.fragmented = true;
    if (fragments_ == nullptr) {
        if (!is_sound_fragment(piece.key.ip_version, piece.offset_bytes, claimed(),
                               piece.more_fragments)) {
            return DecodeResult::malformed_fragment;
        }
        if (!saw_fragment_) fragment_key_ = piece.key;
        saw_fragment_ = true;
        if (piece.offset_bytes != 0) {
            saw_later_fragment_ = true;
            return DecodeResult::fragment_held;
        }
        // What follows is longer than this piece, by an unknown length.
        missing_ += 65535;
        return go(LayerKind::protocol);
    }
    if (missing_ > 0) return DecodeResult::truncated;
    if (nesting_ == FragmentTable::kNestingMax) return DecodeResult::tunnel_limit;
    piece.key.context = context();
    piece.bytes = in_.rest();
    ByteView whole;
    FragmentHeader header{};
    switch (fragments_->add(piece, now_, nesting_, whole, header)) {
        case FragmentAnswer::complete:
            break;
        case FragmentAnswer::held:
            return DecodeResult::fragment_held;
        case FragmentAnswer::duplicate:
            return DecodeResult::fragment_duplicate;
        case FragmentAnswer::dropped:
            return DecodeResult::fragment_dropped;
        case FragmentAnswer::malformed:
            return DecodeResult::malformed_fragment;
    }
    ++nesting_;
    in_ = ByteReader(whole);
    missing_ = 0;
    length_unset_ = false;
    out_.ttl = header.ttl;
    out_.traffic_class = header.traffic_class;
    out_.protocol = header.next_header;
    return go(LayerKind::protocol);
}

DecodeResult Walk::etherip() noexcept {
    // Version 3 and twelve zero bits (RFC 3378).
    const std::uint8_t* at = in_.fixed<2>();
    if (at == nullptr) return ends_early(DecodeResult::malformed_tunnel);
    if (load_be16(at) != 0x3000) return DecodeResult::malformed_tunnel;
    return enter(TunnelKind::etherip, 0, LayerKind::ethernet);
}

DecodeResult Walk::gre() noexcept {
    Gre header;
    switch (read(in_, header)) {
        case Parse::ok:
            break;
        case Parse::not_this:
            return DecodeResult::not_tcp_udp;
        case Parse::need_more:
            return ends_early(DecodeResult::malformed_tunnel);
        case Parse::malformed:
        case Parse::limit:
            return DecodeResult::malformed_tunnel;
    }
    return gre_payload(header, TunnelKind::gre);
}

DecodeResult Walk::gre_payload(const Gre& header, TunnelKind around) noexcept {
    if (header.version == 1) {
        if (header.protocol != kEtherTypePpp) return DecodeResult::malformed_tunnel;
        // Without a sequence number it acknowledges and carries nothing (RFC 2637 section 4.1).
        if (!header.has_sequence) return DecodeResult::not_tcp_udp;
        limit_to(header.payload_bytes() < claimed() ? header.payload_bytes() : claimed());
        return enter(TunnelKind::pptp, header.key & 0xffff, LayerKind::ppp);
    }
    Erspan mirror;
    switch (header.protocol) {
        case kEtherTypeTeb:
            if (!header.has_key) return enter(around, 0, LayerKind::ethernet);
            return enter(TunnelKind::nvgre, header.key >> 8, LayerKind::ethernet);
        case kGreErspan:
            // Type I has neither sequence number nor header of its own.
            if (header.has_sequence && read_erspan2(in_, mirror) != Parse::ok) {
                return ends_early(DecodeResult::malformed_tunnel);
            }
            return enter(TunnelKind::erspan, mirror.session_id, LayerKind::ethernet);
        case kGreErspan3:
            if (read_erspan3(in_, mirror) != Parse::ok)
                return ends_early(DecodeResult::malformed_tunnel);
            return enter(TunnelKind::erspan, mirror.session_id,
                         mirror.is_ip ? LayerKind::ip : LayerKind::ethernet);
        case kGreWccp:
            // WCCP v2 puts four bytes before the packet, v1 none; the first byte of either tells.
            if (!in_.empty() && in_.rest()[0] >> 4 != 4) in_.skip(4);
            return enter(around, header.key, LayerKind::ip);
        default:
            break;
    }
    if (header.protocol >= kGreArubaFirst && header.protocol <= kGreArubaLast) {
        if (skip_wifi(in_) != Parse::ok) return DecodeResult::not_ip;
        const DecodeResult entered = enter(around, header.key, LayerKind::done);
        return entered == DecodeResult::ok ? snap() : entered;
    }
    type_ = header.protocol;
    if (type_ <= kEtherLengthMax) {
        unknown_type_ = true;
        return DecodeResult::not_ip;
    }
    return enter(around, header.key, LayerKind::ether_type);
}

DecodeResult Walk::tcp() noexcept {
    const std::size_t claimed_bytes = claimed();
    const ByteView segment = in_.rest();
    if (segment.size() < Tcp::kHeaderBytesMin) return ends_early(DecodeResult::malformed_tcp);
    const std::size_t header_bytes = Tcp::header_bytes(segment.data());
    if (header_bytes < Tcp::kHeaderBytesMin || header_bytes > claimed_bytes)
        return DecodeResult::malformed_tcp;
    fill_tcp(segment.data(), header_bytes, segment, claimed_bytes, out_);
    return go(LayerKind::done);
}

// `in_` stands before the UDP header, the view holds the IP fields: a datagram with no tunnel.
DecodeResult Walk::plain_udp() noexcept {
    out_ = fallback_view_;
    saw_fragment_ = fallback_saw_fragment_;
    const ByteView datagram = fallback_in_.rest();
    fill_udp(datagram.data(), datagram, datagram.size() + fallback_missing_, out_);
    return DecodeResult::ok;
}

DecodeResult Walk::udp() noexcept {
    const std::uint8_t* header = in_.rest().data();
    if (in_.left() < Udp::kHeaderBytes) return ends_early(DecodeResult::malformed_udp);
    const std::size_t length_bytes = load_be16(header + 4);
    // Length 0 goes with an IP length of 0 (offload, jumbogram): the rest of the packet.
    if (length_bytes != 0 || !length_unset_) {
        if (length_bytes < Udp::kHeaderBytes || length_bytes > claimed())
            return DecodeResult::malformed_udp;
        limit_to(length_bytes);
    }
    const std::uint16_t source = load_be16(header);
    const std::uint16_t target = load_be16(header + 2);
    if (may_be_udp_tunnel(source, target) && out_.tunnel_count < kTunnelsMax) {
        fallback_view_ = out_;
        fallback_in_ = in_;
        fallback_missing_ = missing_;
        fallback_saw_fragment_ = saw_fragment_;
        has_fallback_ = true;
        in_.skip(Udp::kHeaderBytes);
        return udp_tunnel(source, target);
    }
    fill_udp(header, in_.rest(), claimed(), out_);
    return go(LayerKind::done);
}

namespace {

LayerKind layer_of(InnerKind inner) noexcept {
    switch (inner) {
        case InnerKind::ethernet:
            return LayerKind::ethernet;
        case InnerKind::ipv4:
            return LayerKind::ipv4;
        case InnerKind::ipv6:
            return LayerKind::ipv6;
        case InnerKind::mpls:
            return LayerKind::mpls;
    }
    return LayerKind::done;
}

}  // namespace

// Everything but entering is malformed_tunnel here, which falls back to the plain datagram; only a
// header that the capture cut in two is `truncated`.
DecodeResult Walk::udp_tunnel(std::uint16_t source, std::uint16_t target) noexcept {
    const auto either = [source, target](std::uint16_t port) {
        return source == port || target == port;
    };
    Parse parse = Parse::not_this;
    if (target == kPortVxlan || target == kPortVxlanLinux) {
        Vxlan header;
        parse = read(in_, header);
        if (parse == Parse::ok) return enter(TunnelKind::vxlan, header.vni, LayerKind::ethernet);
    } else if (target == kPortVxlanGpe) {
        VxlanGpe header;
        parse = read(in_, header);
        if (parse == Parse::ok)
            return enter(TunnelKind::vxlan_gpe, header.vni, layer_of(header.inner));
    } else if (target == kPortGeneve) {
        Geneve header;
        parse = read(in_, header);
        type_ = header.protocol;
        const bool bridged = type_ == kEtherTypeTeb;
        if (parse == Parse::ok) {
            return enter(TunnelKind::geneve, header.vni,
                         bridged ? LayerKind::ethernet : LayerKind::ether_type);
        }
    } else if (target == kPortGreUdp) {
        Gre header;
        parse = read(in_, header);
        const bool sound = header.version == 0 && !header.reserved_set;
        if (parse == Parse::ok && sound) return gre_payload(header, TunnelKind::gre_udp);
    } else if (either(kPortGtpu)) {
        Gtpu header;
        parse = read(in_, header);
        if (parse == Parse::ok && header.payload_bytes <= claimed()) {
            limit_to(header.payload_bytes);
            return enter(TunnelKind::gtpu, header.teid, LayerKind::ip);
        }
    } else if (either(kPortTeredo)) {
        parse = skip_teredo(in_);
        if (parse == Parse::ok) return enter(TunnelKind::teredo, 0, LayerKind::ipv6);
    } else if (either(kPortAyiya)) {
        Ayiya header;
        parse = read(in_, header);
        const bool v6 = header.next_header == kProtocolIpv6;
        if (parse == Parse::ok && (v6 || header.next_header == kProtocolIpv4)) {
            return enter(TunnelKind::ayiya, 0, v6 ? LayerKind::ipv6 : LayerKind::ipv4);
        }
    }
    return parse == Parse::need_more ? ends_early(DecodeResult::malformed_tunnel)
                                     : DecodeResult::malformed_tunnel;
}

}  // namespace seine::wire
