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

void Twins::search(const std::vector<Mark>& tails, const std::vector<Mark>& heads,
                   std::int64_t moved, double span_s, std::size_t population, Edges& out,
                   std::uint16_t now_h) {
    if (heads.empty()) return;
    const double window_s = static_cast<double>(kWindowNs) / 1e9;
    for (const Mark& tail : tails) {
        const auto low = std::lower_bound(
            heads.begin(), heads.end(),
            Mark{INT64_MIN, 0, 0, tail.bytes > kSlackBytes ? tail.bytes - kSlackBytes : 0});
        const auto high = std::upper_bound(
            low, heads.end(), Mark{INT64_MAX, 0xffffffffu, 0xffffffffu, tail.bytes + kSlackBytes});
        // By chance: as many first requests of this length come in the window.
        const double scale = static_cast<double>(population) / static_cast<double>(heads.size());
        const double mu = (static_cast<double>(high - low) * scale + 0.5) / span_s * window_s;
        const double nats = std::log(kTwinShare / mu);
        if (nats <= 0) continue;
        for (auto head = low; head != high; ++head) {
            const std::int64_t lag = head->at - tail.at - moved;
            if (lag < 0 || lag > kWindowNs || head->org == tail.org) continue;
            const std::uint64_t key = pair_key(head->account, tail.account);
            const auto at = out.find(key);
            if (at == out.end() && out.size() >= limits_.edges_max) {
                ++evicted_;
                continue;
            }
            TwinEdge& edge = at == out.end() ? out[key] : at->second;
            edge.nats += static_cast<float>(std::min(nats, kNatsMax));
            edge.count = static_cast<std::uint16_t>(std::min<unsigned>(edge.count + 1u, 65535));
            edge.last_h = now_h;
        }
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
    std::vector<Mark> all_heads(heads_);
    all_heads.insert(all_heads.end(), fresh_heads_.begin(), fresh_heads_.end());
    std::inplace_merge(all_heads.begin(),
                       all_heads.begin() + static_cast<std::ptrdiff_t>(heads_.size()),
                       all_heads.end());
    std::int64_t first = now.count;
    for (const Mark& m : all_heads) first = std::min(first, m.at);
    const double span_s =
        std::max(60.0, static_cast<double>(now.count - first) / static_cast<double>(kSecond));
    const std::size_t population = all_heads.size();
    constexpr std::int64_t kMoved = 11 * kSecond;
    search(fresh_tails_, all_heads, 0, span_s, population, edges_, now_h);
    search(tails_, fresh_heads_, 0, span_s, population, edges_, now_h);
    search(fresh_tails_, all_heads, kMoved, span_s, population, chance_, now_h);
    search(tails_, fresh_heads_, kMoved, span_s, population, chance_, now_h);
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
