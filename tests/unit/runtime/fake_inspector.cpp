// Stands in for pipeline::Inspector: one record a frame, one a "flow" at the end.
#include <atomic>
#include <cstring>

#include "dataplane/base/hash.h"
#include "dataplane/pipeline/inspector.h"
#include "dataplane/signature/matcher.h"
#include "tests/unit/runtime/environment.h"

namespace seine::runtime_test {
namespace {
std::atomic<std::int64_t> advanced_ns{0};
}

Seen seen_of(ByteView record) {
    Seen out;
    if (record.size() == sizeof out) std::memcpy(&out, record.data(), sizeof out);
    return out;
}
Nanos last_advance() { return {advanced_ns.load()}; }

}  // namespace seine::runtime_test

namespace seine::pipeline {

struct Inspector::Rooms {
    Rooms(const InspectorConfig& c, ByteRing& o) : config(c), out(o) {}
    InspectorConfig config;
    ByteRing& out;
    Counters counters;
    std::size_t flows = 0;

    void write(const runtime_test::Seen& seen) noexcept {
        const auto room = out.reserve(sizeof seen);
        if (room.empty()) {
            counters.add(Counter::records_dropped_ring_full);
            return;
        }
        std::memcpy(room.data(), &seen, sizeof seen);
        out.commit(sizeof seen);
    }
};

Inspector::Inspector(std::unique_ptr<Rooms> rooms) noexcept : rooms_(std::move(rooms)) {}
Inspector::~Inspector() = default;

Result<std::unique_ptr<Inspector>> Inspector::make(const InspectorConfig& config, ByteRing& out) {
    if (config.limits.flows_max == 0) return failed("a flow table needs at least one flow");
    return std::unique_ptr<Inspector>(new Inspector(std::make_unique<Rooms>(config, out)));
}

void Inspector::inspect(std::span<const Frame> burst) noexcept {
    SEINE_CHECK(!burst.empty() && burst.size() <= kBurstMax);
    for (const Frame& frame : burst) {
        runtime_test::Seen seen;
        seen.time = frame.time.count;
        seen.wire_bytes = frame.wire_bytes;
        seen.bytes = static_cast<std::uint32_t>(frame.bytes.size());
        seen.hash = hash64(frame.bytes, 1);
        seen.worker = rooms_->config.worker;
        seen.link = static_cast<std::uint8_t>(frame.link);
        rooms_->write(seen);
        rooms_->counters.add(Counter::packets);
        if (rooms_->flows < 1000) ++rooms_->flows;
    }
}

void Inspector::advance(Nanos now) noexcept { runtime_test::advanced_ns.store(now.count); }

bool Inspector::finish(std::size_t flows_max) noexcept {
    for (std::size_t i = 0; i < flows_max && rooms_->flows > 0; ++i, --rooms_->flows) {
        runtime_test::Seen seen;
        seen.kind = 1;
        seen.worker = rooms_->config.worker;
        rooms_->write(seen);
    }
    return rooms_->flows == 0;
}

// No rules here: a set is taken and never asked.
void Inspector::adopt(const signature::Generation* rules) noexcept { static_cast<void>(rules); }
const signature::Matcher& Inspector::matcher() const noexcept {
    static const signature::Matcher idle{0};
    return idle;
}
const Counters& Inspector::counters() const noexcept { return rooms_->counters; }
const StageCell& Inspector::stage() const noexcept {
    static const StageCell resting{0};
    return resting;
}
BypassLink* Inspector::bypass() noexcept { return nullptr; }
std::size_t Inspector::flow_count() const noexcept { return rooms_->flows; }

}  // namespace seine::pipeline
