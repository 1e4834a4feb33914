// Overload: how many of the 128 flow buckets are left out, so that the rest is inspected whole.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>

#include "dataplane/base/bytes.h"
#include "dataplane/runtime/stats.h"
#include "dataplane/wire/link_type.h"

namespace seine::runtime {

// Flows fall into buckets as they fall into entries of a card's redirection table: by the card's
// symmetric hash where it gives one, else by that of the innermost 5-tuple. Both directions are in
// one bucket; fragments without ports go by their address pair.
inline constexpr unsigned kShedBuckets = 128;
// `card_hash` null: the card gave none, or one that differs by direction.
[[nodiscard]] unsigned shed_bucket(const std::uint32_t* card_hash, ByteView frame,
                                   wire::LinkType link) noexcept;

// What the workers read once a burst: buckets below it are shed.
using ShedLevel = std::atomic<unsigned>;

// Decides the level about once a second from what was lost meanwhile. One thread; no clock of its
// own.
//
//   lost more than kLossMin of what came:  up by the share that was lost, at least one bucket
//   kCalmTends without such a loss:        down by an eighth, at least one bucket, at every call
class ShedController {
  public:
    static constexpr unsigned kLevelMax =
        kShedBuckets - kShedBuckets / 16;  // a sixteenth is always inspected
    static constexpr unsigned kCalmTends = 5;
    static constexpr std::uint64_t kLossPerMilleMin = 1;

    struct Seen {
        std::uint64_t received = 0;  // by the workers, shed packets included
        std::uint64_t lost = 0;      // by cards, the kernel and the rings in front of the workers
    };
    // Sums since the start. Returns a line for the operator when shedding begins, deepens or ends,
    // or empty.
    [[nodiscard]] std::string tend(const Seen& sums);
    [[nodiscard]] unsigned level() const noexcept { return level_; }

  private:
    Seen before_;
    unsigned level_ = 0;
    unsigned calm_ = 0;
    bool begun_ = false;
};

}  // namespace seine::runtime
