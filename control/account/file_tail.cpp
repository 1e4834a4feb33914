#include "control/account/file_tail.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <limits>
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

// Files shorter than the head have no hash: 0.
std::uint64_t head_of(int fd) {
    std::uint8_t head[kHeadBytes];
    if (::pread(fd, head, sizeof head, 0) != static_cast<ssize_t>(sizeof head)) return 0;
    const std::uint64_t hash = hash64({head, sizeof head}, 1);
    wipe(head, sizeof head);
    return hash;
}

std::int64_t written_ns(const struct stat& about) noexcept {
    return std::int64_t{about.st_mtim.tv_sec} * kSecond + about.st_mtim.tv_nsec;
}

struct RotatedName {
    bool is = false;
    bool compressed = false;
};

// What rotations make of "access.log": access.log.1, access.log-20261128, access.log.2.gz, and
// access-2026-11-28T01-02-03.123.log.
RotatedName rotated_name(std::string_view base, std::string_view name) {
    RotatedName out;
    for (const std::string_view end : {".gz", ".xz", ".zst", ".bz2"}) {
        if (!name.ends_with(end)) continue;
        name.remove_suffix(end.size());
        out.compressed = true;
        break;
    }
    const std::size_t dot = std::min(base.rfind('.'), base.size());
    std::string_view middle;
    if (name.starts_with(base)) {
        middle = name.substr(base.size());
    } else if (name.size() > base.size() && name.starts_with(base.substr(0, dot)) && name.ends_with(base.substr(dot))) {
        middle = name.substr(dot, name.size() - base.size());
    }
    out.is = !middle.empty() && middle.find_first_not_of("0123456789.-_T:Z") == std::string_view::npos;
    return out;
}

std::filesystem::path folder_of(const std::string& path) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    return folder.empty() ? "." : folder;
}

void put(std::ostream& out, const FileSpot& spot) {
    out << spot.device << ' ' << spot.inode << ' ' << spot.offset << ' ' << spot.head;
}
bool take(std::istream& in, FileSpot& spot) {
    return bool(in >> spot.device >> spot.inode >> spot.offset >> spot.head);
}

}  // namespace

std::string to_text(const TailPlace& place) {
    std::ostringstream out;
    put(out, place.file);
    if (place.next_known) put(out << ' ', place.next);
    return out.str();
}

TailPlace place_from(const std::string& text) {
    TailPlace place;
    std::istringstream in(text);
    place.known = take(in, place.file);
    place.next_known = place.known && take(in, place.next);
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

FileSpot FileTail::spot_of(const Open& file) { return {file.device, file.inode, file.line_at, head_of(file.fd)}; }

// The file of the spot, where it stands now: at the path still, or renamed in the same folder.
bool FileTail::find(const FileSpot& spot, Open& out) const {
    namespace fs = std::filesystem;
    std::error_code error;
    const std::string base = fs::path(path_).filename();
    std::vector<std::string> names = {path_};
    for (const auto& entry : fs::directory_iterator(folder_of(path_), error)) {
        if (rotated_name(base, entry.path().filename().string()).is) names.push_back(entry.path());
    }
    for (const std::string& name : names) {
        Open file;
        if (!open_file(name, file)) continue;
        struct stat about {};
        if (file.device == spot.device && file.inode == spot.inode && ::fstat(file.fd, &about) == 0 &&
            static_cast<std::uint64_t>(about.st_size) >= spot.offset &&
            (spot.head == 0 || spot.head == head_of(file.fd))) {
            file.offset = file.line_at = spot.offset;
            out = std::move(file);
            return true;
        }
        close(file);
    }
    return false;
}

// Goes on where it stood before a restart.
void FileTail::take_up(const TailPlace& place, Nanos now) {
    first_ = false;
    Open next;
    const bool found = find(place.file, current_);
    const bool next_found = place.next_known && find(place.next, next);
    if (!found || next_found != place.next_known) ++counters_.missed;
    if (!next_found) return;
    if (found) {
        old_ = std::move(current_);
        old_until_ = now + kDrainNs;
    }
    current_ = std::move(next);
}

bool FileTail::open_first() {
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
    current_ = std::move(file);
    return true;
}

// What was written after the file that is read. With more than one rotation since the path was looked at
// that is the first of those in between: written later than this one, and no copy of what is at hand.
std::string FileTail::next_name() {
    namespace fs = std::filesystem;
    struct stat read {};
    Open newest;
    if (::fstat(current_.fd, &read) != 0 || !open_file(path_, newest)) return path_;
    const std::uint64_t heads[] = {head_of(current_.fd), head_of(newest.fd)};
    const std::uint64_t newest_inode = newest.inode;
    close(newest);
    const std::string base = fs::path(path_).filename();
    std::string out = path_;
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder_of(path_), error)) {
        const RotatedName name = rotated_name(base, entry.path().filename().string());
        Open file;
        struct stat about {};
        if (!name.is || !open_file(entry.path(), file)) continue;
        const bool later = ::fstat(file.fd, &about) == 0 && written_ns(about) > written_ns(read) &&
                           file.inode != current_.inode && file.inode != newest_inode;
        const std::uint64_t head = head_of(file.fd);
        close(file);
        if (!later || (head != 0 && (head == heads[0] || head == heads[1]))) continue;
        if (name.compressed) {
            ++counters_.missed;
        } else if (written_ns(about) < first) {
            first = written_ns(about);
            out = entry.path();
        }
    }
    return out;
}

