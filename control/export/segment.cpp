// Space is taken with fallocate, so a full disk is an error here and never a fault at a store.
#include "control/export/segment.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "dataplane/base/hash.h"

namespace seine::siem {
namespace {

constexpr std::uint64_t kMagic = 0x315842'54554f4e53;  // "SNOUTBX1", little endian
// Files of version 1, whose check is one chain, are read to their end; new ones are of version 2.
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kChainedVersion = 1;
constexpr std::size_t kMessageMax = std::size_t{1} << 20;
constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kHugeBytes = std::size_t{2} << 20;
constexpr auto kFindings = static_cast<std::uint32_t>(Lane::findings);

struct Fd {
    int held;
    explicit Fd(int fd) : held(fd) {}
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() {
        if (held >= 0) ::close(held);
    }
};

void put32(std::uint8_t* at, std::uint32_t value) noexcept {
    std::memcpy(at, &value, sizeof value);
}
void put64(std::uint8_t* at, std::uint64_t value) noexcept {
    std::memcpy(at, &value, sizeof value);
}

constexpr std::size_t padded(std::size_t bytes) noexcept { return (bytes + 7) & ~std::size_t{7}; }

// Four chains side by side, a quarter of the time of one, and one over what is left.
std::uint64_t hash_lanes(ByteView bytes, std::uint64_t seed) noexcept {
    constexpr std::uint64_t kOdd0 = 0x9e3779b97f4a7c15u;
    constexpr std::uint64_t kOdd1 = 0xd6e8feb86659fd93u;
    std::uint64_t lanes[4] = {seed, seed + kOdd0, seed ^ kOdd1, ~seed};
    while (bytes.size() >= 64) {
        for (std::size_t i = 0; i < 4; ++i)
            lanes[i] = mix64(load_le64(bytes.data() + 16 * i) ^ kOdd0 ^ lanes[i],
                             load_le64(bytes.data() + 16 * i + 8) ^ kOdd1 ^ seed);
        bytes = bytes.subspan(64);
    }
    return hash64(bytes, mix64(lanes[0] ^ kOdd0, lanes[1] ^ kOdd1) ^
                             mix64(lanes[2] ^ kOdd1, lanes[3] ^ kOdd0));
}

std::uint32_t check_of(std::uint32_t version, const std::uint8_t* from, std::size_t bytes,
                       std::size_t offset, std::uint64_t number) noexcept {
    const std::uint64_t seed = number * 0x9e3779b97f4a7c15u + offset;
    const ByteView all(from, bytes);
    return static_cast<std::uint32_t>(version == kChainedVersion ? hash64(all, seed)
                                                                 : hash_lanes(all, seed)) |
           1u;
}

// MAP_FAILED, or a mapping whose address is a multiple of kHugeBytes.
void* map_aligned(int fd, std::size_t bytes) noexcept {
    const std::size_t pages = (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
    void* reserved = ::mmap(nullptr, pages + kHugeBytes, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) return MAP_FAILED;
    auto* first = static_cast<std::uint8_t*>(reserved);
    const std::size_t before =
        (kHugeBytes - std::bit_cast<std::uintptr_t>(first) % kHugeBytes) % kHugeBytes;
    void* at = ::mmap(first + before, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    const int error = errno;
    if (at == MAP_FAILED) {
        ::munmap(reserved, pages + kHugeBytes);
    } else {
        if (before > 0) ::munmap(first, before);
        ::munmap(first + before + pages, kHugeBytes - before);
    }
    errno = error;
    return at;
}

Status fault(const std::string& path, const char* what, int error) {
    return {error == ENOSPC || error == EDQUOT ? Code::full : Code::failed,
            path + ": " + what + ": " + std::strerror(error)};
}

}  // namespace

// A fault a page costs more than the message that is put there, and comes again each time the
// kernel has written the page to the disk. So a file of flows is mapped in huge pages; where the
// file system has none (ext4 before Linux 6.16) pages come as they always did. Findings are synced
// every second, which would write a whole huge page for each: they are mapped in small ones.
Status Segment::map(int fd, std::size_t bytes) {
    const bool huge = lane_ != kFindings && bytes >= kHugeBytes;
    void* at = huge ? map_aligned(fd, bytes)
                    : ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) return fault(path_, "cannot be mapped", errno);
    at_ = static_cast<std::uint8_t*>(at);
    bytes_ = bytes;
    if (huge) static_cast<void>(::madvise(at, bytes, MADV_HUGEPAGE));
    return {};
}

// Makes all pages of a new file writable at once (MAP_POPULATE makes those of a shared mapping
// readable only). A write of the size of a huge page makes one.
void Segment::fill(int fd) noexcept {
    std::array<char, kPageBytes> zeros{};
    std::array<iovec, kHugeBytes / kPageBytes> pages{};
    pages.fill({zeros.data(), zeros.size()});
    const std::size_t end = lane_ == kFindings ? 0 : bytes_ / kHugeBytes * kHugeBytes;
    for (std::size_t at = 0; at < end; at += kHugeBytes) {
        if (::pwritev(fd, pages.data(), static_cast<int>(pages.size()), static_cast<off_t>(at)) < 0)
            break;
    }
#ifdef MADV_POPULATE_WRITE
    // An older kernel says no, and pages come one by one.
    static_cast<void>(::madvise(at_, bytes_, MADV_POPULATE_WRITE));
#endif
}

Result<std::shared_ptr<Segment>> Segment::create(const std::string& path, std::uint32_t lane,
                                                 std::uint64_t number, std::size_t bytes) {
    std::shared_ptr<Segment> made(new Segment);
    made->path_ = path;
    made->lane_ = lane;
    made->number_ = number;
    const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (fd.held < 0) return fault(path, "cannot be created", errno);
    const int taken = ::posix_fallocate(fd.held, 0, static_cast<off_t>(bytes));
    if (taken != 0) {
        ::unlink(path.c_str());
        return fault(path, "no space for it", taken);
    }
    const Status status = made->map(fd.held, bytes);
    if (!status.ok()) {
        ::unlink(path.c_str());
        return status;
    }
    made->fill(fd.held);
    made->version_ = kVersion;
    put32(made->at_ + 8, kVersion);
    put32(made->at_ + 12, lane);
    put64(made->at_ + 16, number);
    put64(made->at_ + 24, kHeaderBytes);
    put64(made->at_, kMagic);
    return made;
}

Result<std::shared_ptr<Segment>> Segment::open(const std::string& path) {
    std::shared_ptr<Segment> made(new Segment);
    made->path_ = path;
    const Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    struct stat about {};
    if (fd.held < 0 || ::fstat(fd.held, &about) != 0) return fault(path, "cannot be opened", errno);
    const auto bytes = static_cast<std::size_t>(about.st_size);
    // A sparse file would fault at a store on a full disk.
    if (bytes < kHeaderBytes || about.st_blocks * 512 < about.st_size - 4096)
        return Status(Code::corrupt, path + ": is no whole outbox file");
    // The lane decides how it is mapped; what else stands there is looked at below.
    std::array<std::uint8_t, 4> lane{};
    if (::pread(fd.held, lane.data(), lane.size(), 12) != ssize_t{lane.size()})
        return fault(path, "cannot be read", errno);
    made->lane_ = load_le32(lane.data());
    const Status status = made->map(fd.held, bytes);
    if (!status.ok()) return status;
    made->version_ = load_le32(made->at_ + 8);
    if (load_le64(made->at_) != kMagic ||
        (made->version_ != kVersion && made->version_ != kChainedVersion))
        return Status(Code::corrupt, path + ": is no outbox file of this version");
    made->number_ = load_le64(made->at_ + 16);
    const std::uint64_t acknowledged = load_le64(made->at_ + 24);
    std::string_view message;
    std::int64_t time_ns = 0;
    std::size_t next = 0;
    made->written_ = bytes;  // read() may look at all of it
    std::size_t offset = kHeaderBytes;
    while (made->read(offset, message, time_ns, next)) {
        ++made->count_;
        if (offset < acknowledged) {
            ++made->acknowledged_count_;
            made->acknowledged_ = next;
        }
        made->last_time_ns_ = time_ns;
        offset = next;
    }
    made->written_ = offset;
    // A message that a kill cut short leaves bytes behind which must not be read as one later.
    std::memset(made->at_ + offset, 0, std::min(kMessageMax + 2 * kEntryBytes, bytes - offset));
    return made;
}

Status Segment::begin_again(const std::string& path, std::uint64_t number) {
    if (std::rename(path_.c_str(), path.c_str()) != 0)
        return fault(path_, "cannot be renamed", errno);
    path_ = path;
    // The number first: from then on no old message checks, wherever a kill comes.
    put64(at_ + 16, number);
    put64(at_ + 24, kHeaderBytes);
    put64(at_ + kHeaderBytes, 0);
    put32(at_ + 8, kVersion);
    version_ = kVersion;
    number_ = number;
    written_ = acknowledged_ = marked_ = kHeaderBytes;
    count_ = acknowledged_count_ = 0;
    last_time_ns_ = 0;
    return {};
}

Segment::~Segment() {
    if (at_ != nullptr) ::munmap(at_, bytes_);
}

bool Segment::append(std::string_view message, std::int64_t time_ns) noexcept {
    const std::size_t total = kEntryBytes + padded(message.size());
    if (message.empty() || message.size() > kMessageMax || total > bytes_ - written_) return false;
    std::uint8_t* entry = at_ + written_;
    put64(entry + 8, static_cast<std::uint64_t>(time_ns));
    std::memcpy(entry + kEntryBytes, message.data(), message.size());
    put32(entry + 4, check_of(version_, entry + 8, 8 + message.size(), written_, number_));
    put32(entry, static_cast<std::uint32_t>(message.size()));
    written_ += total;
    ++count_;
    last_time_ns_ = time_ns;
    return true;
}

bool Segment::read(std::size_t offset, std::string_view& message, std::int64_t& time_ns,
                   std::size_t& next) const noexcept {
    if (offset + kEntryBytes > written_) return false;
    const std::uint8_t* entry = at_ + offset;
    const std::size_t bytes = load_le32(entry);
    if (bytes == 0 || bytes > kMessageMax || padded(bytes) > written_ - offset - kEntryBytes)
        return false;
    if (load_le32(entry + 4) != check_of(version_, entry + 8, 8 + bytes, offset, number_))
        return false;
    time_ns = static_cast<std::int64_t>(load_le64(entry + 8));
    message = as_text(ByteView(entry + kEntryBytes, bytes));
    next = offset + kEntryBytes + padded(bytes);
    return true;
}

void Segment::acknowledge_to(std::size_t offset, std::uint64_t messages) noexcept {
    acknowledged_ = offset;
    acknowledged_count_ += messages;
    put64(at_ + 24, offset);
}

std::uint64_t Segment::rewind(std::int64_t since_ns) noexcept {
    if (last_time_ns_ < since_ns) return 0;
    std::string_view message;
    std::int64_t time_ns = 0;
    std::size_t next = 0;
    std::uint64_t before = 0;
    std::size_t offset = kHeaderBytes;
    while (offset < acknowledged_ && read(offset, message, time_ns, next) && time_ns < since_ns) {
        ++before;
        offset = next;
    }
    if (offset >= acknowledged_) return 0;
    const std::uint64_t again = acknowledged_count_ - before;
    acknowledged_ = offset;
    acknowledged_count_ = before;
    put64(at_ + 24, offset);
    return again;
}

void Segment::unlink() noexcept { ::unlink(path_.c_str()); }

bool Segment::mark_for_sync() noexcept {
    const bool is_new = marked_ != written_;
    marked_ = written_;
    return is_new;
}

void Segment::sync() noexcept { ::msync(at_, bytes_, MS_SYNC); }

}  // namespace seine::siem
