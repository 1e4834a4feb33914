// The tests that tell a farm from a crowd, in order; each names its figures.
#include "control/detect/verdict.h"

#include <algorithm>
#include <cstdio>
#include <unordered_map>

namespace seine::detect {
namespace {

constexpr std::uint64_t kYoungClass = 3;  // age classes 1 to 3: sixty days

struct Shares {
    std::unordered_map<std::uint32_t, std::uint32_t> networks, clients, addresses;
    std::array<std::uint32_t, kNetClasses> classes{};
};

std::uint32_t most(const std::unordered_map<std::uint32_t, std::uint32_t>& count) {
    std::uint32_t best = 0;
    for (const auto& [key, n] : count) best = std::max(best, n);
    return best;
}

std::string percent(double share) {
    char text[16];
    std::snprintf(text, sizeof text, "%.0f %%", 100 * share);
    return text;
}

using Members = std::vector<std::uint32_t>;

bool with_twin(const TwinGraph& graph, const Members& members, std::uint32_t row) {
    for (const std::uint32_t other : graph.of(row)) {
        if (std::binary_search(members.begin(), members.end(), other)) return true;
    }
    return false;
}

void measure(const Population& population, const Members& members, const TwinGraph& twin_graph,
             const TwinGraph& chance, Verdict& v) {
    Shares shares;
    std::uint32_t relayed = 0, spread = 0, young = 0, linked = 0, twins = 0, by_chance = 0;
    for (const std::uint32_t row : members) {
        ++shares.classes[static_cast<std::size_t>(population.rows[row].net)];
        if (population.rows[row].gap_nats >= 1) ++relayed;
        bool is_linked = false;
        for (const std::uint32_t token : population.tokens_of(row)) {
            const SharedToken& t = population.tokens[token];
            if (t.channel == Channel::network) ++shares.networks[token];
            if (t.channel == Channel::address) ++shares.addresses[token];
            if (t.channel == Channel::client) ++shares.clients[token];
            if (t.channel == Channel::exits) ++spread;
            if (t.channel == Channel::age && t.value <= kYoungClass) ++young;
            is_linked = is_linked || group_of(t.channel) == model::Group::lnk;
        }
        linked += is_linked ? 1 : 0;
        twins += with_twin(twin_graph, members, row) ? 1 : 0;
        by_chance += with_twin(chance, members, row) ? 1 : 0;
    }
    const double size = static_cast<double>(std::max<std::size_t>(1, members.size()));
    v.orgs = population.count_orgs(members);
    v.top_network = most(shares.networks) / size;
    v.top_address = most(shares.addresses) / size;
    v.one_client = most(shares.clients) / size;
    v.net = static_cast<NetClass>(std::max_element(shares.classes.begin(), shares.classes.end()) -
                                  shares.classes.begin());
    v.relayed = relayed / size;
    v.spread = spread / size;
    v.young = young / size;
    v.linked = linked / size;
    v.twins = twins / size;
    v.twins_chance = by_chance / static_cast<double>(Twins::kClocks) / size;
    double of_age = 0, young_all = 0;
    for (const std::uint32_t token : population.ages) {
        const SharedToken& t = population.tokens[token];
        of_age += t.orgs;
        if (t.value <= kYoungClass) young_all += t.orgs;
    }
    v.young_all = of_age > 0 ? young_all / of_age : 0;
}

}  // namespace

Verdict judge(const Population& population, const Members& members, const TwinGraph& twins,
              const TwinGraph& chance) {
    Verdict v;
    measure(population, members, twins, chance, v);
    const double twinned = v.twins * static_cast<double>(members.size());
    const bool server_room = v.net == NetClass::hosting || v.net == NetClass::ci;
    const bool one_place = v.top_network >= 0.7;
    const bool fresh = v.young >= 0.6 && v.young >= 2 * v.young_all;
    if (twinned >= 5 && v.twins >= 0.15 && v.twins >= 5 * v.twins_chance) {
        v.kind = GroupKind::farm;
        v.reason = percent(v.twins) +
                   " of its accounts took over a failed request of another one "
                   "within a second, " +
                   percent(v.twins_chance) + " by chance";
    } else if (!one_place && v.relayed >= 0.5) {
        v.kind = GroupKind::farm;
        v.reason = percent(v.relayed) +
                   " of its accounts come through relays, spread over many "
                   "networks (" +
                   percent(v.top_network) + " on the commonest)";
    } else if (server_room && fresh && (v.linked >= 0.3 || v.one_client >= 0.7)) {
        v.kind = GroupKind::farm;
        v.reason = percent(v.young) + " of its accounts are younger than sixty days (" +
                   percent(v.young_all) + " of all are) and work from servers with one client (" +
                   percent(v.one_client) + ") or shared sessions (" + percent(v.linked) + ")";
    } else if (v.top_address >= 0.7 && v.relayed >= 0.6 &&
               (server_room || v.net == NetClass::unknown) && v.orgs >= 6) {
        v.kind = GroupKind::farm;
        v.reason = percent(v.relayed) +
                   " of its accounts come through one relay on a network "
                   "that is no office, school or carrier";
    } else if (one_place && (v.linked >= 0.3 || server_room)) {
        v.kind = GroupKind::intermediary;
        v.reason = "one egress of accounts of every age: a platform that was not declared";
    } else if (one_place) {
        v.kind = GroupKind::place;
        v.reason = percent(v.top_network) + " of its accounts sit on one network of people";
    } else {
        v.reason = "agrees on too little beyond chance";
    }
    return v;
}

}  // namespace seine::detect