bool FileTail::open_next(Nanos now) {
    Open file;
    if (!open_file(next_name(), file)) return false;  // it went away just now: looked at again
    ++counters_.rotated;
    close(old_);
    old_ = std::move(current_);
    old_until_ = now + kDrainNs;
    current_ = std::move(file);
    return true;
}

// The file was cut, and perhaps written again past where reading stands.
bool FileTail::was_cut() {
    struct stat about {};
    if (::fstat(current_.fd, &about) != 0) return false;
    const std::uint64_t head = head_of(current_.fd);
    const bool shorter = static_cast<std::uint64_t>(about.st_size) < current_.offset;
    const bool other = !shorter && current_.head != 0 && head != current_.head;
    if (!shorter && !other) {
        current_.head = head;
        return false;
    }
    ++counters_.truncated;
    if (other) ++counters_.missed;
    wipe(current_.buffer.data(), current_.buffer.size());
    current_.buffer.clear();
    current_.offset = current_.line_at = current_.head = 0;
    current_.skipping = false;
    return true;
}

bool FileTail::poll(Nanos now, std::size_t bytes_max,
                    const std::function<void(std::string_view)>& take) {
    if (start_.known) take_up(std::exchange(start_, {}), now);
    const bool look = now >= look_at_;
    if (current_.fd < 0) {
        if (!look) return false;
        look_at_ = now + kLookNs;
        if (!open_first()) return false;
    }
    if (look) {
        look_at_ = now + kLookNs;
        static_cast<void>(was_cut());
    }
    bool any = false;
    if (old_.fd >= 0) {
        any = read_some(old_, bytes_max, take);
        if (!any && now > old_until_) close(old_);
    }
    any = read_some(current_, bytes_max, take) || any;
    if (any || !look) return any;
    struct stat about {};
    const bool moved = ::stat(path_.c_str(), &about) == 0 &&
                       (about.st_ino != current_.inode || about.st_dev != current_.device);
    return moved && open_next(now);
}

bool FileTail::read_some(Open& file, std::size_t bytes_max,
                         const std::function<void(std::string_view)>& take) {
    std::size_t done = 0;
    // Never moved: nothing of a line is left behind where memory was.
    file.buffer.reserve(kLineBytesMax + kReadBytes);
    while (done < bytes_max) {
        const std::size_t had = file.buffer.size();
        file.buffer.resize(had + kReadBytes);
        const ssize_t got =
            ::pread(file.fd, file.buffer.data() + had, kReadBytes, static_cast<off_t>(file.offset));
        file.buffer.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got < 0) problem_ = path_ + ": cannot be read (" + std::strerror(errno) + "); tried again";
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
    TailPlace out;
    out.known = current_.fd >= 0;
    if (!out.known) return out;
    out.next_known = old_.fd >= 0;
    out.file = spot_of(out.next_known ? old_ : current_);
    if (out.next_known) out.next = spot_of(current_);
    return out;
}

std::uint64_t FileTail::unread() const {
    std::uint64_t sum = 0;
    for (const Open* file : {&old_, &current_}) {
        struct stat about {};
        if (file->fd < 0 || ::fstat(file->fd, &about) != 0) continue;
        const auto size = static_cast<std::uint64_t>(about.st_size);
        sum += size > file->offset ? size - file->offset : 0;
    }
    return sum;
}

}  // namespace seine::account
