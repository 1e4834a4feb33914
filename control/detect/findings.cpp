// The sweep: population, cells, seeds, and each seed grown to the group that it is part of.
#include "control/detect/findings.h"

#include <algorithm>
#include <unordered_map>

#include <tbb/parallel_for.h>

#include "control/detect/campaigns.h"

namespace seine::detect {
namespace {

using Rows = std::vector<std::uint32_t>;

constexpr double kGrowNats = 4;  // fits at least this well while a group is grown
constexpr unsigned kRounds = 5;

// Rows that fit a profile better than `nats`.
Rows fitting(const Profile& profile, double nats) {
    const Rows candidates = profile.candidates();
    std::vector<char> good(candidates.size(), 0);
    tbb::parallel_for(std::size_t{0}, candidates.size(), [&](std::size_t i) {
        const Membership fit = profile.fit(candidates[i]);
        good[i] = fit.score >= nats && two_groups(fit) ? 1 : 0;
    });
    Rows rows;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (good[i] != 0) rows.push_back(candidates[i]);
    }
    return rows;
}

Rows apart(const Rows& a, const Rows& b) {
    Rows rest;
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(rest));
    return rest;
}

std::unique_ptr<Profile> grow(const Population& population, const Ties& ties, Rows members,
                              std::uint32_t orgs_min, const Rows& without = {}) {
    std::unique_ptr<Profile> profile;
    for (unsigned round = 0; round < kRounds; ++round) {
        if (population.count_orgs(members) < orgs_min) return nullptr;
        profile = std::make_unique<Profile>(population, ties, members);
        Rows next = apart(fitting(*profile, kGrowNats), without);
        if (next == members) break;
        members = std::move(next);
    }
    if (population.count_orgs(members) < orgs_min) return nullptr;
    return std::make_unique<Profile>(population, ties, std::move(members));
}

std::size_t common(const Rows& a, const Rows& b) {
    std::size_t n = 0;
    for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
        if (*i == *j) ++n;
        if (*i < *j) {
            ++i;
        } else {
            ++j;
        }
    }
    return n;
}

Rows together(const Rows& a, const Rows& b) {
    Rows all;
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
    return all;
}

// Whether a group is part of a known farm: a third of its members are, or half would fit in.
bool belongs(const Profile& farm, const Profile& group) {
    const Rows& members = group.members();
    if (3 * common(farm.members(), members) >= members.size()) return true;
    std::size_t fits = 0, tried = 0;
    const std::size_t step = std::max<std::size_t>(1, members.size() / 64);
    for (std::size_t i = 0; i < members.size(); i += step, ++tried) {
        fits += farm.fit(members[i]).score >= 0 ? 1 : 0;
    }
    return 2 * fits >= tried;
}

// The candidates of every lens, and one budget spent over all of them.
class Settlement {
  public:
    explicit Settlement(Findings& found) : found_(&found) {}
    void look_through(std::size_t farm, Lens& lens) {
        const Population& population = *found_->population;
        lens.thresholds = std::make_unique<Thresholds>(population, *lens.profile);
        const Rows rows = lens.profile->candidates();
        std::vector<double> score(rows.size(), 0);
        tbb::parallel_for(std::size_t{0}, rows.size(), [&](std::size_t i) {
            const Membership fit = lens.profile->fit(rows[i]);
            if (fit.score > 0 && two_groups(fit)) score[i] = fit.score;
        });
        View view{farm, lens.thresholds.get(), {}};
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (score[i] <= 0) continue;
            view.candidates.emplace_back(rows[i], score[i]);
            lens.thresholds->add_candidate(population.rows[rows[i]], score[i]);
        }
        views_.push_back(std::move(view));
    }
    void spend(const FindOptions& options) {
        std::vector<Thresholds*> all;
        for (const View& view : views_) all.push_back(view.thresholds);
        found_->days = options.days;
        Thresholds::spend(all, options.budget * options.days * found_->population->orgs() / 1e6);
        found_->expected_fp = 0;
        for (const Thresholds* lens : all) found_->expected_fp += lens->expected();
    }
    // Above a threshold an account belongs to the farm that it fits best.
    void assign() {
        struct Best {
            double score = 0, spare = 0;
            std::size_t farm = 0;
        };
        std::unordered_map<std::uint32_t, Best> best;
        for (const View& view : views_) {
            for (const auto& [row, score] : view.candidates) {
                const double spare = score - view.thresholds->of(found_->population->rows[row]);
                if (spare < 0) continue;
                Best& b = best[row];
                if (score > b.score) b = {score, spare, view.farm};
            }
        }
        Rows rows;
        for (const auto& [row, b] : best) rows.push_back(row);
        std::sort(rows.begin(), rows.end());
        for (Group& farm : found_->farms) {
            farm.members.clear();
            farm.scores.clear();
            farm.spares.clear();
        }
        for (const std::uint32_t row : rows) {
            Group& farm = found_->farms[best[row].farm];
            farm.members.push_back(row);
            farm.scores.push_back(best[row].score);
            farm.spares.push_back(best[row].spare);
        }
    }

  private:
    struct View {
        std::size_t farm = 0;
        Thresholds* thresholds = nullptr;
        std::vector<std::pair<std::uint32_t, double>> candidates;
    };
    Findings* found_;
    std::vector<View> views_;
};

