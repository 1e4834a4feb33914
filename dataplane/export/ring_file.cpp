// The writer's end of a ring file.
#include "dataplane/export/ring_file.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/contract/frame.h"
#include "dataplane/export/ring_map.h"

namespace seine::exporting {
namespace {

std::uint64_t aligned(std::uint64_t bytes) noexcept { return (bytes + 63) & ~std::uint64_t{63}; }

// What stands at the path, by its header.
enum class Standing { nothing, ring, unusable, stranger };

// Counts what is between tail and head, and the sequence that the next frame takes. False when an
// entry there is damaged.
bool count_unread(const RingMap& map, RingFound& found, std::uint64_t& next_sequence) noexcept {
    const RingHeader::Slot& slot = map.slot();
    next_sequence = std::max(map.header->next_sequence, slot.expected);
    found.unread_bytes = map.header->head - slot.tail;
    RingStep step;
    std::uint64_t position = slot.tail;
    while (position != map.header->head) {
        if (step_ring(map, position, map.header->head, step) != Parse::ok) return false;
        position += step.entry_bytes;
        if (step.wrap) continue;
        ++found.unread_frames;
        next_sequence = std::max(next_sequence, step.entry.sequence + 1);
    }
    return true;
}

Standing standing_of(int fd, std::uint64_t file_bytes, std::uint64_t data_bytes_wanted) {
    if (file_bytes == 0) return Standing::nothing;
    const auto read = std::make_unique<RingHeader>();
    const RingHeader& header = *read;
    const ssize_t got = ::pread(fd, read.get(), sizeof header, 0);
    if (got < 8) return Standing::stranger;
    // A writer that was killed while it made the file left zeros.
    if (header.magic == 0 && got == static_cast<ssize_t>(sizeof header) && header.version == 0 &&
        header.head == 0) {
        return Standing::nothing;
    }
    if (header.magic != kRingMagic) return Standing::stranger;
    if (got < static_cast<ssize_t>(sizeof header) || header.version != kRingVersion)
        return Standing::unusable;
    if (!header_fault(header, file_bytes).empty() || header.data_bytes != data_bytes_wanted)
        return Standing::unusable;
    return Standing::ring;
}

Status cannot(const std::string& path, const std::string& what) {
    return failed(path + ": " + what + ": " + std::strerror(errno));
}

// Opens, locks and reserves; `found` says what was there. The file's header may still be all zero.
Result<std::unique_ptr<RingMap>> open_map(const RingWriterConfig& config, std::uint64_t data_bytes,
                                          RingFound& found, bool& fresh) {
    auto map = std::make_unique<RingMap>();
    map->fd = ::open(config.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0660);
    if (map->fd < 0) return cannot(config.path, "the ring cannot be opened");
    struct stat about = {};
    if (::fstat(map->fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        return failed(config.path + ": not a regular file; name another path for the ring");
    }
    if (!lock_ring(map->fd, RingRole::writer)) {
        return failed(config.path +
                      ": another dataplane writes this ring; stop it or name another path");
    }
    switch (standing_of(map->fd, static_cast<std::uint64_t>(about.st_size), data_bytes)) {
        case Standing::stranger:
            return failed(config.path +
                          ": holds something else than a ring; remove it or name another path");
        case Standing::unusable: {
            const std::string aside = config.path + ".old";
            if (::rename(config.path.c_str(), aside.c_str()) != 0)
                return cannot(config.path, "cannot be set aside");
            found.set_aside = aside;
            return open_map(config, data_bytes, found, fresh);
        }
        case Standing::nothing:
            fresh = true;
            break;
        case Standing::ring:
            fresh = false;
            break;
    }
    const auto file_bytes = static_cast<off_t>(kRingHeaderBytes + data_bytes);
    if (const int error = ::posix_fallocate(map->fd, 0, file_bytes); error != 0) {
        if (fresh) static_cast<void>(::unlink(config.path.c_str()));
        errno = error;
        return cannot(config.path,
                      "no room for a ring of " + std::to_string(data_bytes >> 10) + " KiB");
    }
    if (!map_ring(*map, data_bytes, true, config.touch_all))
        return cannot(config.path, "the ring cannot be mapped");
    return map;
}

}  // namespace

Result<std::unique_ptr<RingWriter>> RingWriter::open(const RingWriterConfig& config) {
    const std::uint64_t data_bytes = std::bit_ceil(std::max(config.data_bytes, kRingDataBytesMin));
    RingFound found;
    bool fresh = false;
    auto map = open_map(config, data_bytes, found, fresh);
    if (!map) return map.error();
    std::uint64_t next_sequence = 0;
    if (!fresh && !count_unread(**map, found, next_sequence)) {
        // Sound to look at, damaged inside: set aside like one of another version.
        const std::string aside = config.path + ".old";
        if (::rename(config.path.c_str(), aside.c_str()) != 0)
            return cannot(config.path, "cannot be set aside");
        found = {};
        found.set_aside = aside;
        map = open_map(config, data_bytes, found, fresh);
        if (!map) return map.error();
        next_sequence = 0;
    }
    found.carried_on = !fresh;
    found.closed_well = !fresh && (*map)->header->state == kRingClosed;
    std::unique_ptr<RingWriter> writer(new RingWriter(std::move(*map), std::move(found)));
    writer->sequence_ = next_sequence;
    writer->begin(config);
    return writer;
}

RingWriter::RingWriter(std::unique_ptr<RingMap> map, RingFound found) noexcept
    : map_(std::move(map)), found_(std::move(found)) {}

RingWriter::~RingWriter() = default;

void RingWriter::begin(const RingWriterConfig& config) noexcept {
    RingHeader& header = *map_->header;
    head_ = header.head;
    tail_seen_ = map_->slot().tail;
    epoch_ = found_.carried_on ? std::max(config.epoch, header.epoch + 1) : config.epoch;
    found_.lost_in_flight = settle_in_flight();
    for (unsigned worker = 0; worker < kRingWorkersMax; ++worker)
        for (std::size_t i = 0; i < kRingCounterCount; ++i)
            counters_before_[worker][i] = header.counters[worker][i];
    header.version = kRingVersion;
    header.header_bytes = kRingHeaderBytes;
    header.data_bytes = map_->data_bytes;
    header.dataplane_id = config.dataplane_id;
    header.contract_version = contract::kContractVersion;
    shared_store(header.epoch, epoch_);
    shared_store(header.next_sequence, sequence_);
    shared_store(header.state, kRingOpen);
    // Last: a reader takes the file for a ring from here on.
    shared_store(header.magic, kRingMagic);
}

// What a writer's workers had made and it did not bring here is lost; the sums say so from now on.
std::uint64_t RingWriter::settle_in_flight() noexcept {
    std::uint64_t lost = 0;
    const auto at = [this](unsigned worker, RingCounter counter) -> std::uint64_t& {
        return map_->header->counters[worker][static_cast<std::size_t>(counter)];
    };
    for (unsigned worker = 0; worker < kRingWorkersMax; ++worker) {
        const std::uint64_t arrived = at(worker, RingCounter::frames_written) +
                                      at(worker, RingCounter::dropped_ring_full) +
                                      at(worker, RingCounter::dropped_too_long) +
                                      at(worker, RingCounter::dropped_before_ring) +
                                      at(worker, RingCounter::frames_to_alerts);
        const std::uint64_t made = at(worker, RingCounter::records_made);
        if (made <= arrived) continue;
        lost += made - arrived;
        at(worker, RingCounter::dropped_before_ring) += made - arrived;
    }
    return lost;
}

bool RingWriter::write(ByteView frame, unsigned worker) noexcept {
    worker = std::min(worker, unsigned{kRingWorkersMax - 1});
    std::uint64_t* counters = map_->header->counters[worker];
    const auto count = [counters](RingCounter counter, std::uint64_t n) {
        std::uint64_t& cell = counters[static_cast<std::size_t>(counter)];
        shared_store(cell, cell + n);
    };
    const std::uint64_t sequence = sequence_++;
    if (frame.empty() || frame.size() > contract::kRingFrameBytesMax) {
        shared_store(map_->header->next_sequence, sequence_);
        count(RingCounter::dropped_too_long, 1);
        return false;
    }
    const std::uint64_t entry_bytes = aligned(kRingEntryHeaderBytes + frame.size());
    const std::uint64_t to_end = map_->data_bytes - map_->offset(head_);
    const std::uint64_t need = entry_bytes <= to_end ? entry_bytes : to_end + entry_bytes;
    if (head_ + need - tail_seen_ > map_->data_bytes) {
        tail_seen_ = shared_load(map_->slot().tail);
        if (head_ + need - tail_seen_ > map_->data_bytes) {
            shared_store(map_->header->next_sequence, sequence_);
            count(RingCounter::dropped_ring_full, 1);
            return false;
        }
    }
    std::uint64_t at = head_;
    const auto lay_header = [this, sequence](std::uint64_t position, std::uint64_t bytes,
                                             std::uint32_t frame_bytes) {
        std::uint8_t* place = map_->data + map_->offset(position);
        const auto entry = static_cast<std::uint32_t>(bytes);
        std::memcpy(place, &entry, 4);
        std::memcpy(place + 4, &frame_bytes, 4);
        std::memcpy(place + 8, &sequence, 8);
        return place + kRingEntryHeaderBytes;
    };
    if (entry_bytes > to_end) {
        lay_header(at, to_end, kRingWrap);
        at += to_end;
    }
    std::memcpy(lay_header(at, entry_bytes, static_cast<std::uint32_t>(frame.size())), frame.data(),
                frame.size());
    head_ = at + entry_bytes;
    shared_store(map_->header->head, head_);
    shared_store(map_->header->next_sequence, sequence_);
    count(RingCounter::frames_written, 1);
    count(RingCounter::bytes_written, frame.size());
    return true;
}

void RingWriter::set_counter(unsigned worker, RingCounter counter, std::uint64_t value) noexcept {
    if (worker >= kRingWorkersMax) return;
    const auto at = static_cast<std::size_t>(counter);
    shared_store(map_->header->counters[worker][at], counters_before_[worker][at] + value);
}

void RingWriter::count(unsigned worker, RingCounter counter) noexcept {
    if (worker >= kRingWorkersMax) return;
    std::uint64_t& cell = map_->header->counters[worker][static_cast<std::size_t>(counter)];
    shared_store(cell, cell + 1);
}

std::uint64_t* RingWriter::made_count(unsigned worker) noexcept {
    if (worker >= kRingWorkersMax) return nullptr;
    return &map_->header->counters[worker][static_cast<std::size_t>(RingCounter::records_made)];
}

std::uint64_t RingWriter::counter(unsigned worker, RingCounter counter) const noexcept {
    return worker < kRingWorkersMax
               ? shared_load(map_->header->counters[worker][static_cast<std::size_t>(counter)])
               : 0;
}

std::uint64_t RingWriter::unread_bytes() const noexcept {
    return head_ - shared_load(map_->slot().tail);
}

void RingWriter::close() noexcept {
    static_cast<void>(settle_in_flight());
    shared_store(map_->header->state, kRingClosed);
}

}  // namespace seine::exporting
