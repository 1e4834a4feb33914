// The byte ring in a file: what the dataplane hands to its one reader, surviving the end of either.
//
//      0  u64 magic "SEINERNG"       64  u64 head           writer's cache line
//      8  u32 layout version 1       72  u64 next_sequence
//     12  u32 header_bytes 8192     128  u32 current        reader's cache lines: which slot holds
//     16  u64 data_bytes            192  slot[2], 64 bytes each: u64 tail, expected, read, lost
//     24  u16 dataplane id         4096  u64 counters[64 workers][8]
//     26  u16 contract version     8192  data
//     28  u32 epoch
//     32  u32 state (1 open, 2 closed)
//
// Entry, at a multiple of 64 bytes: u32 entry_bytes (64 n), u32 frame_bytes (0xffffffff: the next entry is at
// the front), u64 sequence, the frame. Positions only grow; the place is position modulo data_bytes.
//
// Every frame offered takes the next sequence, whether it finds room or not: a reader that expects e and finds
// s has lost exactly s - e. Bytes are written before head, and the reader commits by filling the spare slot and
// then naming it, so a process that is killed at any instant leaves a ring that reads on.
#pragma once
#include <atomic>
#include <memory>
#include <string>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"

namespace seine::exporting {

inline constexpr std::uint64_t kRingMagic = 0x474e52454e494553;
inline constexpr std::uint32_t kRingVersion = 1;
inline constexpr std::size_t kRingHeaderBytes = 8192;
inline constexpr std::size_t kRingWorkersMax = 64;
inline constexpr std::size_t kRingDataBytesMin = 64 * 1024;

// X(name, meaning): what the shared header counts for each worker; at most 8.
#define SEINE_RING_COUNTERS(X)                                                              \
    X(frames_written, "frames put into the ring")                                           \
    X(bytes_written, "bytes of those frames")                                               \
    X(dropped_ring_full, "frames lost because the reader left no room")                     \
    X(dropped_too_long, "frames lost because they pass 4 KiB")                              \
    X(dropped_before_ring, "records lost between the worker and this ring")

enum class RingCounter : std::uint8_t {
#define SEINE_X(name, meaning) name,
    SEINE_RING_COUNTERS(SEINE_X)
#undef SEINE_X
        count_
};
inline constexpr std::size_t kRingCounterCount = static_cast<std::size_t>(RingCounter::count_);
std::string_view name_of(RingCounter counter) noexcept;

struct RingWriterConfig {
    std::string path;
    std::size_t data_bytes = std::size_t{64} << 20;  // rounded up to a power of two
    std::uint16_t dataplane_id = 0;
    std::uint32_t epoch = 0;  // wanted; a ring that is carried on raises it past its own
};

// What a writer found at its path.
struct RingFound {
    bool carried_on = false;          // a ring was there; its unread frames stay readable
    bool closed_well = false;         // its last writer ended by close()
    std::uint64_t unread_frames = 0;  // offered before and neither read nor known to be lost
    std::uint64_t unread_bytes = 0;
    std::string set_aside;            // where a ring that could not be carried on was moved, else empty
};

// The dataplane's end. One thread. Never waits: a frame without room is lost and counted.
class RingWriter {
  public:
    // Fails when the path holds something that is no ring, when another writer has it, or when there is no
    // space for all of it (it is reserved at once). A ring of another version, of another size or with a
    // damaged header is moved to PATH.old and told in found().
    static Result<std::unique_ptr<RingWriter>> open(const RingWriterConfig& config);
    ~RingWriter();
    RingWriter(const RingWriter&) = delete;
    RingWriter& operator=(const RingWriter&) = delete;

    // False when the frame was lost; the counters of `worker` say why.
    bool write(ByteView frame, unsigned worker) noexcept;
    // For counts that are kept elsewhere (dropped_before_ring).
    void set_counter(unsigned worker, RingCounter counter, std::uint64_t value) noexcept;
    [[nodiscard]] std::uint64_t counter(unsigned worker, RingCounter counter) const noexcept;
    [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
    [[nodiscard]] const RingFound& found() const noexcept { return found_; }
    [[nodiscard]] std::uint64_t unread_bytes() const noexcept;
    // A clean end; the file stays for the reader.
    void close() noexcept;

  private:
    struct Map;
    explicit RingWriter(std::unique_ptr<Map> map) noexcept;
    void begin(const RingWriterConfig& config) noexcept;

    std::unique_ptr<Map> map_;
    RingFound found_;
    std::uint64_t head_ = 0;
    std::uint64_t tail_seen_ = 0;
    std::uint64_t sequence_ = 0;
    std::uint32_t epoch_ = 0;
};

struct RingEntry {
    std::uint64_t sequence = 0;
    ByteView frame;  // borrowed until commit()
};

// What a reader has had in this ring's life, over restarts.
struct RingTotals {
    std::uint64_t read = 0;
    std::uint64_t lost = 0;
};

// Control's end. One thread, one process. Frames are had at least once: what was read but not committed when
// the process died comes again, with the same sequence.
class RingReader {
  public:
    // Fails with a message that says what to do: no such file, another reader, another version, a damaged
    // header.
    static Result<std::unique_ptr<RingReader>> open(const std::string& path);
    // Reads a ring without moving its tail and beside its reader (seine-records). What the writer overtakes
    // while it is read is told as malformed.
    static Result<std::unique_ptr<RingReader>> open_to_look(const std::string& path);
    ~RingReader();
    RingReader(const RingReader&) = delete;
    RingReader& operator=(const RingReader&) = delete;

    // ok:        the next entry. need_more: none there now. malformed: the ring is damaged from here on;
    //            skip_damage() goes on with what the writer puts in from now.
    Parse next(RingEntry& out) noexcept;
    // Everything that next() has given is done with: the writer may have its room. Survives kill -9 whole.
    void commit() noexcept;
    // Steps over everything unread and counts it as lost.
    void skip_damage() noexcept;

    [[nodiscard]] RingTotals totals() const noexcept;
    // Frames that were offered after the last entry had and are lost for sure, as long as next() says
    // need_more: the writer's newest drops, which no later entry shows yet.
    [[nodiscard]] std::uint64_t lost_at_end() const noexcept;
    [[nodiscard]] std::uint64_t counter(unsigned worker, RingCounter counter) const noexcept;
    [[nodiscard]] std::uint32_t epoch() const noexcept;
    [[nodiscard]] std::uint16_t dataplane_id() const noexcept;
    // The writer ended by close().
    [[nodiscard]] bool closed() const noexcept;

  private:
    struct Map;
    explicit RingReader(std::unique_ptr<Map> map) noexcept;

    std::unique_ptr<Map> map_;
    std::uint64_t position_ = 0;
    std::uint64_t expected_ = 0;
    RingTotals totals_;
};

}  // namespace seine::exporting
