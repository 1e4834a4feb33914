// One ring of a dataplane, read exactly once over restarts of either side.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "dataplane/contract/frame.h"
#include "dataplane/export/ring_reader.h"

namespace seine::dataplane_link {

// Where reading stood when what was read was last stored. Kept in the same transaction as that.
struct RingPlace {
    std::uint64_t file_id = 0;
    std::uint32_t epoch = 0;     // of the ring
    std::uint64_t sequence = 0;  // of the last entry that is stored, if any is
    bool any = false;
    std::uint64_t lost = 0;  // how many lost ones of this file were told
    bool known = false;
};
std::string to_text(const RingPlace& place);
RingPlace place_from(const std::string& text);

// Sums over the life of the place: they go on from what was kept.
struct RingCounters {
    std::uint64_t records = 0;
    std::uint64_t repeated = 0;       // had been stored before a restart; left out
    std::uint64_t lost = 0;           // the ring's own count: offered by the dataplane, never had here
    std::uint64_t damaged = 0;        // times that reading had to skip over damage
    std::uint64_t malformed = 0;      // frames that do not decode
    std::uint64_t unknown = 0;        // frames of a kind this release does not know
    std::uint64_t replaced = 0;       // times that another file stood at the path
};

// The reader's protocol: next() until it says no; when all that it gave is stored, stored(). What
// is not stored when the process dies comes again at the next start, and what was stored but not
// yet told to the ring is known by its place and left out. One thread.
class RingSource {
  public:
    explicit RingSource(std::string path) : path_(std::move(path)) {}

    // The place that the store has; before the first next().
    void begin_at(const RingPlace& place) { stored_ = place; }

    // The next record, borrowed until stored(). False when there is none now. Opens the ring when
    // it is there and not open, and again when another file stands at its path.
    bool next(contract::RecordView& out);
    // Bytes of the record that next() gave last.
    [[nodiscard]] ByteView frame() const noexcept { return frame_; }
    // Records lost that were not told yet, over restarts: each of them once, where what was told is
    // stored with the place. Of a ring with damage in it, killed after the store had a batch and before
    // the ring was told: what lay behind the damage counts as lost, though it is stored.
    std::uint64_t take_lost() noexcept;
    // Something that was read is not stored yet, or damage was stepped over: a commit is owed, even
    // if none of it was new. Without it a full ring would stay so.
    [[nodiscard]] bool owes() const noexcept { return reader_ != nullptr && reader_->mark().position != stored_position_; }
    // Where to begin when all that next() gave is stored.
    [[nodiscard]] RingPlace place() const noexcept { return read_; }
    // How far next() has come: what is being stored while reading goes on.
    struct Mark {
        std::uint64_t reading = 0;  // 0: no ring was open
        RingPlace place;
        exporting::RingReader::Mark reader;
    };
    [[nodiscard]] Mark mark() const noexcept;
    // Everything that next() had given by then is stored.
    void stored(const Mark& mark);
    // Everything that next() gave is stored.
    void stored() { stored(mark()); }

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] bool is_open() const noexcept { return reader_ != nullptr; }
    // Why it is not open, or what is wrong with it; empty: nothing.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
    [[nodiscard]] RingCounters counters() const noexcept;
    [[nodiscard]] double fill() const noexcept { return reader_ == nullptr ? 0 : reader_->fill(); }
    [[nodiscard]] const exporting::RingReader* reader() const noexcept { return reader_.get(); }

  private:
    bool open();
    [[nodiscard]] std::uint64_t lost() const noexcept;  // of the open ring's life
    [[nodiscard]] bool was_stored(std::uint64_t sequence) const noexcept;

    std::string path_;
    std::unique_ptr<exporting::RingReader> reader_;
    std::string problem_;
    ByteView frame_;
    RingPlace stored_;
    RingPlace read_;
    RingCounters counters_;
    std::uint64_t stored_position_ = 0;  // in the ring that is open
    std::uint64_t lost_untold_ = 0;      // of a file that is gone
    std::uint64_t lost_of_earlier_files_ = 0;
    std::uint64_t reading_ = 0;  // rises with each ring that is opened
    unsigned until_retry_ = 0;
};

}  // namespace seine::dataplane_link
