// The byte ring in a file: what the dataplane hands to its one reader, surviving the end of either.
// Its writer.
#pragma once
#include <memory>
#include <string>

#include "dataplane/base/status.h"
#include "dataplane/export/ring_layout.h"

namespace seine::exporting {

struct RingMap;  // the mapped file; ring_map.h

struct RingWriterConfig {
    std::string path;
    std::size_t data_bytes = std::size_t{64} << 20;  // rounded up to a power of two
    std::uint16_t dataplane_id = 0;
    std::uint32_t epoch = 0;  // wanted; a ring that is carried on raises it past its own
    bool touch_all = true;    // every page before the first record; false: the start must be quick
};

// What a writer found at its path.
struct RingFound {
    bool carried_on = false;          // a ring was there; its unread frames stay readable
    bool closed_well = false;         // its last writer ended by close()
    std::uint64_t unread_frames = 0;  // in the ring, for the reader to have
    std::uint64_t unread_bytes = 0;
    // Records that the last writer's workers had made and that never got here: what its end lost.
    // Known where it kept records_made; now part of dropped_before_ring.
    std::uint64_t lost_in_flight = 0;
    std::string set_aside;  // where a ring that could not be carried on was moved, else empty
};

// The dataplane's end. One thread. Never waits: a frame without room is lost and counted.
class RingWriter {
  public:
    // Fails when the path holds something that is no ring, when another writer has it, or when
    // there is no space for all of it (it is reserved at once). A ring of another version, of
    // another size or with a damaged header is moved to PATH.old and told in found().
    static Result<std::unique_ptr<RingWriter>> open(const RingWriterConfig& config);
    ~RingWriter();
    RingWriter(const RingWriter&) = delete;
    RingWriter& operator=(const RingWriter&) = delete;

    // False when the frame was lost; the counters of `worker` say why.
    bool write(ByteView frame, unsigned worker) noexcept;
    // For counts that are kept elsewhere (dropped_before_ring, records_made): `value` is what that
    // worker counts since this writer's start.
    void set_counter(unsigned worker, RingCounter counter, std::uint64_t value) noexcept;
    // One more of what is counted elsewhere.
    void count(unsigned worker, RingCounter counter) noexcept;
    // Where the records a worker makes may be counted as they are made (records_made, in the mapped file),
    // so that a kill at any instant leaves an exact account; nullptr past kRingWorkersMax. By one thread
    // at a time, as long as this writer lives.
    [[nodiscard]] std::uint64_t* made_count(unsigned worker) noexcept;
    [[nodiscard]] std::uint64_t counter(unsigned worker, RingCounter counter) const noexcept;
    [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
    [[nodiscard]] const RingFound& found() const noexcept { return found_; }
    [[nodiscard]] std::uint64_t unread_bytes() const noexcept;
    // A clean end; the file stays for the reader. What was made and did not come is counted as
    // dropped_before_ring.
    void close() noexcept;

  private:
    RingWriter(std::unique_ptr<RingMap> map, RingFound found) noexcept;
    void begin(const RingWriterConfig& config) noexcept;
    std::uint64_t settle_in_flight() noexcept;

    std::unique_ptr<RingMap> map_;
    RingFound found_;
    std::uint64_t counters_before_[kRingWorkersMax][kRingCounterCount] = {};
    std::uint64_t head_ = 0;
    std::uint64_t tail_seen_ = 0;
    std::uint64_t sequence_ = 0;
    std::uint32_t epoch_ = 0;
};

}  // namespace seine::exporting
