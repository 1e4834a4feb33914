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

RelayPlace::RelayPlace(const Population& population, const std::vector<std::uint32_t>& members) {
    for (const std::uint32_t row : members) {
        for (const WayBeyond& way : population.ways_of(row)) {
            if (way.address != Population::kNoRow) seen_.push_back({way.address, way.ms});
            if (way.prefix != Population::kNoRow) seen_.push_back({way.prefix, way.ms});
        }
    }
    std::sort(seen_.begin(), seen_.end());
    auto member = members.begin();
    for (std::uint32_t row = 0; row < population.size(); ++row) {
        if (member != members.end() && *member == row) {
            ++member;
            continue;
        }
        for (const WayBeyond& way : population.ways_of(row)) others_.push_back(way.ms);
    }
    std::sort(others_.begin(), others_.end());
    calibrate(population, members);
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
        const auto low = std::lower_bound(others_.begin(), others_.end(), way.ms - slack);
        const auto high = std::upper_bound(low, others_.end(), way.ms + slack);
        const double chance = (static_cast<double>(high - low) + 1) /
                              (static_cast<double>(others_.size()) + 10);
        const double share = (std::max(0.0, c.near) + chance) / (c.all + 1);
        sum += std::clamp(std::log(share / chance), -2.0, 2.5);
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

void RelayPlace::calibrate(const Population& population,
                           const std::vector<std::uint32_t>& members) {
    struct Tally {
        std::array<double, kSteps> at{};
        double all = 0;
    };
    std::array<Tally, kWaysMax> in, out;
    auto member = members.begin();
    for (std::uint32_t row = 0; row < population.size(); ++row) {
        const bool self = member != members.end() && *member == row;
        if (self) ++member;
        const auto ways = population.ways_of(row);
        if (ways.empty()) continue;
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
