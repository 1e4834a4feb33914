// The plainest possible SegmentBuffer: a map of bytes. Tests and the fuzz target compare with it.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "dataplane/stream/segment_buffer.h"

namespace seine::stream {

class SegmentModel {
  public:
    struct Answer {
        Added added = Added::empty;
        bool conflict = false;
    };

    SegmentModel(std::uint64_t base, const Room& room) : base_(base), room_(room) {}

    // What add() with all of it left unused, then finish(0), must come to.
    Answer add(std::uint64_t offset, ByteView bytes) {
        Answer out;
        if (bytes.empty()) return out;
        const std::uint64_t end = offset + bytes.size();
        if (end <= base_) return {Added::below_base, false};
        if (end > base_ + room_.bytes_max) return {Added::limit_bytes, false};
        std::map<std::uint64_t, std::uint8_t> after = held_;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            if (offset + i < base_) continue;
            const auto [at, fresh] = after.emplace(offset + i, bytes[i]);
            if (!fresh && at->second != bytes[i]) out.conflict = true;
        }
        if (after.size() == held_.size()) {
            out.added = Added::duplicate;
            return out;
        }
        if (runs(after) > runs(held_) && runs(after) > room_.segments_max) return {Added::limit_segments, false};
        const std::size_t ready_before = ready().size();
        held_.swap(after);
        out.added = ready().size() > ready_before ? Added::ready : Added::waiting;
        return out;
    }
    void consume(std::uint64_t count) {
        if (count > 0) consumed_ = true;
        base_ += count;
        held_.erase(held_.begin(), held_.lower_bound(base_));
    }
    bool rebase(std::uint64_t offset) {
        if (consumed_ || offset > base_) return false;
        if (!held_.empty() && offset != base_ && held_.rbegin()->first + 1 - offset > room_.bytes_max) return false;
        base_ = offset;
        return true;
    }
    std::uint64_t skip_gap() {
        if (held_.empty() || held_.begin()->first == base_) return 0;
        const std::uint64_t gap = held_.begin()->first - base_;
        consume(gap);
        return gap;
    }
    [[nodiscard]] std::string ready() const {
        std::string out;
        std::uint64_t at = base_;
        for (auto each = held_.find(base_); each != held_.end() && each->first == at; ++each, ++at) {
            out.push_back(static_cast<char>(each->second));
        }
        return out;
    }
    void clear() { held_.clear(); }
    [[nodiscard]] std::uint64_t base() const { return base_; }
    [[nodiscard]] std::size_t held_bytes() const { return held_.size(); }
    [[nodiscard]] std::size_t run_count() const { return runs(held_); }
    [[nodiscard]] std::uint64_t highest_end() const {
        return held_.empty() ? base_ : held_.rbegin()->first + 1;
    }

  private:
    static std::size_t runs(const std::map<std::uint64_t, std::uint8_t>& bytes) {
        std::size_t count = 0;
        std::uint64_t next = 0;
        for (const auto& [at, byte] : bytes) {
            if (count == 0 || at != next) ++count;
            next = at + 1;
        }
        return count;
    }
    std::uint64_t base_;
    Room room_;
    std::map<std::uint64_t, std::uint8_t> held_;
    bool consumed_ = false;
};

}  // namespace seine::stream
