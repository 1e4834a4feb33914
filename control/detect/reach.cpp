// The strongest word of any profile for every telling token.
#include "control/detect/reach.h"

#include <algorithm>
#include <bit>

namespace seine::detect {
namespace {

constexpr std::size_t line_of(model::Group group) { return static_cast<std::size_t>(group) - 1; }
constexpr double kNobody = -1e9;

}  // namespace

Reach::Reach(const Population& population, std::vector<const Profile*> profiles)
    : profiles_(std::move(profiles)), members_(population.size(), false) {
    std::size_t n = 0;
    for (const Profile* profile : profiles_) n += profile->telling().size();
    entries_.resize(std::bit_ceil(2 * n + 2));
    absent_.fill(kNobody);
    for (const Profile* profile : profiles_) {
        for (const std::uint32_t row : profile->members()) members_[row] = true;
        sizes_ = std::max(sizes_, profile->sizes_nats_max());
        place_ = std::max(place_, profile->place_nats_max());
        for (std::size_t g = 0; g < kGroups; ++g) {
            const double absent = profile->absent_nats(static_cast<model::Group>(g + 1));
            absent_[g] = std::max(absent_[g], absent);
        }
        for (const auto& [token, tell] : profile->telling()) {
            const std::uint64_t key = population.key_of(token);
            Entry& entry = entries_[place(key)];
            entry.key = key;
            const model::Group group = group_of(population.tokens[token].channel);
            entry.group = static_cast<std::uint32_t>(line_of(group));
            entry.nats = std::max(entry.nats, tell.nats);
        }
    }
    // Only of some it is known whether they are of an age at all.
    absent_[line_of(model::Group::time)] = 0;
}

std::size_t Reach::place(std::uint64_t key) const noexcept {
    const std::size_t mask = entries_.size() - 1;
    std::size_t place = key >> 32 & mask;
    while (entries_[place].key != 0 && entries_[place].key != key) place = (place + 1) & mask;
    return place;
}

double Reach::most(const Shown& shown) const {
    std::array<double, kGroups> nats = absent_;
    if (!shown.gap_known) nats[line_of(model::Group::prx)] = 0;
    if (shown.sized) nats[line_of(model::Group::mix)] = sizes_;
    if (shown.tied) nats[line_of(model::Group::lnk)] = kTwinNatsMax;
    for (const std::uint64_t key : shown.keys) {
        const Entry& entry = entries_[place(key)];
        if (entry.key == 0) continue;
        const bool lnk = entry.group == line_of(model::Group::lnk);
        nats[entry.group] = std::max(nats[entry.group], lnk ? kTwinNatsMax : double{entry.nats});
    }
    const bool linked = nats[line_of(model::Group::lnk)] > 0;
    double most = kNobody;
    for (const Profile* profile : profiles_) {
        const double links = linked ? 0 : profile->unlinked_nats(shown.connections);
        most = std::max(most, profile->prior() + links);
    }
    for (std::size_t g = 0; g < kGroups; ++g)
        most += std::min(nats[g], g == line_of(model::Group::lnk) ? kTwinNatsMax : kGroupNatsMax);
    return shown.gap_known ? most + place_ : most;
}

}  // namespace seine::detect
