#include "control/account/file_tail.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

#include "control/account/secret_memory.h"
#include "dataplane/base/hash.h"

namespace seine::account {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::int64_t kLookNs = 200 * kMillisecond;
constexpr std::size_t kHeadBytes = 64;

}  // namespace

std::string to_text(const TailPlace& place) {
    std::ostringstream out;
    out << place.device << ' ' << place.inode << ' ' << place.offset << ' ' << place.head;
    return out.str();
}

TailPlace place_from(const std::string& text) {
    TailPlace place;
    std::istringstream in(text);
    place.known = bool(in >> place.device >> place.inode >> place.offset >> place.head);
    return place.known ? place : TailPlace{};
}

FileTail::~FileTail() {
    close(current_);
    close(old_);
}

void FileTail::close(Open& file) {
    if (file.fd >= 0) ::close(file.fd);
    if (!file.buffer.empty()) wipe(file.buffer.data(), file.buffer.size());
    file = {};
}

bool FileTail::open_file(const std::string& path, Open& out) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat about {};
    if (fd < 0) return false;
    if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        ::close(fd);
        errno = EINVAL;
        return false;
    }
    out = {};
    out.fd = fd;
    out.device = about.st_dev;
    out.inode = about.st_ino;
    return true;
}

// Files shorter than the head have no hash: 0.
std::uint64_t FileTail::head_of(int fd) {
    std::uint8_t head[kHeadBytes];
    if (::pread(fd, head, sizeof head, 0) != static_cast<ssize_t>(sizeof head)) return 0;
    const std::uint64_t hash = hash64({head, sizeof head}, 1);
    wipe(head, sizeof head);
    return hash;
}

// Opens what stood at the path when the place was kept: there still, or renamed in the same folder.
bool FileTail::resume(const TailPlace& place) {
    namespace fs = std::filesystem;
    std::error_code error;
    std::vector<std::string> names = {path_};
    const fs::path folder =
        fs::path(path_).parent_path().empty() ? "." : fs::path(path_).parent_path();
    const std::string base = fs::path(path_).filename();
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename();
        if (name != base && name.starts_with(base)) names.push_back(entry.path());
    }
    for (const std::string& name : names) {
        Open file;
        if (!open_file(name, file)) continue;
        struct stat about {};
        const std::uint64_t head = head_of(file.fd);
        if (file.device == place.device && file.inode == place.inode &&
            ::fstat(file.fd, &about) == 0 &&
            static_cast<std::uint64_t>(about.st_size) >= place.offset &&
            (place.head == 0 || place.head == head)) {
            file.offset = file.line_at = place.offset;
            current_ = std::move(file);
            return true;
        }
        close(file);
    }
    return false;
}

bool FileTail::open_path(Nanos now) {
    Open file;
    if (!open_file(path_, file)) {
        problem_ = path_ + ": " + (errno == EINVAL ? "is no regular file" : std::strerror(errno)) +
                   "; waited for, lines will be read from its beginning";
        first_ = false;
        return false;
    }
    problem_.clear();
    struct stat about {};
    if (first_ && !from_start_ && ::fstat(file.fd, &about) == 0) {
        file.offset = file.line_at = static_cast<std::uint64_t>(about.st_size);
    }
    first_ = false;
    if (current_.fd >= 0) {
        close(old_);
        old_ = std::move(current_);
        old_until_ = now + kDrainNs;
    }
    current_ = std::move(file);
    return true;
}

bool FileTail::poll(Nanos now, std::size_t bytes_max,
                    const std::function<void(std::string_view)>& take) {
    if (start_.known) {
        const TailPlace place = std::exchange(start_, {});
        first_ = false;
        if (!resume(place)) ++counters_.missed;
    }
    if (current_.fd < 0) {
        if (now < look_at_) return false;
        look_at_ = now + kLookNs;
        if (!open_path(now)) return false;
    }
    bool any = false;
    if (old_.fd >= 0) {
        any = read_some(old_, bytes_max, take);
        if (!any && now > old_until_) close(old_);
    }
    any = read_some(current_, bytes_max, take) || any;
    if (any || now < look_at_) return any;
    look_at_ = now + kLookNs;
    struct stat about {};
    if (::fstat(current_.fd, &about) == 0 &&
        static_cast<std::uint64_t>(about.st_size) < current_.offset) {
        ++counters_.truncated;
        current_.offset = current_.line_at = 0;
        current_.skipping = false;
        current_.buffer.clear();
        return true;
    }
    if (::stat(path_.c_str(), &about) == 0 &&
        (about.st_ino != current_.inode || about.st_dev != current_.device)) {
        ++counters_.rotated;
        return open_path(now);
    }
    return false;
}

bool FileTail::read_some(Open& file, std::size_t bytes_max,
                         const std::function<void(std::string_view)>& take) {
    std::size_t done = 0;
    while (done < bytes_max) {
        const std::size_t had = file.buffer.size();
        file.buffer.resize(had + kReadBytes);
        const ssize_t got =
            ::pread(file.fd, file.buffer.data() + had, kReadBytes, static_cast<off_t>(file.offset));
        file.buffer.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got <= 0) break;
        done += static_cast<std::size_t>(got);
        file.offset += static_cast<std::uint64_t>(got);
        counters_.bytes += static_cast<std::uint64_t>(got);
        std::size_t from = 0;
        while (true) {
            const char* start = file.buffer.data() + from;
            const auto* end =
                static_cast<const char*>(std::memchr(start, '\n', file.buffer.size() - from));
            if (end == nullptr) break;
            std::string_view line(start, static_cast<std::size_t>(end - start));
            from += line.size() + 1;
            if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
            if (std::exchange(file.skipping, false)) continue;  // the rest of one that was too long
            ++counters_.lines;
            if (!line.empty()) take(line);
        }
        file.line_at += from;
        wipe(file.buffer.data(), from);
        file.buffer.erase(file.buffer.begin(),
                          file.buffer.begin() + static_cast<std::ptrdiff_t>(from));
        if (file.buffer.size() > kLineBytesMax) {
            counters_.too_long += file.skipping ? 0 : 1;
            file.skipping = true;
            file.line_at += file.buffer.size();
            wipe(file.buffer.data(), file.buffer.size());
            file.buffer.clear();
        }
    }
    return done > 0;
}

TailPlace FileTail::place() const {
    if (start_.known) return start_;
    const Open& file = old_.fd >= 0 ? old_ : current_;
    if (file.fd < 0) return {};
    return {file.device, file.inode, file.line_at, head_of(file.fd), true};
}

}  // namespace seine::account
