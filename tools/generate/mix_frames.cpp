#include "tools/generate/mix_frames.h"

#include <cstring>

namespace seine::generate {
namespace {

constexpr std::uint8_t kMacs[2][12] = {{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}};

void put16(std::uint8_t* at, std::size_t value) noexcept {
    at[0] = static_cast<std::uint8_t>(value >> 8);
    at[1] = static_cast<std::uint8_t>(value);
}
void put32(std::uint8_t* at, std::uint32_t value) noexcept {
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

// Ones' complement sum of 16-bit words (RFC 1071), not yet folded.
std::uint64_t sum_of(const std::uint8_t* at, std::size_t bytes) noexcept {
    std::uint64_t sum = 0;
    for (; bytes >= 4; bytes -= 4, at += 4) sum += load_be32(at);
    if (bytes >= 2) sum += load_be16(at);
    if (bytes & 1) sum += static_cast<std::uint64_t>(at[bytes - 1]) << 8;
    return sum;
}
std::uint16_t folded(std::uint64_t sum) noexcept {
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

}  // namespace

FrameBuilder::FrameBuilder(MixRandom& random, bool ipv6, bool vlan, std::uint8_t protocol, std::uint16_t source_port,
                           std::uint16_t target_port)
    : ipv6_(ipv6),
      vlan_(vlan),
      protocol_(protocol),
      ports_{source_port, target_port},
      ip_id_(static_cast<std::uint16_t>(random.below(1u << 15))),
      address_{} {
    constexpr std::uint8_t kStarts[3] = {64, 64, 128};
    ttl_ = {static_cast<std::uint8_t>(kStarts[random.below(3)] - random.between(3, 24)), 60};
    random.fill(std::span(address_[0]));
    const auto server = static_cast<std::uint8_t>(random.between(1, 200));
    if (ipv6) {
        put32(address_[0], 0x20010db8);  // RFC 3849
        put32(address_[1], 0x20010db8);
        put32(address_[1] + 4, 0xffff0000);
        put32(address_[1] + 12, server);
        return;
    }
    if (random.chance(0.5)) {
        address_[0][0] = 10;  // RFC 1918
    } else {
        address_[0][0] = 100;  // RFC 6598
        address_[0][1] = static_cast<std::uint8_t>(64 | (address_[0][1] & 63));
    }
    put32(address_[1], 0xc6120000u + server);  // RFC 2544
}

std::uint8_t* FrameBuilder::link_and_ip(From from, std::size_t payload_bytes, std::vector<std::uint8_t>& out) noexcept {
    const unsigned side = static_cast<unsigned>(from);
    const std::size_t ip_bytes = ipv6_ ? 40 : 20;
    out.resize(14 + (vlan_ ? 4 : 0) + ip_bytes + payload_bytes);
    std::uint8_t* at = out.data();
    std::memcpy(at, kMacs[side], 12);
    at += 12;
    if (vlan_) {
        put32(at, 0x81000064);
        at += 4;
    }
    put16(at, ipv6_ ? 0x86dd : 0x0800);
    at += 2;
    std::memset(at, 0, ip_bytes);
    if (ipv6_) {
        at[0] = 0x60;
        put16(at + 4, payload_bytes);
        at[6] = protocol_;
        at[7] = ttl_[side];
        std::memcpy(at + 8, address_[side], 16);
        std::memcpy(at + 24, address_[1 - side], 16);
        return at + 40;
    }
    at[0] = 0x45;
    put16(at + 2, payload_bytes + 20);
    put16(at + 4, ++ip_id_);
    at[6] = 0x40;  // DF
    at[8] = ttl_[side];
    at[9] = protocol_;
    std::memcpy(at + 12, address_[side], 4);
    std::memcpy(at + 16, address_[1 - side], 4);
    put16(at + 10, folded(sum_of(at, 20)));
    return at + 20;
}

ByteView FrameBuilder::tcp(From from, const Tcp& header, ByteView payload, std::vector<std::uint8_t>& out) noexcept {
    const unsigned side = static_cast<unsigned>(from);
    const std::size_t header_bytes = 20 + header.options.size();
    const std::size_t bytes = header_bytes + payload.size();
    std::uint8_t* at = link_and_ip(from, bytes, out);
    put16(at, ports_[side]);
    put16(at + 2, ports_[1 - side]);
    put32(at + 4, header.seq);
    put32(at + 8, header.ack);
    at[12] = static_cast<std::uint8_t>(header_bytes / 4 << 4);
    at[13] = header.flags;
    put16(at + 14, header.window);
    put32(at + 16, 0);
    if (!header.options.empty()) std::memcpy(at + 20, header.options.data(), header.options.size());
    if (!payload.empty()) std::memcpy(at + header_bytes, payload.data(), payload.size());
    const std::size_t address_bytes = ipv6_ ? 16 : 4;
    const std::uint64_t pseudo = sum_of(address_[0], address_bytes) + sum_of(address_[1], address_bytes) + protocol_ + bytes;
    put16(at + 16, folded(pseudo + sum_of(at, bytes)));
    return out;
}

ByteView FrameBuilder::udp(From from, ByteView payload, std::vector<std::uint8_t>& out) noexcept {
    const unsigned side = static_cast<unsigned>(from);
    const std::size_t bytes = 8 + payload.size();
    std::uint8_t* at = link_and_ip(from, bytes, out);
    put16(at, ports_[side]);
    put16(at + 2, ports_[1 - side]);
    put16(at + 4, bytes);
    put16(at + 6, 0);
    if (!payload.empty()) std::memcpy(at + 8, payload.data(), payload.size());
    const std::size_t address_bytes = ipv6_ ? 16 : 4;
    const std::uint64_t pseudo = sum_of(address_[0], address_bytes) + sum_of(address_[1], address_bytes) + protocol_ + bytes;
    const std::uint16_t checksum = folded(pseudo + sum_of(at, bytes));
    put16(at + 6, checksum == 0 ? 0xffff : checksum);
    return out;
}

}  // namespace seine::generate
