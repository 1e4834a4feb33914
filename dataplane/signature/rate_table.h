// Limits on alerts, and how many hits they swallowed.
#pragma once
#include <cstdint>
#include <memory>

#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "dataplane/signature/rule.h"

namespace seine::signature {

// Counts within windows of a fixed length that begin with the first hit after the last one ended.
struct RateWindow {
    std::int64_t begin_ns = 0;
    std::uint32_t count = 0;
    std::uint64_t swallowed = 0;  // not told yet

    // Whether one more may be told; a hit that may not counts as swallowed.
    bool admit(const Rate& rate, Nanos now) noexcept;
    std::uint64_t take_swallowed() noexcept;
};

// A window per rule and source, in a table of fixed size: sixteen-byte source addresses, four places a
// bucket, the window that ended first makes room. A source that was pushed out begins anew: it may be told
// more often than its limit, never less.
class SourceRates {
  public:
    explicit SourceRates(std::uint32_t sources_max);
    RateWindow& window(std::uint32_t rule, const std::uint8_t (&source)[16], Nanos now) noexcept;

  private:
    struct Cell {
        std::uint64_t key = 0;  // 0: free
        RateWindow window;
    };
    static constexpr std::uint32_t kPlaces = 4;
    std::unique_ptr<Cell[]> cells_;
    std::uint64_t mask_;
};

}  // namespace seine::signature
