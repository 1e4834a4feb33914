// The ring file as memory: its header as laid down, opened, locked and checked. For both of its
// ends.
#pragma once
#include <atomic>
#include <string>

#include "dataplane/base/status.h"
#include "dataplane/export/ring_layout.h"

namespace seine::exporting {

inline constexpr std::size_t kRingEntryHeaderBytes = 16;
inline constexpr std::uint32_t kRingWrap = 0xffffffff;

struct RingHeader {
    std::uint64_t magic;
    std::uint32_t version;
    std::uint32_t header_bytes;
    std::uint64_t data_bytes;
    std::uint16_t dataplane_id;
    std::uint16_t contract_version;
    std::uint32_t epoch;
    std::uint32_t state;
    std::uint8_t unused_0[28];

    alignas(64) std::uint64_t head;
    std::uint64_t next_sequence;

    alignas(64) std::uint32_t current;
    struct alignas(64) Slot {
        std::uint64_t tail;
        std::uint64_t expected;
        std::uint64_t read;
        std::uint64_t lost;
    } slots[2];

    alignas(4096) std::uint64_t counters[kRingWorkersMax][8];
};
static_assert(sizeof(RingHeader) == kRingHeaderBytes && offsetof(RingHeader, head) == 64 &&
              offsetof(RingHeader, current) == 128 && offsetof(RingHeader, slots) == 192 &&
              offsetof(RingHeader, counters) == 4096 && kRingCounterCount <= 8);
inline constexpr std::uint32_t kRingOpen = 1;
inline constexpr std::uint32_t kRingClosed = 2;

// Shared words, read and written whole.
template <typename T>
T shared_load(T& word) noexcept {
    return std::atomic_ref<T>(word).load(std::memory_order_acquire);
}
template <typename T>
void shared_store(T& word, T value) noexcept {
    std::atomic_ref<T>(word).store(value, std::memory_order_release);
}

struct RingMap {
    int fd = -1;
    RingHeader* header = nullptr;
    std::uint8_t* data = nullptr;
    std::uint64_t data_bytes = 0;

    RingMap() = default;
    ~RingMap();
    RingMap(const RingMap&) = delete;
    RingMap& operator=(const RingMap&) = delete;

    [[nodiscard]] RingHeader::Slot& slot() const noexcept {
        return header->slots[shared_load(header->current) & 1];
    }
    [[nodiscard]] std::uint64_t offset(std::uint64_t position) const noexcept {
        return position & (data_bytes - 1);
    }
};

// One process writes and one reads; the lock goes with its holder, kill -9 included.
enum class RingRole : int { writer = 0, reader = 1 };
bool lock_ring(int fd, RingRole role) noexcept;

// What is wrong with a header of the right magic, or empty; a ring of `file_bytes`.
std::string header_fault(const RingHeader& header, std::uint64_t file_bytes);

// Maps header and data of a checked file. False with errno set when the system refuses.
bool map_ring(RingMap& map, std::uint64_t data_bytes, bool writable, bool populate) noexcept;

// One step over the entries between `position` and `head`.
// ok: `out` and `entry_bytes` are set; `wrap` says the entry is only the jump to the front.
// need_more: position is head. malformed: lengths that do not fit the ring.
struct RingStep {
    RingEntry entry;
    std::uint64_t entry_bytes = 0;
    bool wrap = false;
};
Parse step_ring(const RingMap& map, std::uint64_t position, std::uint64_t head,
                RingStep& out) noexcept;

}  // namespace seine::exporting
