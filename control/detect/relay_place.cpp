// Compares delays through shared exits and counts what agreement is worth.
#include "control/detect/relay_place.h"

#include <algorithm>
#include <cmath>

namespace seine::detect {
namespace {

constexpr double kPlaceNatsMax = 6, kPlaceNatsMin = -4;
// Share of members that are found elsewhere than the group: who is not alike was never grown.
constexpr double kOddPlaces = 0.1;

constexpr double kCountMin = 20;  // accounts on either side, for shares to be counted

// Ways so much apart are taken for the same: queues, and ways that change a little.
float slack_ms(float ms) { return 3 + 0.03f * ms; }

std::size_t step_of(double nats) {
    constexpr std::array<double, 7> kEdges = {-4, -1.5, -0.4, 0.4, 1.5, 4, 8};
    return static_cast<std::size_t>(
        std::upper_bound(kEdges.begin(), kEdges.end(), nats) - kEdges.begin());
}

}  // namespace

RelayPlace::RelayPlace(const Population& population, const std::vector<std::uint32_t>& members)
    : all_(population.beyond_ms) {
    for (const std::uint32_t row : members) {
        for (const WayBeyond& way : population.ways_of(row)) {
            if (way.address != Population::kNoRow) seen_.push_back({way.address, way.ms});
            if (way.prefix != Population::kNoRow) seen_.push_back({way.prefix, way.ms});
            own_.push_back(way.ms);
        }
    }
    std::sort(seen_.begin(), seen_.end());
    std::sort(own_.begin(), own_.end());
    calibrate(population, members);
}

double RelayPlace::chance(float ms) const {
    const float slack = slack_ms(ms);
    const auto near = [&](const auto& list) {
        const auto low = std::lower_bound(list.begin(), list.end(), ms - slack);
        return static_cast<double>(std::upper_bound(low, list.end(), ms + slack) - low);
    };
    const auto others = static_cast<double>(all_.size() - own_.size());
    return (near(all_) - near(own_) + 1) / (others + 10);
}

RelayPlace::Count RelayPlace::count(std::uint32_t token, float ms) const {
    const float slack = slack_ms(ms);
    const auto first = std::lower_bound(seen_.begin(), seen_.end(), Seen{token, -1e9f});
    const auto last = std::upper_bound(first, seen_.end(), Seen{token, 1e9f});
    const auto low = std::lower_bound(first, last, Seen{token, ms - slack});
    const auto high = std::upper_bound(low, last, Seen{token, ms + slack});
    return {static_cast<double>(last - first), static_cast<double>(high - low)};
}

RelayPlace::Agreement RelayPlace::agreement(std::span<const WayBeyond> ways, bool self) const {
    constexpr double kPeersMin = 2;
    Agreement out;
    double sum = 0;
    for (const WayBeyond& way : ways) {
        if (out.ways == kWaysMax) break;
        const float slack = slack_ms(way.ms);
        Count c;
        if (way.address != Population::kNoRow) c = count(way.address, way.ms);
        if (self && c.all > 0) --c.all, --c.near;
        if (c.all < kPeersMin && way.prefix != Population::kNoRow) {
            c = count(way.prefix, way.ms);
            for (const WayBeyond& own : ways) {  // of a member, its own ways are among them
                if (!self || own.prefix != way.prefix) continue;
                --c.all;
                if (std::abs(own.ms - way.ms) <= slack) --c.near;
            }
        }
        if (c.all < kPeersMin) continue;
        const double by_chance = chance(way.ms);
        const double share = (std::max(0.0, c.near) + by_chance) / (c.all + 1);
        sum += std::clamp(std::log(share / by_chance), -2.0, 2.5);
        out.nats[out.ways++] = sum;
    }
    return out;
}

RelayPlace::Weight RelayPlace::weigh(std::span<const WayBeyond> ways, bool self) const {
    if (ways_most_ == 0 || ways.empty()) return {};
    const Agreement a = agreement(ways, self);
    const std::size_t n = std::min(a.ways, ways_most_);
    return n == 0 ? Weight{} : weight_[n - 1][step_of(a.nats[n - 1])];
}

double RelayPlace::nats_max() const noexcept {
    double most = 0;
    for (std::size_t n = 0; n < ways_most_; ++n) {
        for (const Weight& weight : weight_[n]) most = std::max(most, weight.nats);
    }
    return most;
}

void RelayPlace::calibrate(const Population& population,
                           const std::vector<std::uint32_t>& members) {
    struct Tally {
        std::array<double, kSteps> at{};
        double all = 0;
    };
    std::array<Tally, kWaysMax> in, out;
    std::vector<std::uint32_t> rows;  // whoever shares an exit with the group
    for (std::size_t i = 0; i < seen_.size(); ++i) {
        if (i > 0 && seen_[i].token == seen_[i - 1].token) continue;
        const auto of = population.rows_of(seen_[i].token);
        rows.insert(rows.end(), of.begin(), of.end());
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    for (const std::uint32_t row : rows) {
        const auto ways = population.ways_of(row);
        if (ways.empty()) continue;
        const bool self = std::binary_search(members.begin(), members.end(), row);
        const Agreement a = agreement(ways, self);
        for (std::size_t n = 0; n < a.ways; ++n) {
            Tally& tally = self ? in[n] : out[n];
            ++tally.at[step_of(a.nats[n])];
            ++tally.all;
        }
    }
    for (std::size_t n = 0; n < kWaysMax; ++n) {
        if (in[n].all < kCountMin || out[n].all < kCountMin) break;
        ways_most_ = n + 1;
        for (std::size_t i = 0; i < kSteps; ++i) {
            Weight& weight = weight_[n][i];
            weight.in_group = in[n].at[i] / in[n].all;
            weight.outside = out[n].at[i] / out[n].all;
            // Bounds as for tokens: what few show says little.
            const double least = std::max(0.5, in[n].at[i] - std::sqrt(in[n].at[i]));
            const double share_in = std::max((least + 0.5) / (in[n].all + 4), kOddPlaces / 2);
            const double most = out[n].at[i] + std::sqrt(out[n].at[i]) + 0.5;
            weight.nats = std::clamp(std::log(share_in / (most / (out[n].all + 4))),
                                     kPlaceNatsMin, kPlaceNatsMax);
        }
    }
}

}  // namespace seine::detect
