// The reader's end of a ring file: control's, and that of seine-records, which only looks.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/status.h"
#include "dataplane/export/ring_layout.h"

namespace seine::exporting {

struct RingMap;  // the mapped file; ring_map.h

// What readers have had in this ring's life, over restarts; for a looker, what it has had itself.
struct RingTotals {
    std::uint64_t read = 0;
    std::uint64_t lost = 0;
};

// Control's end. One thread, one process. Frames are had at least once: what was read but not
// committed when the process died comes again, with the same sequence.
class RingReader {
  public:
    // Fails with a message that says what to do: no such file, another reader, another version, a
    // damaged header.
    static Result<std::unique_ptr<RingReader>> open(const std::string& path);
    // Reads a ring without moving its tail and beside its reader (seine-records). What the writer
    // overtakes while it is read is told as malformed.
    static Result<std::unique_ptr<RingReader>> open_to_look(const std::string& path);
    ~RingReader();
    RingReader(const RingReader&) = delete;
    RingReader& operator=(const RingReader&) = delete;

    // ok:        the next entry. need_more: none there now. malformed: the ring is damaged from
    // here on;
    //            skip_damage() goes on with what the writer puts in from now.
    Parse next(RingEntry& out) noexcept;
    // Everything that next() has given is done with: the writer may have its room. Survives kill -9
    // whole.
    void commit() noexcept { commit(mark()); }
    // How far next() has come, to be committed later while reading goes on.
    struct Mark {
        std::uint64_t position = 0;
        std::uint64_t expected = 0;
        RingTotals totals;
    };
    [[nodiscard]] Mark mark() const noexcept { return {position_, expected_, totals_}; }
    void commit(const Mark& mark) noexcept;
    // Steps over everything unread and counts it as lost. Lets go of nothing: what was read before
    // and is not committed comes again after a kill, and so does the damage.
    void skip_damage() noexcept;

    [[nodiscard]] RingTotals totals() const noexcept;
    // Frames that were offered after the last entry had and are lost for sure, as long as next()
    // says need_more: the writer's newest drops, which no later entry shows yet.
    [[nodiscard]] std::uint64_t lost_at_end() const noexcept;
    [[nodiscard]] std::uint64_t counter(unsigned worker, RingCounter counter) const noexcept;
    [[nodiscard]] std::uint32_t epoch() const noexcept;
    [[nodiscard]] std::uint16_t dataplane_id() const noexcept;
    // Names the file, so that a place in it is not taken for one in a file that came after it.
    [[nodiscard]] std::uint64_t file_id() const noexcept;
    // Share of the ring that is not free for the writer: unread, or read and not committed.
    [[nodiscard]] double fill() const noexcept;
    // The writer ended by close().
    [[nodiscard]] bool closed() const noexcept;
    // Another file stands at the path now: nothing will follow here, open() again.
    [[nodiscard]] bool replaced() const noexcept;

  private:
    RingReader(std::unique_ptr<RingMap> map, std::string path, bool look);
    static Result<std::unique_ptr<RingReader>> open(const std::string& path, bool look);
    Parse entry_at(std::uint64_t head, RingEntry& out) noexcept;

    std::unique_ptr<RingMap> map_;
    std::string path_;
    bool look_;
    std::vector<std::uint8_t> copy_;  // of a looker, whose entry may be overwritten any time
    std::uint64_t position_ = 0;
    std::uint64_t expected_ = 0;
    std::uint64_t head_seen_ = 0;  // of the writer, when it was looked at last
    std::uint64_t next_seen_ = 0;  // likewise its next sequence
    RingTotals totals_;
};

}  // namespace seine::exporting
