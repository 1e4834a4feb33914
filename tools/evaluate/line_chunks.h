// A file of JSON lines in chunks that end at a line's end, padded as simdjson wants them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::evaluate {

class LineChunks {
  public:
    static constexpr std::size_t kChunkBytes = std::size_t{4} << 20;
    static constexpr std::size_t kLineBytesMax = std::size_t{16} << 20;

    LineChunks() = default;
    LineChunks(LineChunks&&) noexcept;
    LineChunks& operator=(LineChunks&&) noexcept;
    ~LineChunks();
    static Result<LineChunks> open(const std::string& path);

    // The next whole lines; `bytes` is 0 at the end of the file. The view holds until the next
    // call. Fails on a read error and on a line longer than kLineBytesMax.
    Status next(const char*& data, std::size_t& bytes, std::size_t& capacity);
    // Line number that the last chunk began with, from 1.
    [[nodiscard]] std::uint64_t first_line() const { return first_line_; }
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
    int file_ = -1;
    bool ended_ = false;
    std::vector<char> buffer_;
    std::size_t filled_ = 0;  // bytes in the buffer
    std::size_t given_ = 0;   // of them, handed out already
    std::uint64_t first_line_ = 1;
};

}  // namespace seine::evaluate