// Those of the members that were cut to one part.
Rows rows_of_part(const Rows& grown, const std::vector<std::uint32_t>& part, std::uint32_t which) {
    Rows rows;
    for (std::size_t i = 0; i < grown.size(); ++i) {
        if (part[i] == which) rows.push_back(grown[i]);
    }
    return rows;
}

// The cut is blind to where relays stand. Where campaigns have relays in places of their own, an
// account that is as far behind its exits as another campaign's relay belongs there.
void move_by_place(const Population& population, const Rows& grown, std::uint32_t parts,
                   std::vector<std::uint32_t>& part) {
    constexpr double kMoveNats = 3, kElsewhereNats = -1;
    std::vector<RelayPlace> places;
    for (std::uint32_t p = 0; p < parts; ++p)
        places.emplace_back(population, rows_of_part(grown, part, p));
    std::vector<std::uint32_t> next = part;
    tbb::parallel_for(std::size_t{0}, grown.size(), [&](std::size_t i) {
        const auto ways = population.ways_of(grown[i]);
        const double own = places[part[i]].nats(ways, true);
        if (own > kElsewhereNats) return;  // a larger campaign on more exits says more for everybody
        double most = own + kMoveNats;
        for (std::uint32_t p = 0; p < parts; ++p) {
            const double nats = p == part[i] ? 0 : places[p].nats(ways, false);
            if (p == part[i] || nats <= most) continue;
            most = nats;
            next[i] = p;
        }
    });
    // A campaign that would lose half of its accounts was not cut along places.
    std::vector<std::size_t> before(parts), left(parts);
    for (std::size_t i = 0; i < grown.size(); ++i) {
        ++before[part[i]];
        if (next[i] == part[i]) ++left[part[i]];
    }
    for (std::uint32_t p = 0; p < parts; ++p) {
        if (2 * left[p] < before[p]) return;
    }
    part = std::move(next);
}

// Campaigns of a farm: of all who were grown to it. Those above a threshold are fewer, and of a small
// campaign they may be too few to show what sets it apart.
std::vector<std::uint32_t> split(Findings& found, Group& farm) {
    const Population& population = *found.population;
    const Rows& grown = farm.whole.profile->members();
    std::vector<std::uint32_t> part =
        split_campaigns(population, *found.twins, *found.chance, grown).part;
    for (const std::uint32_t p : part) farm.parts = std::max(farm.parts, p + 1);
    if (farm.parts > 1) move_by_place(population, grown, farm.parts, part);
    for (std::uint32_t p = 0; p < farm.parts && farm.parts > 1; ++p) {
        farm.campaigns.push_back({std::make_unique<Profile>(population, found.ties(),
                                                            rows_of_part(grown, part, p)),
                                  nullptr});
    }
    return part;
}

