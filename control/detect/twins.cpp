// Matches errors to first requests over arrays sorted by length and time.
#include "control/detect/twins.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace seine::detect {
namespace {

constexpr std::int64_t kHorizonNs = 3'600 * kSecond;  // connections linger before they are told
constexpr double kRarityMax = 10;  // of one pair
// A pair is kept, and counted, if chance brings it to one tail in twenty at most.
constexpr double kRarityMin = 3;
// Before anything was counted: as if one of a hundred tails had come back.
constexpr double kRepeatedFirst = 1, kTailsFirst = 100;
constexpr double kTailsMax = 1 << 22;  // then the oldest half counts half
// A head is about as likely to be a little longer or shorter: what lies within a twentieth speaks
// for the few that are exactly as long.
constexpr double kAbout = 0.05;
constexpr double kHeadsLeast = 0.1;  // as if so many were seen
constexpr std::array<std::int64_t, Twins::kClocks> kMoved = {
    11 * kSecond,  17 * kSecond,  23 * kSecond,  29 * kSecond,
    -11 * kSecond, -17 * kSecond, -23 * kSecond, -29 * kSecond};
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
                 std::uint32_t request_bytes, Ending ending) {
    if (fresh_tails_.size() + tails_.size() >= limits_.tails_max) {
        ++evicted_;
        return;
    }
    fresh_tails_.push_back({asked.count, account, org, request_bytes, ending});
}

// Marks of a length and of those that differ by the slack, each length in the order of time: from
// `first` on, to `last` and with it.
template <typename Take>
void Twins::each(const std::vector<Mark>& marks, std::uint32_t bytes, std::int64_t first,
                 std::int64_t last, Take take) {
    const std::uint32_t least = bytes > kSlackBytes ? bytes - kSlackBytes : 0;
    auto at = marks.begin();
    for (std::uint32_t length = least; length <= bytes + kSlackBytes; ++length) {
        at = std::lower_bound(at, marks.end(), Mark{first, 0, 0, length, {}});
        for (; at != marks.end() && at->bytes == length && at->at <= last; ++at) take(*at);
        if (at == marks.end()) return;
        if (at->bytes > length) length = std::max(length, at->bytes - 1);
    }
}

std::size_t Twins::as_long(const std::vector<Mark>& marks, std::uint32_t bytes,
                           std::uint32_t slack_bytes) {
    const std::uint32_t least = bytes > slack_bytes ? bytes - slack_bytes : 0;
    const auto low = std::lower_bound(marks.begin(), marks.end(), Mark{INT64_MIN, 0, 0, least, {}});
    const auto high = std::upper_bound(
        low, marks.end(), Mark{INT64_MAX, 0xffffffffu, 0xffffffffu, bytes + slack_bytes, {}});
    return static_cast<std::size_t>(high - low);
}

// By chance as many first requests of this length come in the window, at any other time, or from
// other organisations in the minute around the error: clients that start together are a rush.
double Twins::rarity_of(const Mark& tail, std::int64_t moved, double span_s) const {
    constexpr double kWindowS = static_cast<double>(kWindowNs) / 1e9;
    const auto about = std::max(
        kSlackBytes, static_cast<std::uint32_t>(kAbout * static_cast<double>(tail.bytes)));
    double exactly = 0, around = 0, alike = 0;
    for (const auto* heads : {&heads_, &fresh_heads_}) {
        alike += static_cast<double>(as_long(*heads, tail.bytes, about));
        each(*heads, tail.bytes, INT64_MIN, INT64_MAX, [&](const Mark& head) {
            if (head.org == tail.org) return;
            const std::int64_t lag = head.at - tail.at - moved;
            if (lag < 0 || lag > kWindowNs) exactly += 1;
            if (std::abs(lag) <= kRushNs) around += 1;
        });
    }
    alike *= (2.0 * kSlackBytes + 1) / (2.0 * about + 1);
    double rate = (exactly + alike + kHeadsLeast) / span_s;
    const double rush = std::max(0.0, around - 2 * std::sqrt(around));
    rate = std::max(rate, rush / (2 * static_cast<double>(kRushNs) / 1e9));
    return std::min(-std::log(rate * kWindowS), kRarityMax);
}

void Twins::pair_up(const Mark& tail, const Mark& head, const Clock& clock) {
    if (head.org == tail.org) return;
    const double rarity = rarity_of(tail, clock.moved, clock.span_s);
    if (rarity < kRarityMin) return;
    const auto kind = static_cast<std::size_t>(tail.ending);
    (clock.moved == 0 ? tallies_[kind].pairs : tallies_[kind].chance) += 1;
    Edges& out = clock.moved == 0 ? edges_ : chance_;
    const std::uint64_t key = pair_key(head.account, tail.account);
    const auto at = out.find(key);
    if (at == out.end() && out.size() >= limits_.edges_max) {
        ++evicted_;
        return;
    }
    TwinEdge& edge = at == out.end() ? out[key] : at->second;
    edge.rarity[kind] += static_cast<float>(rarity);
    if (edge.count[kind] < 255) ++edge.count[kind];
    edge.last_h = clock.now_h;
}

void Twins::search(const std::vector<Mark>& tails, const std::vector<Mark>& heads,
                   const Clock& clock) {
    for (const Mark& tail : tails) {
        const std::int64_t from = tail.at + clock.moved;
        each(heads, tail.bytes, from, from + kWindowNs,
             [&](const Mark& head) { pair_up(tail, head, clock); });
    }
}

double Twins::repeated(Ending ending) const noexcept {
    const Tally& t = tallies_[static_cast<std::size_t>(ending)];
    const double chance = t.chance / static_cast<double>(kClocks);
    const double beyond = std::max(0.0, t.pairs - chance - std::sqrt(t.pairs + chance));
    return std::min(1.0, (beyond + kRepeatedFirst) / (t.tails + kTailsFirst));
}

double Twins::nats(const TwinEdge& edge) const noexcept {
    double sum = 0;
    for (std::size_t kind = 0; kind < kEndings; ++kind) {
        if (edge.count[kind] == 0) continue;
        const double share = repeated(static_cast<Ending>(kind));
        sum += std::max(0.0, edge.rarity[kind] + edge.count[kind] * std::log(share));
    }
    return sum;
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
    for (const Mark& m : fresh_tails_) tallies_[static_cast<std::size_t>(m.ending)].tails += 1;
    std::vector<std::int64_t> opened;  // when the fresh ones were
    for (const Mark& m : fresh_heads_) opened.push_back(m.at);
    std::sort(opened.begin(), opened.end());
    std::vector<Mark> met;
    for (std::size_t k = 0; k <= kClocks; ++k) {
        const Clock clock{k == 0 ? 0 : kMoved[k - 1], span_s, now_h};
        search(fresh_tails_, heads_, clock);
        search(fresh_tails_, fresh_heads_, clock);
        // Of the old errors hardly one was followed by a request that is told only now.
        met.clear();
        for (const Mark& tail : tails_) {
            const std::int64_t from = tail.at + clock.moved;
            const auto at = std::lower_bound(opened.begin(), opened.end(), from);
            if (at != opened.end() && *at <= from + kWindowNs) met.push_back(tail);
        }
        search(met, fresh_heads_, clock);
    }
    for (Tally& t : tallies_) {
        if (t.tails > kTailsMax) t = {t.tails / 2, t.pairs / 2, t.chance / 2};
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
