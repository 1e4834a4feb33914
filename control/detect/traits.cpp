// Gathers the traits of members and weighs them.
#include "control/detect/traits.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <unordered_map>

namespace seine::detect {
namespace {

constexpr double kLean = 3;  // members' worth of the whole in the shares of a side
constexpr float kShareSteps = 128;

}  // namespace

Traits::Traits(const Population& population, const TwinGraph& twins, const TwinGraph& chance,
               const std::vector<std::uint32_t>& members) {
    std::array<std::unordered_map<std::uint32_t, std::uint32_t>, kKinds> id_of;
    for (std::uint32_t at = 0; at < members.size(); ++at) {
        for (auto& list : ids_) list.emplace_back();
        for (const std::uint32_t token : population.tokens_of(members[at])) {
            const SharedToken& t = population.tokens[token];
            Kind kind = client;
            if (t.channel == Channel::onboard) {
                kind = onboard;
            } else if (t.channel == Channel::mix) {
                kind = mix;
            } else if (t.channel != Channel::client) {
                continue;
            }
            const auto [found, fresh] =
                id_of[kind].emplace(token, static_cast<std::uint32_t>(with_[kind].size()));
            if (fresh) with_[kind].emplace_back();
            ids_[kind][at].push_back(found->second);
            with_[kind][found->second].push_back(at);
        }
        add(population, members[at], members.size() <= kExactMax);
    }
    number();
    tie(population, twins, chance, members);
}

void Traits::add(const Population& population, std::uint32_t row, bool exact) {
    const ShapeHistogram& shapes = population.shapes[row];
    const auto total = static_cast<float>(shapes.total());
    std::vector<Size> sizes;
    for (std::size_t bin = 0; bin < ShapeHistogram::kBins; ++bin) {
        if (shapes.count[bin] == 0) continue;
        float share = shapes.count[bin] / total;
        if (!exact) share = std::max(1.0f, std::round(share * kShareSteps)) / kShareSteps;
        sizes.push_back({static_cast<std::uint8_t>(bin), share, 0});
    }
    sizes_.push_back(std::move(sizes));
    weight_.push_back(std::min(kSizesMax, total));
    connections_.push_back(static_cast<float>(population.rows[row].connections));
}

void Traits::number() {
    using Numbers = std::unordered_map<std::uint64_t, std::uint32_t>;
    const auto number_of = [](Numbers& numbers, std::uint64_t high, std::uint32_t low) {
        const auto next = static_cast<std::uint32_t>(numbers.size());
        return numbers.emplace(high << 32 | low, next).first->second;
    };
    for (std::size_t k = 0; k < kKinds; ++k) {
        Numbers numbers;
        for (const Ids& ids : ids_[k]) {
            Ids& out = alike_[k].emplace_back();
            for (const std::uint32_t id : ids) out.push_back(number_of(numbers, ids.size(), id));
        }
        alikes_[k] = numbers.size();
    }
    Numbers numbers;
    for (std::vector<Size>& sizes : sizes_) {
        for (Size& s : sizes)
            s.alike = number_of(numbers, s.bin, std::bit_cast<std::uint32_t>(s.share));
    }
    sizes_alike_ = numbers.size();
}

void Traits::tie(const Population& population, const TwinGraph& twins, const TwinGraph& chance,
                 const std::vector<std::uint32_t>& members) {
    const std::size_t n = members.size();
    ties_.resize(n);
    double by_chance = 0;
    std::unordered_map<std::uint32_t, std::uint32_t> first_with;
    for (std::uint32_t i = 0; i < n; ++i) {
        for (const std::uint32_t other : twins.of(members[i])) {
            const auto at = std::lower_bound(members.begin(), members.end(), other);
            if (at == members.end() || *at != other) continue;
            ties_[i].push_back(static_cast<std::uint32_t>(at - members.begin()));
        }
        for (const std::uint32_t other : chance.of(members[i])) {
            by_chance += std::binary_search(members.begin(), members.end(), other) ? 0.5 : 0;
        }
        for (const std::uint32_t token : population.tokens_of(members[i])) {
            if (group_of(population.tokens[token].channel) != model::Group::lnk) continue;
            const std::uint32_t j = first_with.emplace(token, i).first->second;
            if (j == i) continue;
            ties_[i].insert(ties_[i].end(), 2, j);
            ties_[j].insert(ties_[j].end(), 2, i);
        }
    }
    const double pairs = std::max(1.0, static_cast<double>(n) * static_cast<double>(n - 1) / 2);
    chance_rate_ = (by_chance / static_cast<double>(Twins::kClocks) + 0.5) / pairs;
}

Side::Side(const Traits& traits, const Times& times) : traits_(&traits), times_(times) {
    for (std::size_t k = 0; k < Traits::kKinds; ++k) {
        count_[k].assign(traits.values(static_cast<Traits::Kind>(k)), 0);
    }
}

Side::Known& Side::known(std::size_t kind, Weight own, std::size_t alikes,
                         const Side& whole) const {
    if (known_whole_ != &whole) {
        for (Known& known : known_) known.clear();
        known_whole_ = &whole;
    }
    Known& known = known_[kWeights * kind + static_cast<std::size_t>(own)];
    if (known.empty()) known.assign(alikes, std::numeric_limits<double>::quiet_NaN());
    return known;
}

void Side::add(std::uint32_t at, Weight weight) {
    const double times = times_[static_cast<std::size_t>(weight)];
    known_whole_ = nullptr;
    n_ += times;
    for (std::size_t k = 0; k < Traits::kKinds; ++k) {
        const auto& ids = traits_->ids(static_cast<Traits::Kind>(k), at);
        for (const std::uint32_t id : ids) {
            count_[k][id] += times / static_cast<double>(ids.size());
        }
    }
    if (traits_->weight(at) < Traits::kSizesMin) return;
    n_sizes_ += times;
    for (const Traits::Size& s : traits_->sizes(at)) sizes_[s.bin] += times * s.share;
}

double Side::tokens(Traits::Kind kind, std::uint32_t at, const Side& whole, Weight own) const {
    const auto& ids = traits_->ids(kind, at);
    if (ids.empty()) return 0;
    const double times = times_[static_cast<std::size_t>(own)];
    const double mine = times / static_cast<double>(ids.size());
    const auto& alike = traits_->alike(kind, at);
    Known& logs = known(kind, own, traits_->alikes(kind), whole);
    double sum = 0;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const std::uint32_t id = ids[i];
        double& log = logs[alike[i]];
        if (!std::isnan(log)) {
            sum += log;
            continue;
        }
        // The whole holds the member too: one account's worth is taken out and a little put in.
        const double all =
            std::max(0.0, whole.count_[kind][id] - 1 / static_cast<double>(ids.size()));
        const double base = (all + 0.1) / (whole.n_ + 1);
        const double here = std::max(0.0, count_[kind][id] - mine);
        log = std::log((here + kLean * base) / (n_ - times + kLean));
        sum += log;
    }
    return sum / static_cast<double>(ids.size());
}

double Side::sizes(std::uint32_t at, const Side& whole, Weight own) const {
    const float weight = traits_->weight(at);
    if (weight < Traits::kSizesMin) return 0;
    const double times = times_[static_cast<std::size_t>(own)];
    Known& logs = known(Traits::kKinds, own, traits_->sizes_alike(), whole);
    double sum = 0;
    for (const Traits::Size& s : traits_->sizes(at)) {
        double& log = logs[s.alike];
        if (!std::isnan(log)) {
            sum += s.share * log;
            continue;
        }
        const double all = std::max(0.0, whole.sizes_[s.bin] - s.share);
        const double base = (all + 0.02) / (whole.n_sizes_ + 1);
        const double here = std::max(0.0, sizes_[s.bin] - times * s.share);
        log = std::log((here + kLean * base) / (n_sizes_ - times + kLean));
        sum += s.share * log;
    }
    return weight * sum;
}

}  // namespace seine::detect