// Members are of the part that they were cut to; who came in otherwise, of the one that he fits best.
void place(Group& farm, const std::vector<std::uint32_t>& part) {
    const Rows& grown = farm.whole.profile->members();
    farm.part.assign(farm.members.size(), 0);
    if (farm.parts == 1) return;
    tbb::parallel_for(std::size_t{0}, farm.members.size(), [&](std::size_t i) {
        const auto at = std::lower_bound(grown.begin(), grown.end(), farm.members[i]);
        farm.part[i] = at != grown.end() && *at == farm.members[i]
                           ? part[static_cast<std::size_t>(at - grown.begin())]
                           : static_cast<std::uint32_t>(campaign_of(
                                 farm, farm.campaigns.front().profile->view(farm.members[i])));
    });
}

// Members and campaigns of all farms, looked at as a whole and through each small campaign.
void settle(Findings& found, const FindOptions& options) {
    Settlement settlement(found);
    std::vector<std::vector<std::uint32_t>> part;
    for (std::size_t f = 0; f < found.farms.size(); ++f) {
        Group& farm = found.farms[f];
        settlement.look_through(f, farm.whole);
        part.push_back(split(found, farm));
        for (Lens& lens : farm.campaigns) {
            // The whole farm shows its largest campaign as it is; twice would cost twice.
            if (2 * lens.profile->members().size() >= farm.whole.profile->members().size())
                continue;
            settlement.look_through(f, lens);
        }
    }
    settlement.spend(options);
    settlement.assign();
    for (std::size_t f = 0; f < found.farms.size(); ++f) place(found.farms[f], part[f]);
}

// Members of the pools but for one. Twins of chance join pools here and there, and each that came into
// another one would bring all its own along.
Rows of_pools(const Findings& found, const Group* but) {
    Rows rows;
    for (const Group& farm : found.farms) {
        if (farm.pool && &farm != but) rows = together(rows, farm.whole.profile->members());
    }
    return rows;
}

// Joins a group to a farm that it is part of.
bool merge(Findings& found, const Group& group, const FindOptions& options) {
    const Population& population = *found.population;
    for (Group& farm : found.farms) {
        if (group.pool && farm.pool) continue;
        if (!belongs(*farm.whole.profile, *group.whole.profile)) continue;
        auto both =
            grow(population, found.ties(),
                 together(farm.whole.profile->members(), group.whole.profile->members()),
                 options.orgs_min, of_pools(found, &farm));
        if (both == nullptr || both->members().size() < farm.whole.profile->members().size())
            continue;
        const Verdict verdict = judge(population, both->members(), *found.twins, *found.chance);
        if (verdict.kind != GroupKind::farm) continue;
        farm.whole.profile = std::move(both);
        farm.verdict = verdict;
        farm.pool = farm.pool || group.pool;
        return true;
    }
    return false;
}

void grow_seeds(Findings& found, const std::vector<Seed>& seeds, const FindOptions& options) {
    const Population& population = *found.population;
    for (const Seed& seed : seeds) {
        bool inside = false;
        for (const Group& farm : found.farms) {
            inside = inside ||
                     2 * common(farm.whole.profile->members(), seed.rows) >= seed.rows.size();
        }
        if (inside) continue;
        const Rows taken = seed.pool ? of_pools(found, nullptr) : Rows{};
        const Rows rows = apart(seed.rows, taken);
        Group group;
        group.pool = seed.pool;
        group.verdict = judge(population, rows, *found.twins, *found.chance);
        if (group.verdict.kind == GroupKind::place ||
            group.verdict.kind == GroupKind::intermediary) {
            group.members = rows;
            found.others.push_back(std::move(group));
            continue;
        }
        group.whole.profile = grow(population, found.ties(), rows, options.orgs_min, taken);
        if (group.whole.profile == nullptr) continue;
        group.verdict =
            judge(population, group.whole.profile->members(), *found.twins, *found.chance);
        if (group.verdict.kind != GroupKind::farm) {
            group.members = group.whole.profile->members();
            group.whole.profile.reset();
            found.others.push_back(std::move(group));
            continue;
        }
        if (!merge(found, group, options)) found.farms.push_back(std::move(group));
    }
}

}  // namespace

