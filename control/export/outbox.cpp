// One mutex, held for a copy of a message or for walking a batch: microseconds.
#include "control/export/outbox.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <dirent.h>
#include <sys/stat.h>

namespace seine::siem {
namespace {

std::size_t index(Lane lane) noexcept { return static_cast<std::size_t>(lane); }

std::string file_name(const std::string& directory, Lane lane, std::uint64_t number) {
    std::string digits = std::to_string(number);
    digits.insert(0, digits.size() < 12 ? 12 - digits.size() : 0, '0');
    return directory + (lane == Lane::findings ? "/findings-" : "/flows-") + digits + ".outbox";
}

constexpr std::uint64_t kBytesMin = std::uint64_t{16} << 20;

Status make_folder(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
    return failed(path + ": cannot be made: " + std::strerror(errno) +
                  "; the parent folder must exist and be writable");
}

}  // namespace

Result<std::unique_ptr<Outbox>> Outbox::open(const std::string& directory,
                                             const OutboxLimits& limits) {
    Status status = make_folder(directory);
    if (!status.ok()) return status;
    OutboxLimits bounded = limits;
    bounded.bytes_max = std::max<std::uint64_t>(bounded.bytes_max, kBytesMin);
    std::unique_ptr<Outbox> made(new Outbox(directory, bounded));
    status = made->load();
    if (!status.ok()) return status;
    return made;
}

std::size_t Outbox::segment_bytes(Lane lane) const noexcept {
    const std::size_t most = std::min<std::size_t>(limits_.segment_bytes, limits_.bytes_max / 8);
    return lane == Lane::findings ? std::min<std::size_t>(most, std::size_t{2} << 20) : most;
}

Status Outbox::load() {
    DIR* folder = ::opendir(directory_.c_str());
    if (folder == nullptr) return failed(directory_ + ": cannot be read: " + std::strerror(errno));
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(folder)) {
        const std::string name = entry->d_name;
        if (name.ends_with(".outbox")) names.push_back(name);
    }
    ::closedir(folder);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
        auto opened = Segment::open(directory_ + "/" + name);
        if (!opened || (*opened)->lane() >= kLaneCount) {
            // Set aside rather than deleted: somebody may want to look.
            ++counts_.damaged;
            const std::string path = directory_ + "/" + name;
            static_cast<void>(std::rename(path.c_str(), (path + ".damaged").c_str()));
            continue;
        }
        const std::shared_ptr<Segment>& segment = *opened;
        next_number_ = std::max(next_number_, segment->number() + 1);
        file_bytes_ += segment->bytes();
        files_[segment->lane()].push_back(segment);
    }
    trim_acknowledged();
    return {};
}

// Drops the oldest file of a lane, but never the one that is written to. False: there is none to
// drop.
bool Outbox::drop_oldest(Lane lane, bool acknowledged_only) {
    Files& files = files_[index(lane)];
    if (files.size() < 2) return false;
    const std::shared_ptr<Segment> segment = files.front();
    if (acknowledged_only && segment->waiting() > 0) return false;
    std::uint64_t lost = segment->waiting();
    if (segment.get() == held_) {
        segment->dropped = true;
        lost -= std::min<std::uint64_t>(lost, held_count_);  // acknowledge() settles these
    }
    counts_.shed[index(lane)] += lost;
    file_bytes_ -= segment->bytes();
    segment->unlink();
    files.pop_front();
    return true;
}

std::uint64_t Outbox::kept_bytes() const noexcept {
    std::uint64_t kept = 0;
    for (const Files& files : files_) {
        for (const auto& segment : files) kept += segment->waiting() == 0 ? segment->bytes() : 0;
    }
    return kept;
}

