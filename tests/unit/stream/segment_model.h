// The plainest possible SegmentBuffer: one cell a byte. Tests and the fuzz target compare with it.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

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
        std::vector<std::int16_t> after = cells_;
        after.resize(std::max<std::size_t>(after.size(), end - base_), kAbsent);
        bool fresh = false;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            if (offset + i < base_) continue;
            std::int16_t& cell = after[offset + i - base_];
            if (cell == kAbsent) {
                cell = bytes[i];
                fresh = true;
            } else if (cell != bytes[i]) {
                out.conflict = true;
            }
        }
        if (!fresh) {
            out.added = Added::duplicate;
            return out;
        }
        if (runs(after) > runs(cells_) && runs(after) > room_.segments_max) return {Added::limit_segments, false};
        const std::size_t ready_before = ready().size();
        cells_.swap(after);
        out.added = ready().size() > ready_before ? Added::ready : Added::waiting;
        return out;
    }
    void consume(std::uint64_t count) {
        if (count > 0) consumed_ = true;
        base_ += count;
        const auto gone = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(count, cells_.size()));
        cells_.erase(cells_.begin(), cells_.begin() + gone);
    }
    bool rebase(std::uint64_t offset) {
        if (consumed_ || offset > base_) return false;
        const std::uint64_t down = base_ - offset;
        if (!cells_.empty() && down > 0 && cells_.size() + down > room_.bytes_max) return false;
        if (!cells_.empty()) cells_.insert(cells_.begin(), down, kAbsent);
        base_ = offset;
        return true;
    }
    std::uint64_t skip_gap() {
        std::size_t gap = 0;
        while (gap < cells_.size() && cells_[gap] == kAbsent) ++gap;
        consume(gap);
        return gap;
    }
    [[nodiscard]] std::string ready() const {
        std::string out;
        for (const std::int16_t cell : cells_) {
            if (cell == kAbsent) break;
            out.push_back(static_cast<char>(cell));
        }
        return out;
    }
    void clear() { cells_.clear(); }
    [[nodiscard]] std::uint64_t base() const { return base_; }
    [[nodiscard]] std::size_t held_bytes() const {
        return cells_.size() - static_cast<std::size_t>(std::count(cells_.begin(), cells_.end(), kAbsent));
    }
    [[nodiscard]] std::size_t run_count() const { return runs(cells_); }
    [[nodiscard]] std::uint64_t highest_end() const { return base_ + cells_.size(); }

  private:
    static constexpr std::int16_t kAbsent = -1;

    static std::size_t runs(const std::vector<std::int16_t>& cells) {
        std::size_t count = 0;
        std::int16_t before = kAbsent;
        for (const std::int16_t cell : cells) {
            if (cell != kAbsent && before == kAbsent) ++count;
            before = cell;
        }
        return count;
    }
    std::uint64_t base_;
    Room room_;
    std::vector<std::int16_t> cells_;  // from the base on; the last one is present
    bool consumed_ = false;
};

}  // namespace seine::stream
