// Recognises the second copy of one packet that a SPAN port or tap delivers twice.
#pragma once
#include <bit>
#include <cstdint>
#include <memory>

#include "dataplane/base/clock.h"
#include "dataplane/base/hash.h"
#include "dataplane/wire/packet_view.h"

namespace seine::wire {

// A copy has the same addresses, ports, IP id, sequence numbers, flags, window, length and first
// sixteen payload bytes as a packet seen within the window; VLAN, MAC and tunnels around it may
// differ, the TTL by one (a mirror of both sides of a router).
//
// What is not a copy: anything later than the window, and so every timeout retransmission and
// keep-alive probe; a retransmission with an IP id of its own. Without an IP id (IPv6, and IPv4 id
// 0 as sent with DF by hosts that follow RFC 6864 section 4.1) equal packets may well be two, so
// there only those count that nobody sends twice within a millisecond: TCP with payload, SYN or FIN
// and equal options (which hold the timestamp), and UDP with payload; the last sixteen payload
// bytes have to be equal too. Pure ACKs (duplicate ACKs look alike on purpose) and resets never
// count there. A fast retransmission within a millisecond, with the same timestamp and no IP id, is
// taken for a copy; its bytes are the ones already seen.
class DuplicateFilter {
  public:
    static constexpr std::int64_t kWindowNs = 4 * kMillisecond;
    static constexpr std::int64_t kWindowWithoutIdNs = 1 * kMillisecond;

    // Remembers about `entry_count` packets (rounded up to a power of two, 16 bytes each); 0
    // switches it off: is_copy() then says false without looking.
    DuplicateFilter(std::uint32_t entry_count, std::uint64_t seed);

    // True when `packet` is a copy of one seen before; remembers it otherwise. For packets that
    // Decoder::decode called ok.
    [[nodiscard]] bool is_copy(const PacketView& packet, Nanos now) noexcept;

  private:
    static constexpr std::uint64_t kOdd0 = 0x9e3779b97f4a7c15u;
    static constexpr std::uint64_t kOdd1 = 0xd6e8feb86659fd93u;
    static constexpr std::uint64_t kOdd2 = 0xa0761d6478bd642fu;
    static constexpr std::uint64_t kOdd3 = 0xe7037ed1a0b428dbu;

    struct Sample {
        std::uint64_t first;
        std::uint64_t last;
    };
    // The first sixteen bytes; of fewer, all of them (the length is hashed elsewhere).
    static Sample head_of(ByteView bytes) noexcept;
    // Whether an equal packet without IP id can only be a copy, by the rule above.
    [[nodiscard]] static bool counts_without_id(const PacketView& packet) noexcept;
    // What is hashed besides for such a packet: the end of the payload and the TCP options.
    [[nodiscard]] std::uint64_t more_without_id(const PacketView& packet) const noexcept;
    [[nodiscard]] std::uint64_t tag_of(const PacketView& packet) const noexcept;

    struct Entry {
        std::uint64_t tag;
        std::uint64_t time_and_ttl;
    };
    std::unique_ptr<Entry[]> entries_;
    std::uint64_t mask_ = 0;
    std::uint64_t seed_;
};

// Inline: this is on the path of every packet.
inline DuplicateFilter::Sample DuplicateFilter::head_of(ByteView bytes) noexcept {
    const std::uint8_t* const at = bytes.data();
    const std::size_t count = bytes.size();
    if (count >= 16) [[likely]]
        return {load_le64(at), load_le64(at + 8)};
    if (count == 0) return {0, 0};
    if (count >= 8) return {load_le64(at), load_le64(at + count - 8)};
    if (count >= 4) return {load_le32(at), load_le32(at + count - 4)};
    return {std::uint64_t{at[0]} << 16 | std::uint64_t{at[count / 2]} << 8 | at[count - 1], 0};
}

// Seven words of the packet in four products, whose keys differ so that no two words can change
// places. Addresses are folded: within one flow they are the same anyway.
inline std::uint64_t DuplicateFilter::tag_of(const PacketView& packet) const noexcept {
    std::uint64_t order = 0;
    std::uint64_t rest = (std::uint64_t{packet.ip_id} << 8) | packet.protocol;
    if (packet.transport == Transport::tcp) {
        order = (std::uint64_t{packet.seq} << 32) | packet.ack;
        rest |= (std::uint64_t{packet.window} << 32) | (std::uint64_t{packet.tcp_flags} << 24);
    }
    const std::uint64_t ports = (std::uint64_t{packet.source_port} << 48) |
                                (std::uint64_t{packet.target_port} << 32) |
                                packet.payload_wire_bytes;
    const Sample head = head_of(packet.payload);
    const std::uint64_t addresses =
        mix64(packet.source.words[0] ^ std::rotl(packet.target.words[0], 32) ^ seed_ ^ kOdd2,
              packet.source.words[1] ^ std::rotl(packet.target.words[1], 32) ^ kOdd0);
    return addresses ^ mix64(ports ^ seed_ ^ kOdd1, order ^ kOdd2) ^
           mix64(rest ^ seed_ ^ kOdd2, head.first ^ kOdd1) ^
           mix64(head.last ^ seed_ ^ kOdd3, kOdd0);
}

inline bool DuplicateFilter::is_copy(const PacketView& packet, Nanos now) noexcept {
    if (entries_ == nullptr || packet.transport == Transport::other) return false;
    std::uint64_t tag = tag_of(packet);
    std::int64_t window = kWindowNs;
    if (packet.ip_id == 0) {
        if (!counts_without_id(packet)) return false;
        window = kWindowWithoutIdNs;
        tag ^= more_without_id(packet);
    }
    Entry& entry = entries_[tag & mask_];
    // Time to 256 ns, the TTL in the byte below.
    const std::uint64_t time = static_cast<std::uint64_t>(now.count) & ~std::uint64_t{0xff};
    const std::int64_t age =
        now.count - static_cast<std::int64_t>(entry.time_and_ttl & ~std::uint64_t{0xff});
    const int ttl_step = static_cast<int>(entry.time_and_ttl & 0xff) - packet.ttl;
    if (entry.tag == tag && age >= -window && age <= window && ttl_step >= -1 && ttl_step <= 1)
        [[unlikely]] {
        return true;
    }
    entry = {tag, time | packet.ttl};
    return false;
}

}  // namespace seine::wire
