// Recognises the second copy of one packet that a SPAN port or tap delivers twice.
#pragma once
#include <bit>
#include <cstdint>
#include <memory>

#include "dataplane/base/clock.h"
#include "dataplane/base/hash.h"
#include "dataplane/wire/packet_view.h"

namespace seine::wire {

// A copy has the same addresses, ports, IP id, sequence numbers, flags, window, length and TCP or UDP
// checksum (which stands for options and payload) as a packet seen within the window; VLAN, MAC and
// tunnels around it may differ, the TTL by one (a mirror of both sides of a router).
//
// What is not a copy: anything later than the window, and so every timeout retransmission and
// keep-alive probe; a retransmission with an IP id of its own. Without an IP id (IPv6, and IPv4 id
// 0 as sent with DF by hosts that follow RFC 6864 section 4.1) equal packets may well be two, so
// there only those count that nobody sends twice within a millisecond: TCP with payload, SYN or FIN,
// and UDP with payload, whose first and last sixteen bytes have to be equal too (it may come without a
// checksum). Pure ACKs (duplicate ACKs look alike on purpose) and resets never count there. A fast
// retransmission within a millisecond, with the same timestamp and no IP id, is taken for a copy; its
// bytes are the ones already seen.
//
// A burst asks in three steps, so that it waits for memory once: probe() for all of its packets, then prefetch(), then
// is_copy() for each in turn.
class DuplicateFilter {
  public:
    static constexpr std::int64_t kWindowNs = 4 * kMillisecond;
    static constexpr std::int64_t kWindowWithoutIdNs = 1 * kMillisecond;

    // Remembers about `entry_count` packets (rounded up to a power of two, 16 bytes each); 0
    // switches it off: is_copy() then says false without looking.
    DuplicateFilter(std::uint32_t entry_count, std::uint64_t seed);

    // A packet's tag and what decides how it is compared.
    struct Probe {
        std::uint64_t tag = 0;
        std::int64_t window_ns = 0;  // 0: never a copy
        std::uint8_t ttl = 0;
        bool datagram = false;  // UDP without an IP id: its payload is compared too
    };
    void prefetch(const Probe& probe) const noexcept {
        if (probe.window_ns != 0) __builtin_prefetch(&entries_[probe.tag & mask_], 1);
    }
    // Asks for the end of a payload that is compared. `addresses` is any keyed hash that covers both addresses, for instance
    // the flow's.
    [[nodiscard]] Probe probe(const PacketView& packet, std::uint64_t addresses) const noexcept;

    // True when `packet` is a copy of one seen before; remembers it otherwise. For packets that
    // Decoder::decode called ok, with the probe of the same packet.
    [[nodiscard]] bool is_copy(const PacketView& packet, const Probe& probe, Nanos now) noexcept;
    [[nodiscard]] bool is_copy(const PacketView& packet, Nanos now) noexcept {
        return is_copy(packet, probe(packet, addresses_of(packet)), now);
    }

  private:
    static constexpr std::uint64_t kOdd0 = 0x9e3779b97f4a7c15u;
    static constexpr std::uint64_t kOdd1 = 0xd6e8feb86659fd93u;
    static constexpr std::uint64_t kOdd2 = 0xa0761d6478bd642fu;
    static constexpr std::uint64_t kOdd3 = 0xe7037ed1a0b428dbu;

    [[nodiscard]] std::uint64_t addresses_of(const PacketView& packet) const noexcept;
    // Whether an equal packet without IP id can only be a copy, by the rule above.
    [[nodiscard]] static bool counts_without_id(const PacketView& packet) noexcept;
    // Begin and end of a datagram's payload.
    [[nodiscard]] std::uint64_t payload_of(const PacketView& packet) const noexcept;

    struct Entry {
        std::uint64_t tag;
        std::uint64_t time_and_ttl;
    };
    std::unique_ptr<Entry[]> entries_;
    std::uint64_t mask_ = 0;
    std::uint64_t seed_;
};

// Inline: this is on the path of every packet. Words have keys that differ, so that no two can change
// places; the ports tell the directions of one flow apart.
inline DuplicateFilter::Probe DuplicateFilter::probe(const PacketView& packet,
                                                     std::uint64_t addresses) const noexcept {
    Probe out;
    if (entries_ == nullptr || packet.transport == Transport::other) return out;
    const bool tcp = packet.transport == Transport::tcp;
    out.window_ns = kWindowNs;
    if (packet.ip_id == 0) {
        if (!counts_without_id(packet)) {
            out.window_ns = 0;
            return out;
        }
        out.window_ns = kWindowWithoutIdNs;
        out.datagram = !tcp;
        if (out.datagram && !packet.payload.empty()) __builtin_prefetch(packet.payload.data() + packet.payload.size() - 1);
    }
    // The header as sent: ports, sequence numbers, flags, window and checksum of TCP; ports, length and
    // checksum of UDP. TCP options and payload are in the checksum.
    const std::uint8_t* const header = packet.transport_header;
    const std::uint64_t around = (std::uint64_t{packet.payload_wire_bytes} << 32) | (std::uint64_t{packet.ip_id} << 8) |
                                 packet.protocol;
    const std::uint64_t begin = load_le64(header);
    out.ttl = packet.ttl;
    out.tag = addresses ^ mix64(begin ^ seed_ ^ kOdd1, around ^ kOdd2);
    if (tcp) out.tag ^= mix64(load_le64(header + 8) ^ seed_ ^ kOdd2, load_le32(header + 16) ^ kOdd0);
    return out;
}

inline bool DuplicateFilter::is_copy(const PacketView& packet, const Probe& probe, Nanos now) noexcept {
    if (probe.window_ns == 0) return false;
    Entry& entry = entries_[probe.tag & mask_];
    const std::uint64_t tag = probe.datagram ? probe.tag ^ payload_of(packet) : probe.tag;
    // Time to 256 ns, the TTL in the byte below.
    const std::uint64_t time = static_cast<std::uint64_t>(now.count) & ~std::uint64_t{0xff};
    const std::int64_t age =
        now.count - static_cast<std::int64_t>(entry.time_and_ttl & ~std::uint64_t{0xff});
    const int ttl_step = static_cast<int>(entry.time_and_ttl & 0xff) - probe.ttl;
    if (entry.tag == tag && age >= -probe.window_ns && age <= probe.window_ns && ttl_step >= -1 && ttl_step <= 1)
        [[unlikely]] {
        return true;
    }
    entry = {tag, time | probe.ttl};
    return false;
}

}  // namespace seine::wire
