// Reading entries, counting what is missing, and the commit that kill -9 cannot tear.
#include "dataplane/export/ring_reader.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/base/hash.h"
#include "dataplane/contract/frame.h"
#include "dataplane/export/ring_map.h"

namespace seine::exporting {
namespace {

constexpr std::size_t kLineBytes = 64;
constexpr std::size_t kAskedAheadBytes = 4096;

Status corrupt(const std::string& path, const std::string& what) {
    return {Code::corrupt, path + ": " + what};
}

// Whether the file may be read as a ring; its header is `header`.
Status check_file(const std::string& path, int fd, std::uint64_t file_bytes, RingHeader& header) {
    const ssize_t got = ::pread(fd, &header, sizeof header, 0);
    if (got == 0 ||
        (got == static_cast<ssize_t>(sizeof header) && header.magic == 0 && header.head == 0)) {
        return {Code::not_found,
                path + ": the dataplane has not set this ring up yet; try again shortly"};
    }
    if (got < 12 || header.magic != kRingMagic) {
        return corrupt(path, "not a ring of Seine; name the path of --records ring:PATH");
    }
    if (header.version != kRingVersion) {
        return corrupt(path, "a ring of layout version " + std::to_string(header.version) +
                                 ", this program reads " + std::to_string(kRingVersion) +
                                 "; use programs of one release");
    }
    if (got < static_cast<ssize_t>(sizeof header)) {
        return corrupt(path, "the ring is cut short; remove it and restart the dataplane");
    }
    const std::string fault = header_fault(header, file_bytes);
    if (!fault.empty())
        return corrupt(path,
                       "the ring is damaged, " + fault + "; remove it and restart the dataplane");
    return {};
}

}  // namespace

Result<std::unique_ptr<RingReader>> RingReader::open(const std::string& path) {
    return open(path, false);
}

Result<std::unique_ptr<RingReader>> RingReader::open_to_look(const std::string& path) {
    return open(path, true);
}

Result<std::unique_ptr<RingReader>> RingReader::open(const std::string& path, bool look) {
    auto map = std::make_unique<RingMap>();
    map->fd = ::open(path.c_str(), (look ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY);
    if (map->fd < 0) {
        if (errno == ENOENT) {
            return Status(
                Code::not_found,
                path + ": no ring here; start seine-dataplane with --records ring:" + path);
        }
        return failed(path + ": the ring cannot be opened: " + std::strerror(errno));
    }
    struct stat about = {};
    if (::fstat(map->fd, &about) != 0 || !S_ISREG(about.st_mode))
        return corrupt(path, "not a regular file, so no ring");
    if (!look && !lock_ring(map->fd, RingRole::reader)) {
        return failed(path + ": another process reads this ring; it has one reader");
    }
    const auto header = std::make_unique<RingHeader>();
    Status status = check_file(path, map->fd, static_cast<std::uint64_t>(about.st_size), *header);
    // Beside a reader at work the two ends are read at two instants; a fault that stays is one.
    for (int again = 0; look && status.code() == Code::corrupt && again < 3; ++again) {
        status = check_file(path, map->fd, static_cast<std::uint64_t>(about.st_size), *header);
    }
    if (!status.ok()) return status;
    if (!map_ring(*map, header->data_bytes, !look, false)) {
        return failed(path + ": the ring cannot be mapped: " + std::strerror(errno));
    }
    return std::unique_ptr<RingReader>(new RingReader(std::move(map), path, look));
}

RingReader::RingReader(std::unique_ptr<RingMap> map, std::string path, bool look)
    : map_(std::move(map)), path_(std::move(path)), look_(look) {
    const RingHeader::Slot& slot = map_->slot();
    position_ = head_seen_ = slot.tail;
    expected_ = slot.expected;
    if (look_) {
        copy_.resize(contract::kRingFrameBytesMax);
    } else {
        totals_ = {slot.read, slot.lost};
    }
}

RingReader::~RingReader() = default;

Parse RingReader::next(RingEntry& out) noexcept {
    // The writer changes that line with each frame: it is looked at again when all of it is read.
    if (look_ || position_ == head_seen_) head_seen_ = shared_load(map_->header->head);
    return entry_at(head_seen_, out);
}

Parse RingReader::entry_at(std::uint64_t head, RingEntry& out) noexcept {
    RingStep step;
    Parse parse = step_ring(*map_, position_, head, step);
    if (parse == Parse::ok && step.wrap) {
        position_ += step.entry_bytes;
        parse = step_ring(*map_, position_, head, step);
        if (parse == Parse::ok && step.wrap) return Parse::malformed;
    }
    if (parse != Parse::ok) return parse;
    if (look_) {
        std::memcpy(copy_.data(), step.entry.frame.data(), step.entry.frame.size());
        step.entry.frame = {copy_.data(), step.entry.frame.size()};
        // The reader whom we watch may have let the writer have this place meanwhile.
        if (shared_load(map_->slot().tail) > position_) return Parse::malformed;
        if (totals_.read == 0) expected_ = step.entry.sequence;
    }
    // A frame's head is stored before its sequence is counted: the newest may be one ahead.
    if (step.entry.sequence > next_seen_) next_seen_ = shared_load(map_->header->next_sequence);
    if (step.entry.sequence < expected_ || step.entry.sequence > next_seen_) return Parse::malformed;
    totals_.lost += step.entry.sequence - expected_;
    totals_.read += 1;
    expected_ = step.entry.sequence + 1;
    position_ += step.entry_bytes;
    out = step.entry;
    // As much as was read, some entries further on: else each waits for its memory when it is looked at.
    // Past the end of the data nothing is asked for that matters, and nothing faults.
    const std::uint8_t* const ahead = step.entry.frame.data() + kAskedAheadBytes;
    for (std::uint64_t at = 0; at < step.entry_bytes; at += kLineBytes) __builtin_prefetch(ahead + at);
    return Parse::ok;
}

void RingReader::commit(const Mark& mark) noexcept {
    // An older mark, committed late.
    if (look_ || mark.position < map_->slot().tail) return;
    const std::uint32_t spare = 1 - (map_->header->current & 1);
    RingHeader::Slot& slot = map_->header->slots[spare];
    shared_store(slot.tail, mark.position);
    shared_store(slot.expected, mark.expected);
    shared_store(slot.read, mark.totals.read);
    shared_store(slot.lost, mark.totals.lost);
    shared_store(map_->header->current, spare);
}

void RingReader::skip_damage() noexcept {
    // In this order: a frame that comes between the two reads is stepped over and shows as a gap
    // later.
    const std::uint64_t next = shared_load(map_->header->next_sequence);
    position_ = head_seen_ = shared_load(map_->header->head);
    if (next > expected_) {
        totals_.lost += next - expected_;
        expected_ = next;
    }
}

RingTotals RingReader::totals() const noexcept { return totals_; }

std::uint64_t RingReader::lost_at_end() const noexcept {
    const std::uint64_t next = shared_load(map_->header->next_sequence);
    if (shared_load(map_->header->head) != position_ || next <= expected_) return 0;
    return next - expected_;
}

std::uint64_t RingReader::counter(unsigned worker, RingCounter counter) const noexcept {
    return worker < kRingWorkersMax
               ? shared_load(map_->header->counters[worker][static_cast<std::size_t>(counter)])
               : 0;
}

std::uint32_t RingReader::epoch() const noexcept { return shared_load(map_->header->epoch); }

std::uint16_t RingReader::dataplane_id() const noexcept { return map_->header->dataplane_id; }

std::uint64_t RingReader::file_id() const noexcept {
    struct statx about = {};
    if (::statx(map_->fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &about) != 0) return 0;
    // The number of a file that is gone may be given again; the time of its making is not.
    const std::uint64_t made = (about.stx_mask & STATX_BTIME) == 0
                                   ? 0
                                   : static_cast<std::uint64_t>(about.stx_btime.tv_sec) * 1'000'000'000 +
                                         about.stx_btime.tv_nsec;
    const std::uint64_t words[] = {about.stx_ino, std::uint64_t{about.stx_dev_major} << 32 | about.stx_dev_minor, made};
    return hash64(as_bytes({static_cast<const char*>(static_cast<const void*>(words)), sizeof words}), 0);
}

double RingReader::fill() const noexcept {
    const std::uint64_t taken = shared_load(map_->header->head) - shared_load(map_->slot().tail);
    return static_cast<double>(taken) / static_cast<double>(map_->data_bytes);
}

bool RingReader::closed() const noexcept { return shared_load(map_->header->state) == kRingClosed; }

bool RingReader::replaced() const noexcept {
    struct stat ours = {};
    struct stat theirs = {};
    if (::fstat(map_->fd, &ours) != 0) return true;
    if (::stat(path_.c_str(), &theirs) != 0) return false;  // being replaced, or gone for good
    return ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev;
}

}  // namespace seine::exporting
