// How far a gateway's clock stands from the dataplane's, learned from connections both have seen.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/base/clock.h"

namespace seine::account {

// A sample is (gateway's time of a connection's first request) - (its first packet). Most lie just
// above the true offset, by a handshake; requests on old connections, reused ports and slow clients
// lie anywhere. So the offset is where samples crowd: the lower quartile of the fullest second
// among the last 63. One thread.
class GatewayClock {
  public:
    static constexpr std::size_t kSamples = 63;
    static constexpr std::size_t kAgreeMin = 3;
    static constexpr std::int64_t kCrowdNs = kSecond;

    // True when the offset moved by more than `jump_ns`: what was judged by the old one may now be
    // judged otherwise.
    bool sample(std::int64_t difference_ns, std::int64_t jump_ns) noexcept;
    // 0 until learned().
    [[nodiscard]] std::int64_t offset_ns() const noexcept { return offset_ns_; }
    [[nodiscard]] bool learned() const noexcept { return learned_; }
    [[nodiscard]] std::uint64_t samples() const noexcept { return taken_; }

  private:
    std::array<std::int64_t, kSamples> ring_{};
    std::uint64_t taken_ = 0;
    std::int64_t offset_ns_ = 0;
    bool learned_ = false;
};

}  // namespace seine::account
