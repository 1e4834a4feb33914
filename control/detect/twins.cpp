// Matches errors to first requests over arrays sorted by length and time.
#include "control/detect/twins.h"

#include <algorithm>
#include <cmath>

namespace seine::detect {
namespace {

constexpr std::int64_t kHorizonNs = 3'600 * kSecond;  // connections linger before they are told
// How often a limited request of a pool is repeated elsewhere: careful, so that an event says
// less rather than more.
constexpr double kTwinShare = 0.2;
constexpr double kNatsMax = 6;
// Around an error, where a rush of requests of one length would make twins by chance.
constexpr std::int64_t kRushNs = 30 * kSecond;

std::uint64_t pair_key(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::uint64_t>(std::min(a, b)) << 32 | std::max(a, b);
}

}  // namespace

void Twins::head(Nanos opened, std::uint32_t account, std::uint32_t org,
                 std::uint32_t request_bytes) {
    if (fresh_heads_.size() + heads_.size() >= limits_.heads_max) {
        ++evicted_;
        return;
    }
    fresh_heads_.push_back({opened.count, account, org, request_bytes});
}

void Twins::tail(Nanos asked, std::uint32_t account, std::uint32_t org,
                 std::uint32_t request_bytes) {
    if (fresh_tails_.size() + tails_.size() >= limits_.tails_max) {
        ++evicted_;
        return;
    }
    fresh_tails_.push_back({asked.count, account, org, request_bytes});
}

// Marks of a length and of those that differ by the slack, each length in the order of time: from
// `first` on, to `last` and with it.
template <typename Take>
void Twins::each(const std::vector<Mark>& marks, std::uint32_t bytes, std::int64_t first,
                 std::int64_t last, Take take) {
    const std::uint32_t least = bytes > kSlackBytes ? bytes - kSlackBytes : 0;
    auto at = marks.begin();
    for (std::uint32_t length = least; length <= bytes + kSlackBytes; ++length) {
        at = std::lower_bound(at, marks.end(), Mark{first, 0, 0, length});
        for (; at != marks.end() && at->bytes == length && at->at <= last; ++at) take(*at);
        if (at == marks.end()) return;
        if (at->bytes > length) length = std::max(length, at->bytes - 1);
    }
}

std::size_t Twins::as_long(const std::vector<Mark>& marks, std::uint32_t bytes) {
    const std::uint32_t least = bytes > kSlackBytes ? bytes - kSlackBytes : 0;
    const auto low = std::lower_bound(marks.begin(), marks.end(), Mark{INT64_MIN, 0, 0, least});
    const auto high = std::upper_bound(
        low, marks.end(), Mark{INT64_MAX, 0xffffffffu, 0xffffffffu, bytes + kSlackBytes});
    return static_cast<std::size_t>(high - low);
}

// By chance as many first requests of this length come in the window, at any time, or from other
// organisations in the minute around the error: clients that start together are a rush.
double Twins::nats_of(const Mark& tail, std::int64_t moved, double span_s) const {
    const double window_s = static_cast<double>(kWindowNs) / 1e9;
    const double all = static_cast<double>(as_long(heads_, tail.bytes)) +
                       static_cast<double>(as_long(fresh_heads_, tail.bytes));
    double rate = (all + 0.5) / span_s;
    double around = 0;
    for (const auto* heads : {&heads_, &fresh_heads_}) {
        each(*heads, tail.bytes, tail.at + moved - kRushNs, tail.at + moved + kRushNs,
             [&](const Mark& m) { around += m.org != tail.org ? 1 : 0; });
    }
    const double rush = std::max(0.0, around - 2 * std::sqrt(around));
    rate = std::max(rate, rush / (2 * static_cast<double>(kRushNs) / 1e9));
    return std::min(std::log(kTwinShare / (rate * window_s)), kNatsMax);
}

void Twins::search(const std::vector<Mark>& tails, const std::vector<Mark>& heads,
                   std::int64_t moved, double span_s, Edges& out, std::uint16_t now_h) {
    for (const Mark& tail : tails) {
        double nats = 0;
        const std::int64_t from = tail.at + moved;
        each(heads, tail.bytes, from, from + kWindowNs, [&](const Mark& head) {
            if (head.org == tail.org || nats < 0) return;
            if (nats == 0) nats = nats_of(tail, moved, span_s);
            if (nats <= 0) {
                nats = -1;
                return;
            }
            const std::uint64_t key = pair_key(head.account, tail.account);
            const auto at = out.find(key);
            if (at == out.end() && out.size() >= limits_.edges_max) {
                ++evicted_;
                return;
            }
            TwinEdge& edge = at == out.end() ? out[key] : at->second;
            edge.nats += static_cast<float>(nats);
            edge.count = static_cast<std::uint16_t>(std::min<unsigned>(edge.count + 1u, 65535));
            edge.last_h = now_h;
        });
    }
}

void Twins::settle(std::vector<Mark>& old, std::vector<Mark>& fresh, std::int64_t oldest) {
    std::erase_if(old, [oldest](const Mark& m) { return m.at < oldest; });
    std::erase_if(fresh, [oldest](const Mark& m) { return m.at < oldest; });
    const auto middle = static_cast<std::ptrdiff_t>(old.size());
    old.insert(old.end(), fresh.begin(), fresh.end());
    std::inplace_merge(old.begin(), old.begin() + middle, old.end());
    fresh.clear();
}

void Twins::match(Nanos now, std::uint16_t now_h) {
    drop_forgotten();
    std::sort(fresh_heads_.begin(), fresh_heads_.end());
    std::sort(fresh_tails_.begin(), fresh_tails_.end());
    std::int64_t first = now.count;
    for (const auto* heads : {&heads_, &fresh_heads_}) {
        for (const Mark& m : *heads) first = std::min(first, m.at);
    }
    const double span_s =
        std::max(60.0, static_cast<double>(now.count - first) / static_cast<double>(kSecond));
    constexpr std::int64_t kMoved = 11 * kSecond;
    std::vector<std::int64_t> opened;  // when the fresh ones were
    for (const Mark& m : fresh_heads_) opened.push_back(m.at);
    std::sort(opened.begin(), opened.end());
    std::vector<Mark> met;
    for (const std::int64_t moved : {std::int64_t{0}, kMoved}) {
        Edges& out = moved == 0 ? edges_ : chance_;
        search(fresh_tails_, heads_, moved, span_s, out, now_h);
        search(fresh_tails_, fresh_heads_, moved, span_s, out, now_h);
        // Of the old errors hardly one was followed by a request that is told only now.
        met.clear();
        for (const Mark& tail : tails_) {
            const auto at = std::lower_bound(opened.begin(), opened.end(), tail.at + moved);
            if (at != opened.end() && *at <= tail.at + moved + kWindowNs) met.push_back(tail);
        }
        search(met, fresh_heads_, moved, span_s, out, now_h);
    }
    settle(heads_, fresh_heads_, now.count - kHorizonNs);
    settle(tails_, fresh_tails_, now.count - kHorizonNs);
}

void Twins::expire(std::uint16_t oldest_h) {
    std::erase_if(edges_, [oldest_h](const auto& e) { return e.second.last_h < oldest_h; });
    std::erase_if(chance_, [oldest_h](const auto& e) { return e.second.last_h < oldest_h; });
}

void Twins::forget_account(std::uint32_t account) {
    forgotten_[account] = {fresh_heads_.size(), fresh_tails_.size()};
}

// All at once: a flood of accounts evicts many, and each alone would be a walk over all edges.
void Twins::drop_forgotten() {
    if (forgotten_.empty()) return;
    const auto touches = [this](const auto& e) { return forgotten_edge(e.first); };
    std::erase_if(edges_, touches);
    std::erase_if(chance_, touches);
    const auto gone = [this](const Mark& m) { return forgotten_.contains(m.account); };
    std::erase_if(heads_, gone);
    std::erase_if(tails_, gone);
    const auto drop = [this](std::vector<Mark>& fresh, std::size_t Gone::*count) {
        std::size_t at = 0;
        std::erase_if(fresh, [&](const Mark& m) {
            const auto found = forgotten_.find(m.account);
            return at++ < (found == forgotten_.end() ? 0 : found->second.*count);
        });
    };
    drop(fresh_heads_, &Gone::heads);
    drop(fresh_tails_, &Gone::tails);
    forgotten_.clear();
}

std::size_t Twins::bytes() const noexcept {
    return sizeof(Mark) * (heads_.capacity() + fresh_heads_.capacity() + tails_.capacity() +
                           fresh_tails_.capacity()) +
           48 * (edges_.size() + chance_.size() + forgotten_.size());
}

}  // namespace seine::detect