// Some files more than replay is promised stay, to be written to again; where nothing is to be
// kept, none does.
void Outbox::trim_acknowledged() {
    std::uint64_t kept = kept_bytes();
    std::uint64_t most = limits_.keep_bytes;
    if (most > 0) most += 2 * (segment_bytes(Lane::flows) + segment_bytes(Lane::findings));
    while (kept > most) {
        const std::uint64_t before = file_bytes_;
        if (!drop_oldest(Lane::flows, true) && !drop_oldest(Lane::findings, true)) return;
        kept -= std::min(kept, before - file_bytes_);
    }
}

// The lane's oldest file as its newest, when all in it has arrived and replay is not promised of
// it; nullptr: there is none.
Segment* Outbox::used_again(Lane lane, std::size_t bytes) {
    Files& files = files_[index(lane)];
    if (files.size() < 2 || limits_.keep_bytes == 0) return nullptr;
    const std::shared_ptr<Segment>& oldest = files.front();
    if (oldest->waiting() > 0 || oldest->bytes() != bytes || oldest.use_count() > 1 ||
        kept_bytes() < limits_.keep_bytes + bytes)
        return nullptr;
    if (!oldest->begin_again(file_name(directory_, lane, next_number_), next_number_).ok())
        return nullptr;
    ++next_number_;
    files.push_back(oldest);
    files.pop_front();
    return files.back().get();
}

bool Outbox::make_room(std::size_t bytes, Lane lane) {
    while (file_bytes_ + bytes > limits_.bytes_max) {
        const bool dropped = drop_oldest(Lane::flows, true) || drop_oldest(Lane::findings, true) ||
                             drop_oldest(Lane::flows, false) ||
                             (lane == Lane::findings && drop_oldest(Lane::findings, false));
        if (!dropped) return false;
    }
    return true;
}

// The file to append to, made where there is none or the last is full; nullptr: no space.
Segment* Outbox::writable(Lane lane, std::size_t bytes) {
    Files& files = files_[index(lane)];
    const std::size_t wanted = Segment::kEntryBytes + bytes + 8;
    if (!files.empty() && files.back()->bytes() - files.back()->written() >= wanted)
        return files.back().get();
    const std::size_t size = segment_bytes(lane);
    if (wanted + Segment::kHeaderBytes > size) return nullptr;
    if (Segment* again = used_again(lane, size)) return again;
    if (!make_room(size, lane)) return nullptr;
    while (true) {
        auto made = Segment::create(file_name(directory_, lane, next_number_),
                                    static_cast<std::uint32_t>(lane), next_number_, size);
        ++next_number_;
        if (made) {
            files.push_back(*made);
            file_bytes_ += size;
            return files.back().get();
        }
        // A full disk: findings may take the place of older flows.
        ++counts_.no_space;
        if (lane != Lane::findings || made.error().code() != Code::full) return nullptr;
        if (!drop_oldest(Lane::flows, true) && !drop_oldest(Lane::findings, true) &&
            !drop_oldest(Lane::flows, false))
            return nullptr;
    }
}

bool Outbox::append(Lane lane, std::string_view message, std::int64_t now_ns) {
    const std::lock_guard lock(mutex_);
    Segment* file = writable(lane, message.size());
    if (file == nullptr || !file->append(message, now_ns)) {
        ++counts_.shed[index(lane)];
        return false;
    }
    ++counts_.appended[index(lane)];
    if (missing_ > 0 && --missing_ == 0) something_.notify_one();
    return true;
}

bool Outbox::take(Batch& out, std::size_t messages_max, std::size_t bytes_max) {
    const std::lock_guard lock(mutex_);
    out.messages.clear();
    out.ends.clear();
    out.segment.reset();
    held_ = nullptr;
    for (std::size_t lane = 0; lane < kLaneCount; ++lane) {
        const auto found = std::find_if(
            files_[lane].begin(), files_[lane].end(),
            [](const auto& segment) { return segment->acknowledged() < segment->written(); });
        if (found == files_[lane].end()) continue;
        out.lane = static_cast<Lane>(lane);
        out.segment = *found;
        std::size_t offset = out.segment->acknowledged();
        std::size_t bytes = 0;
        std::string_view message;
        std::int64_t time_ns = 0;
        std::size_t next = 0;
        while (out.messages.size() < messages_max && bytes < bytes_max &&
               out.segment->read(offset, message, time_ns, next)) {
            if (out.messages.empty()) out.first_ns = time_ns;
            out.messages.push_back(message);
            out.ends.push_back(next);
            bytes += message.size();
            offset = next;
        }
        if (out.messages.empty()) {  // damaged since it was opened: step over the rest
            counts_.shed[lane] += out.segment->waiting();
            out.segment->acknowledge_to(out.segment->written(), out.segment->waiting());
            continue;
        }
        held_ = out.segment.get();
        held_count_ = out.messages.size();
        return true;
    }
    return false;
}

