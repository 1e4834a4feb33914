// Layout of the ring file, and what both of its ends count.
//
//      0  u64 magic "SEINERNG"       64  u64 head           writer's cache line
//      8  u32 layout version 1       72  u64 next_sequence
//     12  u32 header_bytes 8192     128  u32 current        reader's cache lines: which slot holds
//     16  u64 data_bytes            192  slot[2], 64 bytes each: u64 tail, expected, read, lost
//     24  u16 dataplane id         4096  u64 counters[64 workers][8]
//     26  u16 contract version     8192  data
//     28  u32 epoch
//     32  u32 state (1 open, 2 closed by its writer)
//
// Entry, at a multiple of 64 bytes: u32 entry_bytes (64 n), u32 frame_bytes (0xffffffff: the next
// entry is at the front), u64 sequence, the frame. Positions only grow; the place is position
// modulo data_bytes.
//
// Every frame offered takes the next sequence, whether it finds room or not: a reader that expects
// e and finds s has lost exactly s - e. Bytes are written before head and head before
// next_sequence; the reader commits by filling the spare slot and then naming it. So a process that
// is killed at any instant leaves a ring that reads on. Counters are sums over the ring's life.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/base/bytes.h"

namespace seine::exporting {

inline constexpr std::uint64_t kRingMagic = 0x474e52454e494553;
inline constexpr std::uint32_t kRingVersion = 1;
inline constexpr std::size_t kRingHeaderBytes = 8192;
inline constexpr std::size_t kRingWorkersMax = 64;
inline constexpr std::size_t kRingDataBytesMin = 64 * 1024;

// X(name, meaning): what the shared header counts for each worker; at most 8.
#define SEINE_RING_COUNTERS(X)                                              \
    X(frames_written, "frames put into the ring")                           \
    X(bytes_written, "bytes of those frames")                               \
    X(dropped_ring_full, "frames lost because the reader left no room")     \
    X(dropped_too_long, "frames lost because they pass 4 KiB")              \
    X(dropped_before_ring, "records lost between the worker and this ring") \
    X(records_made, "records the worker wrote by its own count, kept or not") \
    X(frames_to_alerts, "of those, findings: they go into the ring beside this one")

enum class RingCounter : std::uint8_t {
#define SEINE_X(name, meaning) name,
    SEINE_RING_COUNTERS(SEINE_X)
#undef SEINE_X
        count_
};
inline constexpr std::size_t kRingCounterCount = static_cast<std::size_t>(RingCounter::count_);
inline constexpr std::string_view kRingCounterNames[] = {
#define SEINE_X(name, meaning) #name,
    SEINE_RING_COUNTERS(SEINE_X)
#undef SEINE_X
};

struct RingEntry {
    std::uint64_t sequence = 0;
    ByteView frame;  // borrowed until commit()
};

}  // namespace seine::exporting
