// One file of an outbox: messages one after another in a file whose space is taken beforehand.
//
//   0  u64 magic            "SNOUTBX1"
//   8  u32 version          2; 1 has another check
//  12  u32 lane
//  16  u64 number           rises by one a file
//  24  u64 acknowledged     offset of the first message that is not
//  64  messages             u32 bytes, u32 check, u64 time in ns, the message, padding to 8
//
// Little endian. The check is over time and message, seeded with the place, so a torn or stale end
// reads as the end. The file is mapped, so what was written survives a kill of the process.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"

namespace seine::siem {

enum class Lane : std::uint32_t { findings = 0, flows = 1 };

class Segment {
  public:
    static constexpr std::size_t kHeaderBytes = 64;
    static constexpr std::size_t kEntryBytes = 16;

    // Code::full when the disk is.
    static Result<std::shared_ptr<Segment>> create(const std::string& path, std::uint32_t lane,
                                                   std::uint64_t number, std::size_t bytes);
    // Reads a file that an earlier process left; messages up to the first that does not check are
    // kept.
    static Result<std::shared_ptr<Segment>> open(const std::string& path);
    // Makes the file of an acknowledged segment an empty one of another name and number: its pages
    // are in memory and its space is taken. What stands in it still no longer checks.
    Status begin_again(const std::string& path, std::uint64_t number);
    ~Segment();
    Segment(const Segment&) = delete;
    Segment& operator=(const Segment&) = delete;

    // False when it has no room.
    bool append(std::string_view message, std::int64_t time_ns) noexcept;
    // The message at `offset`; false at the end. `next` is the offset after it.
    bool read(std::size_t offset, std::string_view& message, std::int64_t& time_ns,
              std::size_t& next) const noexcept;
    void acknowledge_to(std::size_t offset, std::uint64_t messages) noexcept;
    // Takes acknowledgements back to the first message that is not older than `since_ns`; how many.
    std::uint64_t rewind(std::int64_t since_ns) noexcept;
    void unlink() noexcept;
    // To the disk, for which it is marked before: whoever appends need not wait. False: nothing was
    // appended since the last time.
    bool mark_for_sync() noexcept;
    void sync() noexcept;

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::size_t written() const noexcept { return written_; }
    [[nodiscard]] std::size_t acknowledged() const noexcept { return acknowledged_; }
    [[nodiscard]] std::uint64_t waiting() const noexcept { return count_ - acknowledged_count_; }
    [[nodiscard]] std::uint64_t waiting_bytes() const noexcept { return written_ - acknowledged_; }
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
    [[nodiscard]] std::uint32_t lane() const noexcept { return lane_; }
    [[nodiscard]] std::int64_t last_time_ns() const noexcept { return last_time_ns_; }
    bool dropped = false;  // shed while a reader still held it

  private:
    Segment() = default;
    Status map(int fd, std::size_t bytes);
    void fill(int fd) noexcept;

    std::string path_;
    std::uint8_t* at_ = nullptr;
    std::size_t bytes_ = 0;
    std::size_t written_ = kHeaderBytes;
    std::size_t acknowledged_ = kHeaderBytes;
    std::size_t marked_ = kHeaderBytes;  // up to where it is or will be on the disk
    std::uint64_t count_ = 0;
    std::uint64_t acknowledged_count_ = 0;
    std::uint64_t number_ = 0;
    std::uint32_t lane_ = 0;
    std::uint32_t version_ = 0;
    std::int64_t last_time_ns_ = 0;
};

}  // namespace seine::siem
