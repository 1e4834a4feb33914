// Opening, repeating nothing, and going on after damage.
#include "control/dataplane_link/ring_source.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace seine::dataplane_link {
namespace {

// Calls of next() between two looks whether a ring is there, or another one.
constexpr unsigned kCallsBetweenLooks = 16;

}  // namespace

std::string to_text(const RingPlace& place) {
    return std::to_string(place.file_id) + " " + std::to_string(place.epoch) + " " + std::to_string(place.sequence) + " " +
           (place.any ? "1 " : "0 ") + std::to_string(place.lost);
}

RingPlace place_from(const std::string& text) {
    RingPlace place;
    unsigned long long file = 0;
    unsigned epoch = 0;
    unsigned long long sequence = 0;
    unsigned any = 1;  // places of the release before say no more than the sequence
    unsigned long long lost = 0;
    place.known = std::sscanf(text.c_str(), "%llu %u %llu %u %llu", &file, &epoch, &sequence, &any, &lost) >= 3;
    if (place.known) {
        place.file_id = file;
        place.epoch = epoch;
        place.sequence = sequence;
        place.any = any != 0;
        place.lost = lost;
    }
    return place;
}

bool RingSource::open() {
    if (until_retry_ > 0) {
        --until_retry_;
        return false;
    }
    until_retry_ = kCallsBetweenLooks;
    auto opened = exporting::RingReader::open(path_);
    if (!opened) {
        problem_ = opened.error().message();
        return false;
    }
    problem_.clear();
    reader_ = std::move(*opened);
    ++reading_;
    stored_position_ = reader_->mark().position;
    read_ = {reader_->file_id(), reader_->epoch(), 0, false, 0, true};
    if (stored_.known && stored_.file_id == read_.file_id) read_ = stored_;
    return true;
}

bool RingSource::was_stored(std::uint64_t sequence) const noexcept {
    return stored_.known && stored_.any && stored_.file_id == read_.file_id && sequence <= stored_.sequence;
}

bool RingSource::next(contract::RecordView& out) {
    if (reader_ == nullptr && !open()) return false;
    exporting::RingEntry entry;
    while (true) {
        switch (reader_->next(entry)) {
            case Parse::ok:
                break;
            case Parse::malformed:
                ++counters_.damaged;
                reader_->skip_damage();
                problem_ = path_ + ": the ring was damaged; what was in it is counted as lost, reading goes on";
                return false;
            case Parse::need_more:
            case Parse::not_this:
            case Parse::limit:
                return false;
        }
        if (was_stored(entry.sequence)) {
            ++counters_.repeated;
            continue;
        }
        read_.sequence = entry.sequence;
        read_.epoch = reader_->epoch();
        read_.any = true;
        const Parse parse = contract::read_frame(entry.frame, out);
        if (parse == Parse::ok) {
            ++counters_.records;
            frame_ = entry.frame;
            return true;
        }
        ++(parse == Parse::not_this ? counters_.unknown : counters_.malformed);
    }
}

RingSource::Mark RingSource::mark() const noexcept {
    if (reader_ == nullptr) return {};
    return {reading_, read_, reader_->mark()};
}

void RingSource::stored(const Mark& mark) {
    if (reader_ == nullptr || mark.reading != reading_) return;
    if (was_stored(mark.place.sequence) && stored_.sequence != mark.place.sequence) return;
    stored_ = mark.place;
    reader_->commit(mark.reader);
    stored_position_ = std::max(stored_position_, mark.reader.position);
    if (mark.reader.position != reader_->mark().position) return;
    // A ring that was set aside and made anew is left once everything of it is stored.
    if (until_retry_ > 0) {
        --until_retry_;
        return;
    }
    until_retry_ = kCallsBetweenLooks;
    if (!reader_->replaced()) return;
    ++counters_.replaced;
    lost_untold_ += take_lost();
    lost_of_earlier_files_ += lost();
    reader_.reset();
    until_retry_ = 0;
}

std::uint64_t RingSource::lost() const noexcept {
    return reader_ == nullptr ? 0 : reader_->totals().lost + reader_->lost_at_end();
}

std::uint64_t RingSource::take_lost() noexcept {
    const std::uint64_t now = lost();
    std::uint64_t fresh = std::exchange(lost_untold_, 0);
    if (now > read_.lost) fresh += now - std::exchange(read_.lost, now);
    return fresh;
}

RingCounters RingSource::counters() const noexcept {
    RingCounters out = counters_;
    out.lost = lost_of_earlier_files_ + lost();
    return out;
}

}  // namespace seine::dataplane_link
