// Follows a log file: new lines, rotation by renaming and by truncation, and on from where it stood
// after a restart.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataplane/base/clock.h"
#include "dataplane/base/status.h"

namespace seine::account {

struct TailCounters {
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;
    std::uint64_t too_long = 0;   // lines past 64 KiB: left out
    std::uint64_t rotated = 0;    // another file stands at the path
    std::uint64_t truncated = 0;  // the file was cut: it is shorter than what was read of it, or begins otherwise
    // Times that lines went away unread, as far as is known: files that were rotated away and are not
    // found, or compressed; files that were cut and written past where reading stood.
    std::uint64_t missed = 0;
};

// A file by device and inode, and the end of the last whole line that was given.
struct FileSpot {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t offset = 0;
    std::uint64_t head = 0;  // hash of the file's first bytes: an inode may be used again; 0: not known
};

// Where reading stands, for the store. For a while after a rotation two files are read.
struct TailPlace {
    FileSpot file;
    FileSpot next;
    bool known = false;
    bool next_known = false;
};
std::string to_text(const TailPlace& place);
TailPlace place_from(const std::string& text);

// One thread.
class FileTail {
  public:
    static constexpr std::size_t kLineBytesMax = 64 * 1024;
    // A file that was renamed away is read on for so long: its writer may still have it open.
    static constexpr std::int64_t kDrainNs = 30 * kSecond;

    // `from_start`: without a place a file that is there is read whole; else only what is added.
    FileTail(std::string path, bool from_start) : path_(std::move(path)), from_start_(from_start) {}
    ~FileTail();
    FileTail(const FileTail&) = delete;
    FileTail& operator=(const FileTail&) = delete;

    // Before the first poll().
    void begin_at(const TailPlace& place) { start_ = place; }
    // Calls take(line) for whole lines, without their end, in a buffer that take may write to and
    // that is wiped after; at most about `bytes_max`. True when there was something.
    bool poll(Nanos now, std::size_t bytes_max, const std::function<void(std::string_view)>& take);
    // All lines before it were given.
    [[nodiscard]] TailPlace place() const;
    // Bytes that are there and not read yet.
    [[nodiscard]] std::uint64_t unread() const;
    // Why there is no file to read; empty: there is.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
    [[nodiscard]] const TailCounters& counters() const noexcept { return counters_; }

  private:
    struct Open {
        int fd = -1;
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
        std::uint64_t offset = 0;   // of what was read
        std::uint64_t line_at = 0;  // end of the last whole line
        std::uint64_t head = 0;     // as FileSpot
        bool skipping = false;      // inside a line that is too long
        std::vector<char> buffer;   // from line_at on
    };
    void take_up(const TailPlace& place, Nanos now);
    bool find(const FileSpot& spot, Open& out) const;
    bool open_first();
    bool open_next(Nanos now);
    std::string next_name();
    bool was_cut();
    static bool open_file(const std::string& path, Open& out);
    static FileSpot spot_of(const Open& file);
    bool read_some(Open& file, std::size_t bytes_max,
                   const std::function<void(std::string_view)>& take);
    static void close(Open& file);

    std::string path_;
    bool from_start_;
    bool first_ = true;
    TailPlace start_;
    Open current_;
    Open old_;  // renamed away, its writer perhaps not done
    Nanos old_until_;
    Nanos look_at_;  // next time the path is looked at
    std::string problem_;
    TailCounters counters_;
};

}  // namespace seine::account
