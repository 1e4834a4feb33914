// THE LINE: decode, flow, reassemble, parse, fingerprint, match, record; one packet, top to bottom.
#pragma once
#include <memory>
#include <span>

#include "dataplane/base/byte_ring.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/status.h"
#include "dataplane/pipeline/config.h"
#include "dataplane/pipeline/counters.h"
#include "dataplane/pipeline/stage_mark.h"
#include "dataplane/signature/matcher.h"
#include "dataplane/wire/link_type.h"

namespace seine::pipeline {

struct BypassLink;

// One captured frame, borrowed for the call.
struct Frame {
    ByteView bytes;                // what was captured
    std::uint32_t wire_bytes = 0;  // its length on the wire; more than bytes.size() if cut
    wire::LinkType link{};
    Nanos time;
};

// One per worker, used by that worker's thread alone; counters may be read by another. Writes record
// frames (contract/frame.h) into `out`; a record that finds no room is lost and counted.
class Inspector {
  public:
    static constexpr std::size_t kBurstMax = 64;

    static Result<std::unique_ptr<Inspector>> make(const InspectorConfig& config, ByteRing& out);
    ~Inspector();

    // At most kBurstMax frames, times not falling by more than reordering explains. Allocates nothing.
    void inspect(std::span<const Frame> burst) noexcept;
    // Lets timers run when no packet does.
    void advance(Nanos now) noexcept;
    // End of input: closes up to `flows_max` live flows; true when none is left. The caller drains
    // `out` between calls.
    bool finish(std::size_t flows_max) noexcept;

    // Between two bursts: the rule set to match with from here on, or nullptr. It outlives its use. Findings
    // go out as records; what could not be matched is counted.
    void adopt(const signature::Generation* rules) noexcept;
    [[nodiscard]] const signature::Matcher& matcher() const noexcept;

    [[nodiscard]] const Counters& counters() const noexcept;
    // Where the line is now; any thread may look.
    [[nodiscard]] const StageCell& stage() const noexcept;
    // Flows that a card may pass by, for one other thread; nullptr when the configuration has none.
    [[nodiscard]] BypassLink* bypass() noexcept;
    // Live flows now.
    [[nodiscard]] std::size_t flow_count() const noexcept;

  private:
    struct Rooms;
    explicit Inspector(std::unique_ptr<Rooms> rooms) noexcept;
    std::unique_ptr<Rooms> rooms_;
};

}  // namespace seine::pipeline
