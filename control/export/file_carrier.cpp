// A file with one message a line (IPFIX: RFC 5655), rotated by size; other programs may rotate it
// too, after which reopen() starts a new one.
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/export/carrier.h"
#include "control/export/ipfix.h"
#include "control/export/stream.h"

namespace seine::siem {
namespace {

class FileCarrier final : public Carrier {
  public:
    FileCarrier(std::string path, std::uint64_t rotate_bytes, unsigned keep)
        : path_(std::move(path)), rotate_bytes_(rotate_bytes), keep_(keep) {}
    ~FileCarrier() override { close_file(); }
    FileCarrier(const FileCarrier&) = delete;
    FileCarrier& operator=(const FileCarrier&) = delete;

    [[nodiscard]] bool acknowledges() const noexcept override { return true; }
    [[nodiscard]] std::size_t batch_messages() const noexcept override { return 4096; }
    void reopen() override { close_file(); }

    Delivery deliver(std::span<const std::string_view> messages,
                     const std::atomic<bool>& stop) override {
        static_cast<void>(stop);
        Delivery delivery;
        delivery.status = open_file();
        if (!delivery.status.ok()) return delivery;
        buffer_.clear();
        for (const std::string_view message : messages) {
            buffer_ += message;
            buffer_.push_back('\n');
        }
        std::size_t written = 0;
        while (written < buffer_.size()) {
            const ssize_t count = ::write(fd_, buffer_.data() + written, buffer_.size() - written);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) {
                delivery.status = failed(path_ + ": cannot be written: " + std::strerror(errno) +
                                         (errno == ENOSPC ? "; make room on the disk" : ""));
                // A line that is half there is taken back, so that the next try does not double a
                // part.
                const int taken_back = ::ftruncate(fd_, static_cast<off_t>(bytes_));
                static_cast<void>(taken_back);
                return delivery;
            }
            written += static_cast<std::size_t>(count);
        }
        bytes_ += written;
        delivery.accepted = messages.size();
        if (rotate_bytes_ > 0 && bytes_ >= rotate_bytes_) rotate();
        return delivery;
    }

  private:
    Status open_file() {
        if (fd_ >= 0) return {};
        fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        struct stat about {};
        if (fd_ < 0 || ::fstat(fd_, &about) != 0) {
            const int error = errno;
            close_file();
            return failed(path_ + ": cannot be opened: " + std::strerror(error) +
                          "; the folder must exist and be writable for this user");
        }
        bytes_ = static_cast<std::uint64_t>(about.st_size);
        return drop_half_line();
    }
    // A kill in the middle of a write leaves half a line, whose messages come again.
    Status drop_half_line() {
        if (bytes_ == 0) return {};
        const int in = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
        if (in < 0) return {};  // a pipe or a device
        char last = '\n';
        std::uint64_t at = bytes_;
        while (at > 0 && ::pread(in, &last, 1, static_cast<off_t>(at - 1)) == 1 && last != '\n' &&
               bytes_ - at < 70'000)
            --at;
        ::close(in);
        if (at < bytes_ && ::ftruncate(fd_, static_cast<off_t>(at)) == 0) bytes_ = at;
        return {};
    }
    void close_file() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    void rotate() {
        close_file();
        if (keep_ == 0) {
            static_cast<void>(::truncate(path_.c_str(), 0));
            return;
        }
        for (unsigned i = keep_; i > 1; --i)
            static_cast<void>(std::rename((path_ + "." + std::to_string(i - 1)).c_str(),
                                          (path_ + "." + std::to_string(i)).c_str()));
        static_cast<void>(std::rename(path_.c_str(), (path_ + ".1").c_str()));
    }

    std::string path_;
    std::uint64_t rotate_bytes_;
    unsigned keep_;
    int fd_ = -1;
    std::uint64_t bytes_ = 0;
    std::string buffer_;
};

}  // namespace

Result<std::unique_ptr<Carrier>> make_file_carrier(const CarrierSettings& settings) {
    if (settings.path.empty() || settings.path.front() != '/')
        return failed("export " + settings.name + ": file needs `path`, from the root");
    return std::unique_ptr<Carrier>(
        std::make_unique<FileCarrier>(settings.path, settings.rotate_bytes, settings.rotate_keep));
}

}  // namespace seine::siem
