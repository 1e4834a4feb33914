// Recognises the second copy of one packet that a SPAN port or tap delivers twice.
#pragma once
#include <cstdint>
#include <memory>

#include "dataplane/base/clock.h"
#include "dataplane/wire/packet_view.h"

namespace seine::wire {

// A copy has the same addresses, ports, IP id, sequence numbers, flags, window, length and payload sample
// as a packet seen within the window; VLAN, MAC and tunnels around it may differ, the TTL by one (a
// mirror of both sides of a router).
//
// What is not a copy: anything later than the window, and so every timeout retransmission and keep-alive
// probe; a retransmission with an IP id of its own. Without an IP id (IPv6, and IPv4 id 0 as sent with DF
// by hosts that follow RFC 6864 section 4.1) equal packets may well be two, so there only those count
// that nobody sends twice within a millisecond: TCP with payload, SYN or FIN and equal options (which
// hold the timestamp), and UDP with payload. Pure ACKs (duplicate ACKs look alike on purpose) and resets
// never count there. A fast retransmission within a millisecond, with the same timestamp and no IP id, is
// taken for a copy; its bytes are the ones already seen.
class DuplicateFilter {
  public:
    static constexpr std::int64_t kWindowNs = 4 * kMillisecond;
    static constexpr std::int64_t kWindowWithoutIdNs = 1 * kMillisecond;

    // Remembers about `entry_count` packets (rounded up to a power of two, 16 bytes each); 0 switches
    // it off: is_copy() then says false without looking.
    DuplicateFilter(std::uint32_t entry_count, std::uint64_t seed);

    // True when `packet` is a copy of one seen before; remembers it otherwise. For packets that
    // Decoder::decode called ok.
    [[nodiscard]] bool is_copy(const PacketView& packet, Nanos now) noexcept;

  private:
    struct Entry {
        std::uint64_t tag;
        std::uint64_t time_and_ttl;
    };
    std::unique_ptr<Entry[]> entries_;
    std::uint64_t mask_ = 0;
    std::uint64_t seed_;
};

}  // namespace seine::wire
