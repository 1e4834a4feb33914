#include "tools/synth/packet_builder.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

#include "dataplane/base/assert.h"

namespace seine::synth {

namespace {

void put16(Bytes& out, std::size_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
}
void put32(Bytes& out, std::size_t value) {
    put16(out, value >> 16);
    put16(out, value);
}
void put(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }

void set16(Bytes& bytes, std::size_t offset, std::size_t value) {
    bytes[offset] = static_cast<std::uint8_t>(value >> 8);
    bytes[offset + 1] = static_cast<std::uint8_t>(value);
}

Bytes address_of(std::string_view text) {
    const std::string name(text);
    const bool v6 = name.find(':') != std::string::npos;
    std::array<std::uint8_t, 16> bytes{};
    SEINE_CHECK(inet_pton(v6 ? AF_INET6 : AF_INET, name.c_str(), bytes.data()) == 1);
    return {bytes.begin(), bytes.begin() + (v6 ? 16 : 4)};
}

int nibble_of(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

std::uint32_t sum_of(ByteView bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += load_be16(bytes.data() + i);
    if (bytes.size() % 2 != 0) sum += std::uint32_t{bytes.back()} << 8;
    return sum;
}

// Fills in the checksum of TCP or UDP, which covers addresses, protocol and length (RFC 9293
// section 3.1).
void fill_checksum(Layer& inner, const Bytes& source, const Bytes& target) {
    if (inner.checksum_offset < 0) return;
    const std::uint32_t pseudo = sum_of(source) + sum_of(target) + inner.protocol +
                                 static_cast<std::uint32_t>(inner.bytes.size());
    std::uint16_t checksum = internet_checksum(inner.bytes, pseudo);
    if (checksum == 0 && inner.protocol == 17) checksum = 0xffff;
    set16(inner.bytes, static_cast<std::size_t>(inner.checksum_offset), checksum);
}

Bytes padded(Bytes bytes, std::size_t unit, std::uint8_t with) {
    while (bytes.size() % unit != 0) bytes.push_back(with);
    return bytes;
}

// PPP number of an IP or MPLS packet.
std::uint16_t ppp_number(const Layer& inner) {
    if (inner.ether_type == 0x0800) return 0x0021;
    if (inner.ether_type == 0x86dd) return 0x0057;
    SEINE_CHECK(inner.ether_type == 0x8847);
    return 0x0281;
}

Layer udp_tunnel(std::uint16_t target_port, const Bytes& header, const Layer& inner) {
    return udp({.source_port = 50000, .target_port = target_port}, header + inner.bytes);
}

}  // namespace

Bytes from_hex(std::string_view hex) {
    Bytes out;
    int high = -1;
    for (const char digit : hex) {
        const int value = nibble_of(digit);
        if (value < 0) continue;
        if (high < 0) {
            high = value;
        } else {
            out.push_back(static_cast<std::uint8_t>(high * 16 + value));
            high = -1;
        }
    }
    SEINE_CHECK(high < 0);
    return out;
}

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

Bytes counting(std::size_t count, std::uint8_t first) {
    Bytes out(count);
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint8_t>(first + i);
    return out;
}

Bytes operator+(const Bytes& left, const Bytes& right) {
    Bytes out(left.size() + right.size());
    std::copy(left.begin(), left.end(), out.begin());
    std::copy(right.begin(), right.end(), out.begin() + static_cast<std::ptrdiff_t>(left.size()));
    return out;
}

std::uint16_t internet_checksum(ByteView bytes, std::uint32_t start) {
    std::uint32_t sum = start + sum_of(bytes);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

Layer eth(const Layer& inner, const EthOptions& options) {
    Layer out;
    for (const std::string_view mac : {options.target, options.source})
        put(out.bytes, from_hex(mac));
    SEINE_CHECK(out.bytes.size() == 12);
    // An 802.3 frame begins with its length, which snap() has written.
    if (inner.ether_type != 0xffff) put16(out.bytes, inner.ether_type);
    put(out.bytes, inner.bytes);
    if (out.bytes.size() < options.pad_to_bytes) out.bytes.resize(options.pad_to_bytes);
    put(out.bytes, options.trailer);
    return out;
}

Layer vlan(std::uint16_t id, const Layer& inner, std::uint16_t type) {
    Layer out{.bytes = {}, .ether_type = type};
    put16(out.bytes, id);
    put16(out.bytes, inner.ether_type);
    put(out.bytes, inner.bytes);
    return out;
}

Layer snap(const Layer& inner) {
    Layer out{.bytes = {}, .ether_type = 0xffff};
    put16(out.bytes, inner.bytes.size() + 8);
    put(out.bytes, {0xaa, 0xaa, 3, 0, 0, 0});
    put16(out.bytes, inner.ether_type);
    put(out.bytes, inner.bytes);
    return out;
}

Layer mpls(std::initializer_list<std::uint32_t> labels, const Layer& inner) {
    Layer out{.bytes = {}, .ether_type = 0x8847, .protocol = 137};
    std::size_t left = labels.size();
    for (const std::uint32_t label : labels)
        put32(out.bytes, (label << 12) | (--left == 0 ? 0x100 : 0) | 64);
    put(out.bytes, inner.bytes);
    return out;
}

Layer control_word(const Layer& inner) { return {.bytes = Bytes{0, 0, 0, 1} + inner.bytes}; }

Layer pppoe(std::uint16_t session, const Layer& inner) {
    Layer out{.bytes = {0x11, 0}, .ether_type = 0x8864};
    const Layer framed = ppp(inner, {.hdlc = false});
    put16(out.bytes, session);
    put16(out.bytes, framed.bytes.size());
    put(out.bytes, framed.bytes);
    return out;
}

Layer ppp(const Layer& inner, const PppOptions& options) {
    Layer out{.bytes = {}, .ether_type = 0x880b};
    if (options.hdlc) put(out.bytes, {0xff, 0x03});
    const std::uint16_t number = ppp_number(inner);
    if (options.compressed && number < 0x100) {
        out.bytes.push_back(static_cast<std::uint8_t>(number));
    } else {
        put16(out.bytes, number);
    }
    put(out.bytes, inner.bytes);
    return out;
}

Layer ipv4(const Ipv4Options& options, const Layer& given) {
    Layer inner = given;
    const Bytes source = address_of(options.source);
    const Bytes target = address_of(options.target);
    fill_checksum(inner, source, target);
    const Bytes extra = padded(options.options, 4, 0);
    const std::size_t header_bytes = 20 + extra.size();
    Layer out{.bytes = {}, .ether_type = 0x0800, .protocol = 4};
    out.bytes = {static_cast<std::uint8_t>(0x40 | header_bytes / 4), 0};
    const std::size_t total = header_bytes + inner.bytes.size();
    put16(out.bytes,
          options.total_bytes < 0 ? total : static_cast<std::size_t>(options.total_bytes));
    put16(out.bytes, options.id);
    put16(out.bytes, (options.dont_fragment ? 0x4000u : 0u) |
                         (options.more_fragments ? 0x2000u : 0u) | options.offset_bytes / 8u);
    out.bytes.push_back(options.ttl);
    out.bytes.push_back(options.protocol < 0 ? inner.protocol
                                             : static_cast<std::uint8_t>(options.protocol));
    put16(out.bytes, 0);
    put(out.bytes, source);
    put(out.bytes, target);
    put(out.bytes, extra);
    const std::uint16_t checksum = internet_checksum(out.bytes);
    set16(out.bytes, 10, options.bad_checksum ? checksum ^ 0x5555 : checksum);
    put(out.bytes, inner.bytes);
    return out;
}

Layer ipv6(const Ipv6Options& options, const Layer& given) {
    Layer inner = given;
    const Bytes source = address_of(options.source);
    const Bytes target = address_of(options.target);
    fill_checksum(inner, source, target);
    Layer out{.bytes = {0x60, 0, 0, 0}, .ether_type = 0x86dd, .protocol = 41};
    put16(out.bytes, options.payload_bytes < 0 ? inner.bytes.size()
                                               : static_cast<std::size_t>(options.payload_bytes));
    out.bytes.push_back(options.protocol < 0 ? inner.protocol
                                             : static_cast<std::uint8_t>(options.protocol));
    out.bytes.push_back(options.hops);
    put(out.bytes, source);
    put(out.bytes, target);
    put(out.bytes, inner.bytes);
    return out;
}

Layer extension(std::uint8_t kind, const Layer& inner, const Bytes& body) {
    // Two bytes, the body, PadN up to a multiple of eight (zeros are Pad1 each).
    Bytes header = padded(Bytes{inner.protocol, 0} + body, 8, 0);
    header[1] = static_cast<std::uint8_t>(header.size() / 8 - 1);
    return {.bytes = header + inner.bytes, .protocol = kind};
}

Layer fragment6(std::uint32_t id, std::uint16_t offset_bytes, bool more, std::uint8_t next_header,
                const Bytes& piece) {
    Layer out{.bytes = {next_header, 0}, .protocol = 44};
    put16(out.bytes, (offset_bytes & 0xfff8u) | (more ? 1u : 0u));
    put32(out.bytes, id);
    put(out.bytes, piece);
    return out;
}

Layer ah(const Layer& inner) {
    Bytes header = {inner.protocol, 4, 0, 0};  // (4 + 2) words
    put32(header, 0x1234);
    put32(header, 1);
    put(header, Bytes(12, 0xa5));
    return {.bytes = header + inner.bytes, .protocol = 51};
}

std::vector<Layer> fragments4(Ipv4Options options, const Layer& given, std::size_t piece_bytes) {
    Layer whole = given;
    fill_checksum(whole, address_of(options.source), address_of(options.target));
    std::vector<Layer> out;
    for (std::size_t at = 0; at < whole.bytes.size(); at += piece_bytes) {
        const std::size_t end = std::min(at + piece_bytes, whole.bytes.size());
        const auto begin = whole.bytes.begin();
        options.offset_bytes = static_cast<std::uint16_t>(at);
        options.more_fragments = end < whole.bytes.size();
        options.protocol = whole.protocol;
        const Bytes piece(begin + static_cast<std::ptrdiff_t>(at),
                          begin + static_cast<std::ptrdiff_t>(end));
        out.push_back(ipv4(options, raw(whole.protocol, piece)));
    }
    return out;
}

std::vector<Layer> fragments6(const Ipv6Options& options, std::uint32_t id, const Layer& given,
                              std::size_t piece_bytes) {
    Layer whole = given;
    fill_checksum(whole, address_of(options.source), address_of(options.target));
    std::vector<Layer> out;
    for (std::size_t at = 0; at < whole.bytes.size(); at += piece_bytes) {
        const std::size_t end = std::min(at + piece_bytes, whole.bytes.size());
        const auto begin = whole.bytes.begin();
        const Bytes piece(begin + static_cast<std::ptrdiff_t>(at),
                          begin + static_cast<std::ptrdiff_t>(end));
        out.push_back(ipv6(options, fragment6(id, static_cast<std::uint16_t>(at),
                                              end < whole.bytes.size(), whole.protocol, piece)));
    }
    return out;
}

Layer tcp(const TcpFields& fields, const Bytes& payload) {
    const Bytes options = padded(fields.options, 4, 0);
    Layer out{.bytes = {}, .protocol = 6};
    put16(out.bytes, fields.source_port);
    put16(out.bytes, fields.target_port);
    put32(out.bytes, fields.seq);
    put32(out.bytes, fields.ack);
    out.bytes.push_back(static_cast<std::uint8_t>((20 + options.size()) / 4 << 4));
    out.bytes.push_back(fields.flags);
    put16(out.bytes, fields.window);
    put32(out.bytes, fields.bad_checksum ? 0xdead0000u : 0u);
    put(out.bytes, options);
    put(out.bytes, payload);
    if (!fields.bad_checksum) out.checksum_offset = 16;
    return out;
}

Layer udp(const UdpFields& fields, const Bytes& payload) {
    Layer out{.bytes = {}, .protocol = 17};
    put16(out.bytes, fields.source_port);
    put16(out.bytes, fields.target_port);
    put16(out.bytes, fields.length_bytes < 0 ? payload.size() + 8
                                             : static_cast<std::size_t>(fields.length_bytes));
    put16(out.bytes, 0);
    put(out.bytes, payload);
    if (!fields.no_checksum) out.checksum_offset = 6;
    return out;
}

Layer raw(std::uint8_t protocol, const Bytes& payload) {
    return {.bytes = payload, .protocol = protocol};
}

Layer gre(const Layer& inner, const GreOptions& options) {
    Layer out{.bytes = {}, .protocol = 47};
    put16(out.bytes, (options.checksum ? 0x8000u : 0u) | (options.has_key ? 0x2000u : 0u) |
                         (options.has_sequence ? 0x1000u : 0u));
    const std::uint16_t type = inner.ether_type == 0 ? 0x6558 : inner.ether_type;
    put16(out.bytes, options.protocol < 0 ? type : static_cast<std::uint16_t>(options.protocol));
    if (options.checksum) put32(out.bytes, 0);
    if (options.has_key) put32(out.bytes, options.key);
    if (options.has_sequence) put32(out.bytes, options.sequence);
    put(out.bytes, inner.bytes);
    if (options.checksum) set16(out.bytes, 4, internet_checksum(out.bytes));
    return out;
}

Layer nvgre(std::uint32_t vsid, const Layer& frame) {
    return gre(frame, {.has_key = true, .key = vsid << 8 | 0x17});
}

Layer pptp(std::uint16_t call_id, const Layer& ppp_frame, bool sequence, bool ack) {
    Layer out{.bytes = {}, .protocol = 47};
    put16(out.bytes, 0x2001u | (sequence ? 0x1000u : 0u) | (ack ? 0x80u : 0u));
    put16(out.bytes, 0x880b);
    put16(out.bytes, ppp_frame.bytes.size());
    put16(out.bytes, call_id);
    if (sequence) put32(out.bytes, 1);
    if (ack) put32(out.bytes, 2);
    put(out.bytes, ppp_frame.bytes);
    return out;
}

Layer erspan1(const Layer& frame) { return gre(frame, {.protocol = 0x88be}); }

Layer erspan2(std::uint16_t session, const Layer& frame) {
    Bytes header = {0x10, 0x64};
    put16(header, session & 0x3ffu);
    put32(header, 7);
    return gre({.bytes = header + frame.bytes},
               {.has_sequence = true, .sequence = 9, .protocol = 0x88be});
}

Layer erspan3(std::uint16_t session, const Layer& frame, bool platform) {
    Bytes header = {0x20, 0x64};
    put16(header, session & 0x3ffu);
    put32(header, 123456);
    put16(header, 0);
    put16(header, platform ? 1 : 0);
    if (platform) put(header, Bytes(8, 0x5a));
    return gre({.bytes = header + frame.bytes},
               {.has_sequence = true, .sequence = 9, .protocol = 0x22eb});
}

Layer etherip(const Layer& frame) {
    return {.bytes = Bytes{0x30, 0} + frame.bytes, .protocol = 97};
}

Layer vxlan(std::uint32_t vni, const Layer& frame, std::uint16_t target_port) {
    Bytes header = {8, 0, 0, 0};
    put32(header, std::size_t{vni} << 8);
    return udp_tunnel(target_port, header, frame);
}

Layer vxlan_gpe(std::uint32_t vni, const Layer& inner) {
    std::uint8_t next = 3;
    if (inner.ether_type == 0x0800) next = 1;
    if (inner.ether_type == 0x86dd) next = 2;
    if (inner.ether_type == 0x8847) next = 5;
    Bytes header = {0x0c, 0, 0, next};
    put32(header, std::size_t{vni} << 8);
    return udp_tunnel(4790, header, inner);
}

Layer geneve(std::uint32_t vni, const Layer& inner, const Bytes& options) {
    const Bytes extra = padded(options, 4, 0);
    Bytes header = {static_cast<std::uint8_t>(extra.size() / 4), 0};
    put16(header, inner.ether_type == 0 ? 0x6558u : inner.ether_type);
    put32(header, std::size_t{vni} << 8);
    return udp_tunnel(6081, header + extra, inner);
}

Layer gtpu(std::uint32_t teid, const Layer& inner, bool sequence, int extension_count) {
    Bytes optional;
    if (sequence || extension_count > 0) {
        optional = {0, 7, 0, static_cast<std::uint8_t>(extension_count > 0 ? 0x85 : 0)};
        for (int left = extension_count; left > 0; --left) {
            put(optional, {1, 0x10, 9, static_cast<std::uint8_t>(left > 1 ? 0x85 : 0)});
        }
    }
    Bytes header = {
        static_cast<std::uint8_t>(0x30 | (sequence ? 2 : 0) | (extension_count > 0 ? 4 : 0)), 0xff};
    put16(header, optional.size() + inner.bytes.size());
    put32(header, teid);
    return udp_tunnel(2152, header + optional, inner);
}

Layer gre_udp(const Layer& inner) { return udp_tunnel(4754, {}, gre(inner)); }

Layer teredo(const Layer& inner, bool authentication, bool origin) {
    Bytes header;
    if (authentication) put(header, Bytes{0, 1, 0, 0} + Bytes(9, 0));
    if (origin) put(header, {0, 0, 0x12, 0x34, 0x3f, 0xff, 0xfd, 0xfe});
    return udp_tunnel(3544, header, inner);
}

Bytes linux_sll(const Layer& inner) {
    Bytes out = {0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0};
    put16(out, inner.ether_type);
    return out + inner.bytes;
}

Bytes linux_sll2(const Layer& inner) {
    Bytes out;
    put16(out, inner.ether_type);
    put(out, {0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0});
    return out + inner.bytes;
}

Bytes loopback(const Layer& inner, bool big_endian) {
    const std::uint8_t family = inner.ether_type == 0x86dd ? 30 : 2;
    const Bytes header = big_endian ? Bytes{0, 0, 0, family} : Bytes{family, 0, 0, 0};
    return header + inner.bytes;
}

Bytes nflog(const Layer& inner, bool big_endian) {
    const auto tlv = [big_endian](std::uint8_t type, const Bytes& value) {
        const std::size_t bytes = value.size() + 4;
        const auto low = static_cast<std::uint8_t>(bytes);
        const auto high = static_cast<std::uint8_t>(bytes >> 8);
        const Bytes header = big_endian ? Bytes{high, low, 0, type} : Bytes{low, high, type, 0};
        return padded(header + value, 4, 0);
    };
    const std::uint8_t family = inner.ether_type == 0x86dd ? 10 : 2;
    Bytes out = {family, 0, 0, 5};
    put(out, tlv(1, {8, 0, 1, 0}));              // packet header
    put(out, tlv(10, {'i', 'n', ':', ' ', 0}));  // prefix, five bytes: padded
    put(out, tlv(9, inner.bytes));
    return out;
}

Bytes linux_syn_options(std::uint16_t mss, std::uint8_t scale) {
    Bytes out = {2, 4};
    put16(out, mss);
    put(out, {4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, scale});
    return out;
}

}  // namespace seine::synth
