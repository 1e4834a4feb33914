// The bound on what an account can score: above every score, and low for nearly everybody.
#include <gtest/gtest.h>

#include "control/detect/reach.h"
#include "tests/unit/detect/small_world.h"

namespace seine::detect {
namespace {

using test::kDayNs;
using test::kStart;
using test::tag_of;
using test::Town;
using test::Visit;

TEST(Reach, IsNeverBelowWhatAProfileSaysAndRulesOutNearlyEverybody) {
    constexpr std::uint64_t kPeople = 2000, kFarm = 100'000, kMembers = 200;
    Town town;
    town.people(1, kPeople);
    town.relayed_farm(kFarm, kMembers);
    for (Visit& v : town.visits) {  // some people use the farm's client, some its exits
        if (v.account <= 40) v.stack = 777;
        if (v.account % 40 == 1) v.address = 20u << 24 | static_cast<std::uint32_t>(v.account) << 8;
    }
    Observer observer{Options{}};
    observer.set_prefixes(Town::networks());
    std::uint64_t flow = 0;
    for (const Visit& v : town.visits) observer.take(test::sighting(v, ++flow, true));
    const Population population(observer, observer.latest, 7 * kDayNs, nullptr);
    const auto row_of = [&](std::uint64_t account) {
        return population.row_of(observer.accounts.find(tag_of<model::AccountTag>(account)));
    };
    std::vector<std::uint32_t> members;
    Twins::Weighed edges;
    for (std::uint64_t a = kFarm; a < kFarm + kMembers; ++a) {
        members.push_back(row_of(a));
        const std::uint64_t other = population.rows[row_of(kFarm + (a + 1) % kMembers)].slot;
        const std::uint64_t slot = population.rows[members.back()].slot;
        edges.push_back({std::min(slot, other) << 32 | std::max(slot, other), 5});
    }
    std::sort(members.begin(), members.end());
    const TwinGraph twins(population, edges);
    const TwinGraph chance(population, {});
    const Profile profile(population, {&twins, &chance}, members);
    const Reach reach(population, {&profile});
    std::size_t near_people = 0, near_members = 0;
    for (std::uint32_t row = 0; row < population.size(); ++row) {
        Row facts;
        std::vector<std::uint64_t> shows;
        Tempered tempered;
        population.look_at(observer, population.rows[row].slot, facts, shows, tempered);
        Reach::Shown shown;
        shown.keys = shows;
        shown.connections = facts.connections;
        shown.gap_known = facts.gap_known;
        shown.sized = population.shapes[row].total() >= 3;
        for (const std::uint32_t other : twins.of(row))
            shown.tied = shown.tied || reach.is_member(other);
        const double most = reach.most(shown);
        EXPECT_GE(most, profile.fit(row).score - 1e-6) << row;
        (profile.is_member(row) ? near_members : near_people) += most >= 6 ? 1 : 0;
    }
    EXPECT_EQ(near_members, kMembers);
    EXPECT_LE(near_people, kPeople / 50);
    EXPECT_LT(Reach().most({}), 0);
}

}  // namespace
}  // namespace seine::detect
