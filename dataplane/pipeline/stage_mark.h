// Which part of the line a worker is in: one byte that a sampler may read at any time.
#pragma once
#include <atomic>
#include <cstdint>
#include <string_view>

namespace seine::pipeline {

// X(name, what is counted under it)
#define SEINE_STAGES(X)                                                       \
    X(receive, "outside the inspector: bursts, buffers, giving back")         \
    X(decode, "layers, flow key, hash")                                       \
    X(lookup, "copies, index, entries, counters and meter, timers")           \
    X(streams, "handshake state, sequence numbers, segments")                 \
    X(parse, "recognition, TLS, QUIC frames, HTTP, SSH")                      \
    X(hash, "fingerprints: lists, digests")                                   \
    X(crypto, "QUIC Initials: keys, header protection, opening")              \
    X(record, "frames into the record ring")

enum class Stage : std::uint8_t {
#define SEINE_X(name, meaning) name,
    SEINE_STAGES(SEINE_X)
#undef SEINE_X
        count_
};
inline constexpr std::string_view kStageNames[] = {
#define SEINE_X(name, meaning) #name,
    SEINE_STAGES(SEINE_X)
#undef SEINE_X
};

// Written by the worker's thread alone, a plain store each; costs what a counter costs.
using StageCell = std::atomic<std::uint8_t>;

inline void enter(StageCell& cell, Stage stage) noexcept {
    cell.store(static_cast<std::uint8_t>(stage), std::memory_order_relaxed);
}

// The stage for a scope; the one around it afterwards.
class StageMark {
  public:
    StageMark(StageCell& cell, Stage stage) noexcept : cell_(cell), before_(cell.load(std::memory_order_relaxed)) {
        enter(cell, stage);
    }
    ~StageMark() { cell_.store(before_, std::memory_order_relaxed); }
    StageMark(const StageMark&) = delete;
    StageMark& operator=(const StageMark&) = delete;

  private:
    StageCell& cell_;
    std::uint8_t before_;
};

}  // namespace seine::pipeline