bool two_groups(const Membership& fit) noexcept {
    return fit.groups_above(1.5) >= 2 ||
           fit.line[static_cast<std::size_t>(model::Group::lnk) - 1].nats >= 3;
}

Fit fit_of(const Group& group, const RowView& view) {
    Fit best;
    const auto look = [&](const Lens& lens) {
        if (lens.thresholds == nullptr) return;
        Membership fit = lens.profile->fit(view);
        const double spare = fit.score - lens.thresholds->of(view.facts);
        if (best.profile != nullptr && spare <= best.spare) return;
        best = {std::move(fit), lens.profile.get(), spare};
    };
    look(group.whole);
    for (const Lens& lens : group.campaigns) look(lens);
    return best;
}

std::size_t campaign_of(const Group& group, const RowView& view) {
    std::size_t best = 0;
    double most = 0;
    for (std::size_t p = 0; p < group.campaigns.size(); ++p) {
        const double score = group.campaigns[p].profile->fit(view).score;
        if (p == 0 || score > most) {
            most = score;
            best = p;
        }
    }
    return best;
}

double Findings::most_of(const Observer& observer, std::uint32_t slot) const {
    const Account& account = observer.accounts[slot];
    Row facts;
    Tempered tempered;
    std::vector<std::uint64_t> keys;
    population->look_at(observer, slot, facts, keys, tempered);
    Reach::Shown shown;
    shown.keys = keys;
    shown.connections = facts.connections;
    shown.gap_known = facts.gap_known;
    shown.sized = account.shapes.total() >= 3;
    const auto of_farm = [this](std::uint32_t row) {
        return row != Population::kNoRow && reach.is_member(row);
    };
    shown.tied = of_farm(population->row_of(observer.accounts.linked_to(account)));
    const std::uint32_t row = population->row_of(slot);
    if (row != Population::kNoRow) {
        for (const std::uint32_t other : twins->of(row))
            shown.tied = shown.tied || of_farm(other);
    }
    return reach.most(shown) + static_cast<double>(tempered.nats);
}

void Findings::drop_gone(const AccountTable& accounts, Breath& breath) {
    const auto gone = [&](std::uint32_t row) {
        const Row& r = population->rows[row];
        return accounts[r.slot].serial != r.serial;
    };
    for (Group& farm : farms) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < farm.members.size(); ++i) {
            breath.taken();
            if (gone(farm.members[i])) continue;
            farm.members[kept] = farm.members[i];
            farm.scores[kept] = farm.scores[i];
            farm.spares[kept] = farm.spares[i];
            farm.part[kept] = farm.part[i];
            ++kept;
        }
        farm.members.resize(kept);
        farm.scores.resize(kept);
        farm.spares.resize(kept);
        farm.part.resize(kept);
    }
    for (Group& group : others) std::erase_if(group.members, gone);
}

std::unique_ptr<Findings> find_farms(Snapshot snapshot, const std::vector<Template>& templates,
                                     const FindOptions& options) {
    auto found = std::make_unique<Findings>();
    found->population = std::move(snapshot.population);
    found->population->settle();
    const Population& population = *found->population;
    found->twins = std::make_unique<TwinGraph>(population, snapshot.twins);
    found->chance = std::make_unique<TwinGraph>(population, snapshot.chance);
    std::vector<Seed> seeds;
    {
        const Cells cells(population, templates);
        found->cells = cells.cells.size();
        found->cell_pairs = cells.pairs;
        seeds = find_seeds(population, cells, *found->twins, options.sparse);
    }
    found->seeds = seeds.size();
    grow_seeds(*found, seeds, options);
    settle(*found, options);
    std::erase_if(found->farms, [&](const Group& farm) {
        return population.count_orgs(farm.members) < options.orgs_min;
    });
    std::vector<const Profile*> profiles;
    for (const Group& farm : found->farms) {
        profiles.push_back(farm.whole.profile.get());
        for (const Lens& lens : farm.campaigns) profiles.push_back(lens.profile.get());
    }
    found->reach = Reach(population, std::move(profiles));
    return found;
}

}  // namespace seine::detect
