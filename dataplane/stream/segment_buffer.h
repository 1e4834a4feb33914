// Bounded out-of-order byte collector: TCP, QUIC CRYPTO and DTLS fragments become contiguous bytes.
#pragma once
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "dataplane/base/bytes.h"
#include "dataplane/stream/buffer_pool.h"

namespace seine::stream {

// What became of one piece: enumerator (also its name) and meaning. The last three are reasons to give up:
// nothing of the piece was kept, what was held before is untouched.
#define SEINE_ADDED(X)                                                         \
    X(ready, "bytes stand at the base")                                        \
    X(waiting, "kept; a gap stands before it")                                 \
    X(duplicate, "all its bytes are held already")                             \
    X(below_base, "all its bytes are consumed or skipped already")             \
    X(empty, "no bytes")                                                       \
    X(limit_bytes, "it ends further from the base than may be held")           \
    X(limit_segments, "too many disjoint runs")                                \
    X(pool_exhausted, "no slab left")

enum class [[nodiscard]] Added : std::uint8_t {
#define SEINE_X(id, meaning) id,
    SEINE_ADDED(SEINE_X)
#undef SEINE_X
};
[[nodiscard]] std::string_view added_name(Added added) noexcept;
[[nodiscard]] constexpr bool gave_up(Added added) noexcept { return added >= Added::limit_bytes; }

// The answer to one piece. `ready` are the contiguous bytes at the base: a view of the piece itself when
// nothing was held and it begins at (or before) the base, else of the slab; it lives until the next call
// on the buffer, and if `borrowed` only as long as the frame. Every delivery, whatever it says, goes back
// through finish() before the frame dies; what finish() is not told to use is copied then.
struct Delivery {
    ByteView ready;
    Added added = Added::empty;
    bool borrowed = false;
    bool conflict = false;  // differs from bytes received first, which stay
    bool overlap = false;   // part of it was held or consumed already
};

//      consumed / skipped          held run          held run
//  ----------------------------|##############|....|##########|.......>  offset
//                              base           gap
//
// 64 bytes of state, trivially copyable; a slab only while bytes are held. Not a resource by itself:
// clear() gives the slabs back and must be called before the state is dropped. Time and bytes a call are
// bounded: one search over the runs, one copy of the piece, and a move of held bytes that is paid for by
// bytes consumed or by doubling.
class SegmentBuffer {
  public:
    explicit SegmentBuffer(std::uint64_t base = 0) noexcept : base_(base) {}

    // Bytes `offset` to `offset + bytes.size()` have arrived. First received wins. Pieces that begin
    // past the base are copied at once.
    Delivery add(const Room& room, std::uint64_t offset, ByteView bytes) noexcept;
    // Ends a delivery: the first `used` bytes of delivery.ready are done with. `used` may be larger than
    // what is ready: the bytes up to there are skipped, need not arrive and are dropped when they do.
    // Answers `ready` when after a skip bytes stand at the base again (see ready()), `waiting` when some
    // are kept, `empty` when none are; pool_exhausted when the rest could not be kept: the stream is broken.
    Added finish(const Room& room, const Delivery& delivery, std::uint64_t used) noexcept;

    // Contiguous bytes held at the base; empty when none. Borrowed until the next call.
    [[nodiscard]] ByteView ready(const Room& room) const noexcept;
    // Moves the base over `count` bytes, held or not (up to 2^63).
    void consume(const Room& room, std::uint64_t count) noexcept;
    // Moves the base down to `offset`, for bytes that precede the first one seen. False, and nothing
    // changed, once anything was consumed, or when the window or the pool does not allow it.
    [[nodiscard]] bool rebase(const Room& room, std::uint64_t offset) noexcept;
    // Gives up the gap at the base: moves it to the first byte held. The bytes given up; 0 if none held.
    std::uint64_t skip_gap(const Room& room) noexcept;
    // Gives every slab back; the base stays.
    void clear(const Room& room) noexcept;

    [[nodiscard]] std::uint64_t base() const noexcept { return base_; }
    [[nodiscard]] std::uint32_t held_bytes() const noexcept { return held_; }
    [[nodiscard]] std::uint32_t segment_count() const noexcept { return count_; }
    // End of the contiguous bytes at the base.
    [[nodiscard]] std::uint64_t contiguous_end(const Room& room) const noexcept {
        return base_ + ready(room).size();
    }
    // End of the highest run held; the base when nothing is.
    [[nodiscard]] std::uint64_t highest_end(const Room& room) const noexcept;
    // True when bytes are held that a gap keeps from being read.
    [[nodiscard]] bool gap() const noexcept { return count_ > 0 && !first_is_ready_; }
    [[nodiscard]] bool consumed_any() const noexcept { return consumed_; }

  private:
    // Positions in the slab; run [begin, end).
    struct Run {
        std::uint32_t begin;
        std::uint32_t end;
    };
    static constexpr std::uint32_t kRunsInline = 4;

    std::uint64_t base_;
    Slab data_;
    Slab table_;                 // runs, when there are more than kRunsInline
    std::uint32_t head_ = 0;     // position of the base in the slab
    std::uint32_t held_ = 0;     // sum of the runs
    std::uint16_t count_ = 0;
    bool first_is_ready_ = false;
    bool consumed_ = false;
    Run inline_[kRunsInline] = {};

    // Runs that a piece [begin, end) touches or meets: indices [first, last).
    struct Touched {
        std::uint32_t first;
        std::uint32_t last;
    };

    Run* runs(const Room& room) noexcept;
    const Run* runs(const Room& room) const noexcept;
    Touched touched(const Room& room, std::uint32_t begin, std::uint32_t end) const noexcept;
    Added keep(const Room& room, std::uint64_t offset, ByteView bytes, Delivery& out) noexcept;
    void merge(const Room& room, Touched touched, std::uint32_t begin, ByteView bytes,
               Delivery& out) noexcept;
    bool reserve(const Room& room, std::uint32_t window) noexcept;
    void move_to(const Room& room, Slab target, std::uint32_t head) noexcept;
    bool ensure_runs(const Room& room, std::uint32_t count) noexcept;
    void refresh(const Room& room) noexcept;
};
static_assert(sizeof(SegmentBuffer) <= 64);
static_assert(std::is_trivially_copyable_v<SegmentBuffer>);

}  // namespace seine::stream