void Outbox::acknowledge(const Batch& batch, std::size_t count) {
    const std::lock_guard lock(mutex_);
    count = std::min(count, batch.messages.size());
    const std::size_t lane = index(batch.lane);
    counts_.acknowledged[lane] += count;
    held_ = nullptr;
    if (batch.segment->dropped) {
        counts_.shed[lane] += batch.messages.size() - count;
        return;
    }
    if (count == 0) return;
    batch.segment->acknowledge_to(batch.ends[count - 1], count);
    if (batch.segment->waiting() == 0) trim_acknowledged();
}

bool Outbox::has_waiting() const noexcept {
    for (const Files& files : files_) {
        for (const auto& segment : files) {
            if (segment->acknowledged() < segment->written()) return true;
        }
    }
    return false;
}

void Outbox::wait(int timeout_ms) {
    std::unique_lock lock(mutex_);
    if (!woken_ && !has_waiting()) {
        missing_ = 1;
        something_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                            [this] { return woken_ || missing_ == 0; });
        if (missing_ == 0 && !woken_) {
            missing_ = kGatherMessages;
            something_.wait_for(lock, std::chrono::milliseconds(kGatherMs),
                                [this] { return woken_ || missing_ == 0; });
        }
        missing_ = 0;
    }
    woken_ = false;
}

void Outbox::set_limits(const OutboxLimits& limits) {
    const std::lock_guard lock(mutex_);
    limits_ = limits;
    limits_.bytes_max = std::max<std::uint64_t>(limits_.bytes_max, kBytesMin);
    trim_acknowledged();
    static_cast<void>(make_room(0, Lane::findings));
}

void Outbox::wake() {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    something_.notify_all();
}

void Outbox::sync() {
    std::vector<std::shared_ptr<Segment>> fresh;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& segment : files_[index(Lane::findings)]) {
            if (segment->waiting() > 0 && segment->mark_for_sync()) fresh.push_back(segment);
        }
    }
    for (const auto& segment : fresh) segment->sync();
}

std::uint64_t Outbox::replay(std::int64_t since_ns) {
    const std::lock_guard lock(mutex_);
    std::uint64_t again = 0;
    for (Files& files : files_) {
        for (const auto& segment : files) {
            // The batch that is out ends where it will be acknowledged; its file is left alone.
            if (segment.get() != held_) again += segment->rewind(since_ns);
        }
    }
    if (again > 0) {
        woken_ = true;
        something_.notify_one();
    }
    return again;
}

OutboxCounts Outbox::counts() const {
    const std::lock_guard lock(mutex_);
    OutboxCounts out = counts_;
    out.file_bytes = file_bytes_;
    for (std::size_t lane = 0; lane < kLaneCount; ++lane) {
        bool first = true;
        for (const auto& segment : files_[lane]) {
            out.waiting[lane] += segment->waiting();
            out.waiting_bytes += segment->waiting_bytes();
            std::string_view message;
            std::int64_t time_ns = 0;
            std::size_t next = 0;
            if (first && segment->waiting() > 0 &&
                segment->read(segment->acknowledged(), message, time_ns, next)) {
                first = false;
                if (out.oldest_ns == 0 || time_ns < out.oldest_ns) out.oldest_ns = time_ns;
            }
        }
    }
    return out;
}

}  // namespace seine::siem
