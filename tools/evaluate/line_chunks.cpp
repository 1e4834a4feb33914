#include "tools/evaluate/line_chunks.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace seine::evaluate {
namespace {
constexpr std::size_t kPaddingBytes = 256;  // simdjson reads up to 64 bytes past the text
}

LineChunks::LineChunks(LineChunks&& other) noexcept { *this = std::move(other); }

LineChunks& LineChunks::operator=(LineChunks&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(file_, other.file_);
    std::swap(ended_, other.ended_);
    std::swap(buffer_, other.buffer_);
    std::swap(filled_, other.filled_);
    std::swap(given_, other.given_);
    std::swap(first_line_, other.first_line_);
    return *this;
}

LineChunks::~LineChunks() {
    if (file_ >= 0) ::close(file_);
}

Result<LineChunks> LineChunks::open(const std::string& path) {
    LineChunks out;
    out.path_ = path;
    out.file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (out.file_ < 0) return failed(path + ": cannot be opened: " + std::strerror(errno));
    out.buffer_.resize(2 * kChunkBytes + kPaddingBytes);
    return out;
}

Status LineChunks::next(const char*& data, std::size_t& bytes, std::size_t& capacity) {
    first_line_ += static_cast<std::uint64_t>(
        std::count(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(given_), '\n'));
    std::memmove(buffer_.data(), buffer_.data() + given_, filled_ - given_);
    filled_ -= given_;
    given_ = 0;
    for (;;) {
        while (!ended_ && filled_ < kChunkBytes) {
            const ssize_t n =
                ::read(file_, buffer_.data() + filled_, buffer_.size() - kPaddingBytes - filled_);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failed(path_ + ": cannot be read: " + std::strerror(errno));
            ended_ = n == 0;
            filled_ += static_cast<std::size_t>(n);
        }
        std::size_t end = filled_;
        while (end > 0 && buffer_[end - 1] != '\n') --end;
        if (end == 0 && ended_) end = filled_;  // the last line has no newline
        if (end > 0 || ended_) {
            given_ = end;
            data = buffer_.data();
            bytes = end;
            capacity = buffer_.size();
            return {};
        }
        if (buffer_.size() > kLineBytesMax)
            return failed(path_ + ":" + std::to_string(first_line_) +
                          ": a line longer than 16 MiB");
        buffer_.resize(2 * buffer_.size());
        const ssize_t n =
            ::read(file_, buffer_.data() + filled_, buffer_.size() - kPaddingBytes - filled_);
        if (n < 0 && errno != EINTR)
            return failed(path_ + ": cannot be read: " + std::strerror(errno));
        if (n == 0) ended_ = true;
        if (n > 0) filled_ += static_cast<std::size_t>(n);
    }
}

}  // namespace seine::evaluate
