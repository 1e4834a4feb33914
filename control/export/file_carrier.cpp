// A file with one message a line (IPFIX: RFC 5655), rotated by size; other programs may rotate it
// too, after which reopen() starts a new one.
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/export/carrier.h"
#include "control/export/ipfix.h"
#include "control/export/special_file.h"
#include "control/export/stream.h"
#include "control/export/text_buffer.h"

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
    void expect_findings() override { sync_ = true; }
    void sync() override {
        if (sync_ && fd_ >= 0) static_cast<void>(::fdatasync(fd_) == 0);
        sync_ = false;
    }

    Delivery deliver(std::span<const std::string_view> messages,
                     const std::atomic<bool>& stop) override {
        static_cast<void>(stop);
        Delivery delivery;
        delivery.status = open_file();
        if (!delivery.status.ok()) return delivery;
        for (std::size_t i = 0; i < messages.size();) {
            buffer_.clear();
            for (; i < messages.size() && buffer_.size() < kWriteBytes; ++i)
                buffer_.append(messages[i]).push_back('\n');
            delivery.status = write_buffer();
            if (!delivery.status.ok()) return delivery;
            delivery.accepted = i;
        }
        if (rotate_bytes_ > 0 && size() >= rotate_bytes_) rotate();
        return delivery;
    }

  private:
    // Of one write: what stays in the cache between the copy into the buffer and the one out of it.
    static constexpr std::size_t kWriteBytes = std::size_t{256} << 10;
    static constexpr int kWithCare = O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY;

    // All of it or, when it has no room, nothing: the next try does not double what is there.
    Status write_buffer() {
        const std::string_view all = buffer_.view();
        for (std::size_t done = 0; done < all.size();) {
            const ssize_t count = ::write(fd_, all.data() + done, all.size() - done);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) {
                const int error = errno;
                if (const std::uint64_t now = size(); done > 0 && now >= done)
                    static_cast<void>(::ftruncate(fd_, static_cast<off_t>(now - done)) == 0);
                return failed(path_ + ": cannot be written: " + std::strerror(error) +
                              (error == ENOSPC ? "; make room on the disk" : ""));
            }
            done += static_cast<std::size_t>(count);
        }
        return {};
    }
    // As it is now: other programs may cut the file (logrotate's copytruncate).
    [[nodiscard]] std::uint64_t size() const {
        struct stat about {};
        return ::fstat(fd_, &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
    }
    Status open_file() {
        if (fd_ >= 0) return {};
        Status plain = check_plain_file(path_, Links::refused);
        if (!plain.ok()) return plain;
        // A pipe that comes between the two calls must not hold this thread up either.
        fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | kWithCare, 0640);
        const int error = errno;
        if (fd_ < 0)
            return failed(path_ + ": cannot be opened: " + std::strerror(error) +
                          (error == EROFS ? "; the unit lets it write below /var/log/seine, or add "
                                            "ReadWritePaths= by systemctl edit seine-control"
                                          : "; the folder must exist and be writable for this user"));
        struct stat about {};
        if (::fstat(fd_, &about) != 0 || !S_ISREG(about.st_mode)) {
            ::close(fd_);
            fd_ = -1;
            return failed(path_ + ": is no plain file any more; name another path, or take it away");
        }
        drop_half_line();
        return {};
    }
    // A kill in the middle of a write leaves half a line, whose messages come again.
    void drop_half_line() {
        const std::uint64_t bytes = size();
        if (bytes == 0) return;
        const int in = ::open(path_.c_str(), O_RDONLY | kWithCare);
        if (in < 0) return;  // may be written and not read
        char last = '\n';
        std::uint64_t at = bytes;
        while (at > 0 && ::pread(in, &last, 1, static_cast<off_t>(at - 1)) == 1 && last != '\n' &&
               bytes - at < 70'000)
            --at;
        ::close(in);
        if (at < bytes) static_cast<void>(::ftruncate(fd_, static_cast<off_t>(at)) == 0);
    }
    void close_file() {
        sync();
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    void rotate() {
        close_file();
        if (keep_ == 0) {
            static_cast<void>(::truncate(path_.c_str(), 0));
            return;
        }
        // A rename over a file would first push the renamed one to the disk (ext4's auto_da_alloc).
        static_cast<void>(::unlink((path_ + "." + std::to_string(keep_)).c_str()));
        for (unsigned i = keep_; i > 1; --i)
            static_cast<void>(std::rename((path_ + "." + std::to_string(i - 1)).c_str(),
                                          (path_ + "." + std::to_string(i)).c_str()));
        static_cast<void>(std::rename(path_.c_str(), (path_ + ".1").c_str()));
    }

    std::string path_;
    std::uint64_t rotate_bytes_;
    unsigned keep_;
    int fd_ = -1;
    bool sync_ = false;  // findings were written that may not be on the disk
    TextBuffer buffer_;
};

}  // namespace

Result<std::unique_ptr<Carrier>> make_file_carrier(const CarrierSettings& settings) {
    if (settings.path.empty() || settings.path.front() != '/')
        return failed("export " + settings.name + ": file needs `path`, from the root");
    const Status plain = check_plain_file(settings.path, Links::refused);
    if (!plain.ok()) return failed("export " + settings.name + ": " + plain.message());
    return std::unique_ptr<Carrier>(
        std::make_unique<FileCarrier>(settings.path, settings.rotate_bytes, settings.rotate_keep));
}

}  // namespace seine::siem
