// Matches what a sweep found to the farms known before, and moves farms through their states.
#include "control/detect/registry.h"

#include <algorithm>
#include <cmath>

namespace seine::detect {
namespace {

using Kind = model::FarmEvent::Kind;
using State = model::FarmState;

constexpr std::int64_t kReplaceWithin = 48 * kHour;
constexpr std::int64_t kDormantAfter = 72 * kHour;
constexpr std::int64_t kRemediatedAfter = 14 * kDay;

std::string_view word(Kind kind) {
    switch (kind) {
        case Kind::found:
            return "farm found";
        case Kind::grown:
            return "farm grown";
        case Kind::rotated:
            return "farm rotated";
        case Kind::dormant:
            return "farm dormant";
        case Kind::woken:
            return "farm woken";
        case Kind::remediated:
            return "farm remediated";
        case Kind::dismissed:
            return "farm dismissed";
        case Kind::merged:
            return "farms merged";
        case Kind::split:
            return "farm split";
    }
    return "farm";
}

}  // namespace

void Registry::tell(FarmRecord& farm, Kind kind, std::uint32_t before, Nanos now,
                    std::string reason, std::uint64_t other) {
    model::Event event;
    event.kind = model::EventKind::farm;
    event.at = event.seen = now;
    event.severity = kind == Kind::found || kind == Kind::grown || kind == Kind::rotated
                         ? model::Severity::high
                         : model::Severity::medium;
    event.confidence = farm.provisional ? 0.7 : 0.95;
    event.title = std::string(word(kind)) + ": F-" + std::to_string(farm.id);
    event.message = reason;
    event.farm = {kind,
                  now,
                  farm.id,
                  other,
                  before,
                  static_cast<std::uint32_t>(farm.members.size()),
                  std::move(reason)};
    event.farm_state = farm.state;
    event.score_nats = farm.score;
    event.evidence = farm.evidence;
    events_.push_back(std::move(event));
    farm.reported = static_cast<std::uint32_t>(farm.members.size());
}

std::vector<model::Event> Registry::take_events() {
    std::vector<model::Event> out;
    out.swap(events_);
    return out;
}

FarmRecord& Registry::match(const std::vector<std::uint32_t>& slots, model::FarmLevel level,
                            std::set<std::uint64_t>& used, Nanos now, const Rules& rules,
                            Breath& breath) {
    FarmRecord* best = nullptr;
    double most = 0;
    for (auto& [id, farm] : farms_) {
        if (farm.level != level || farm.held || (used.contains(id) && !farm.merged)) continue;
        std::size_t both = 0;
        for (const std::uint32_t slot : slots) {
            breath.taken();
            both += farm.members.contains(slot) ? 1 : 0;
        }
        // Members stay on the list when they fall silent, so a share of the found ones counts too.
        const double jaccard = static_cast<double>(both) /
                               static_cast<double>(slots.size() + farm.members.size() - both);
        const double inside = static_cast<double>(both) /
                              static_cast<double>(std::min(slots.size(), farm.members.size()) + 1);
        const double likeness = std::max(jaccard, inside - 0.3);
        if (both > 0 && likeness >= rules.inherit && likeness > most) {
            most = likeness;
            best = &farm;
        }
    }
    if (best == nullptr) {
        const std::uint64_t id = next_id_++;
        best = &farms_[id];
        best->id = id;
        best->level = level;
        best->found = best->first_seen = now;
        best->provisional = rules.provisional;
    }
    used.insert(best->id);
    return *best;
}

// Closed members of a farm whose place nobody took yet; counted when the first new member comes.
class Registry::Vacancies {
  public:
    enum class For : std::uint8_t { many, one };
    Vacancies(const FarmRecord& farm, const Observer& observer, For whom = For::many)
        : farm_(farm), observer_(observer), whom_(whom) {}
    // The account that was closed last before a new member began, and not long before; none: not
    // known().
    model::AccountTag take(std::uint32_t slot) {
        if (whom_ == For::one) return only(slot);
        if (!counted_) count(slot);
        const model::AccountTag tag = nearest(observer_.accounts[slot]);
        add(slot);
        return tag;
    }

  private:
    // The same for one new member, of whom a farm of thousands gets many between two sweeps: nothing
    // is sorted but the few that were closed not long before.
    [[nodiscard]] model::AccountTag only(std::uint32_t fresh) const {
        const std::int64_t begin = begin_of(observer_.accounts[fresh]).count;
        std::map<model::AccountTag, std::pair<std::int64_t, std::uint32_t>> closed;
        for (const auto& [slot, member] : farm_.members) {
            if (slot == fresh || !observer_.accounts.live(slot)) continue;
            const Account& account = observer_.accounts[slot];
            const std::int64_t at = account.closed.count;
            if (!account.has(Account::kClosed) || at > begin || begin - at >= kReplaceWithin)
                continue;
            closed[account.tag] = {at, ~slot};
        }
        if (closed.empty()) return {};
        for (const auto& [slot, member] : farm_.members) {
            if (member.replaces.known()) closed.erase(member.replaces);
        }
        const auto last = std::max_element(
            closed.begin(), closed.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
        return last == closed.end() ? model::AccountTag{} : last->first;
    }
    [[nodiscard]] static Nanos begin_of(const Account& fresh) {
        return fresh.signup.count != 0 ? fresh.signup : fresh.first;
    }
    void count(std::uint32_t but) {
        counted_ = true;
        for (const auto& [slot, member] : farm_.members) {
            if (member.replaces.known()) taken_.insert(member.replaces);
        }
        for (const auto& [slot, member] : farm_.members) {
            if (slot != but && observer_.accounts.live(slot)) add(slot);
        }
    }
    void add(std::uint32_t slot) {
        const Account& account = observer_.accounts[slot];
        if (!account.has(Account::kClosed) || taken_.contains(account.tag)) return;
        closed_[{account.closed.count, ~slot}] = account.tag;
    }
    model::AccountTag nearest(const Account& fresh) {
        const Nanos begin = begin_of(fresh);
        auto at = closed_.upper_bound({begin.count, 0xffffffffu});
        if (at == closed_.begin() || begin.count - (--at)->first.first >= kReplaceWithin) return {};
        const model::AccountTag tag = at->second;
        taken_.insert(tag);
        closed_.erase(at);
        return tag;
    }

    const FarmRecord& farm_;
    const Observer& observer_;
    For whom_;
    bool counted_ = false;
    // By when it was closed; of several at once the lower slot is last.
    std::map<std::pair<std::int64_t, std::uint32_t>, model::AccountTag> closed_;
    std::set<model::AccountTag> taken_;
};

void Registry::admit(FarmRecord& farm, Vacancies& vacancies, Observer& observer, std::uint32_t slot,
                     double score, Nanos now) {
    ++changes_;
    Account& account = observer.accounts[slot];
    if (farm.level == model::FarmLevel::campaign && account.farm != farm.id) {
        const auto kept = farms_.find(account.farm);
        if (kept != farms_.end() && kept->second.held) {  // an analyst's word outlives the sweep
            kept->second.members[slot].score = account.score = score;
            return;
        }
    }
    auto [at, fresh] = farm.members.try_emplace(slot);
    at->second.score = score;
    if (fresh) at->second.since = now;
    farm.last_seen = std::max(farm.last_seen, account.last);
    if (farm.first_seen > account.first) farm.first_seen = account.first;
    if (farm.level != model::FarmLevel::campaign) return;
    if (fresh) {
        at->second.replaces = vacancies.take(slot);
        farm.replaced += at->second.replaces.known() ? 1 : 0;
    }
    account.score = score;
    if (account.farm != 0 && account.farm != farm.id) {
        const auto before = farms_.find(account.farm);
        if (before != farms_.end()) before->second.members.erase(slot);
    }
    account.farm = farm.id;
    if (!account.has(Account::kAlerted)) {
        account.flags |= Account::kAlerted;
        account.alerted = now;
        if (farm.provisional) account.flags |= Account::kProvisional;
    }
}

void Registry::join(Observer& observer, std::uint64_t campaign, std::uint32_t slot, double score,
                    Nanos now) {
    const auto farm = farms_.find(campaign);
    if (farm == farms_.end() || farm->second.state == State::dismissed) return;
    Vacancies vacancies(farm->second, observer, Vacancies::For::one);
    admit(farm->second, vacancies, observer, slot, score, now);
    const auto parent = farms_.find(farm->second.parent);
    if (parent != farms_.end()) admit(parent->second, vacancies, observer, slot, score, now);
}

bool Registry::due(const Group& group, std::size_t member, std::uint32_t slot,
                   const Account& account, Nanos now, Waiting& fresh) const {
    if (account.has(Account::kAlerted) || group.spares[member] >= kSpareNats) return true;
    const auto before = waiting_.find(slot);
    const Nanos since = before == waiting_.end() ? now : before->second;
    if (now - since >= kSecondLook) return true;
    fresh[slot] = since;
    return false;
}

// Members that may be alerted now, by their place in the group; the others wait.
std::vector<std::size_t> Registry::due_of(const Group& group, const Findings& found,
                                          const Observer& observer, Nanos now,
                                          Waiting& fresh, Breath& breath) const {
    std::vector<std::size_t> out;
    // A group that is found as one stands for itself; who joins it later waits.
    bool known = false;
    for (const std::uint32_t row : group.members) {
        breath.taken();
        known = known || observer.accounts[found.population->rows[row].slot].has(Account::kAlerted);
    }
    for (std::size_t m = 0; m < group.members.size(); ++m) {
        breath.taken();
        const std::uint32_t slot = found.population->rows[group.members[m]].slot;
        if (!known || due(group, m, slot, observer.accounts[slot], now, fresh)) out.push_back(m);
    }
    return out;
}

void Registry::update(const Findings& found, Observer& observer, Nanos now, const Rules& rules,
                      Breath& breath) {
    ++changes_;
    campaign_ids_.assign(found.farms.size(), {});
    std::set<std::uint64_t> used;
    Waiting fresh;
    for (std::size_t f = 0; f < found.farms.size(); ++f) {
        const Group& group = found.farms[f];
        const std::vector<std::size_t> due = due_of(group, found, observer, now, fresh, breath);
        std::vector<std::vector<std::uint32_t>> slots(group.parts + 1);
        for (const std::size_t m : due) {
            const std::uint32_t slot = found.population->rows[group.members[m]].slot;
            slots[group.part[m]].push_back(slot);
            slots[group.parts].push_back(slot);
        }
        // A farm of which nobody may be alerted yet has no id.
        const auto id_of = [&](std::size_t part, model::FarmLevel level) -> std::uint64_t {
            return slots[part].empty() ? 0 : match(slots[part], level, used, now, rules, breath).id;
        };
        const std::uint64_t whole = id_of(group.parts, model::FarmLevel::infrastructure);
        for (std::uint32_t p = 0; p < group.parts; ++p)
            campaign_ids_[f].push_back(id_of(p, model::FarmLevel::campaign));
        std::set<std::uint64_t> scored;
        for (std::uint32_t p = 0; p <= group.parts; ++p) {
            const std::uint64_t id = p < group.parts ? campaign_ids_[f][p] : whole;
            if (id == 0 || farms_[id].state == State::dismissed) continue;
            FarmRecord& farm = farms_[id];
            // What was merged by hand stays where it is.
            if (p < group.parts && !(farm.merged && farms_.contains(farm.parent)))
                farm.parent = whole;
            if (scored.insert(id).second) farm.score = 0;
            const auto before = static_cast<std::uint32_t>(farm.members.size());
            Vacancies vacancies(farm, observer);
            for (const std::size_t m : due) {
                if (p < group.parts && group.part[m] != p) continue;
                breath.taken();
                const Row& row = found.population->rows[group.members[m]];
                if (observer.accounts[row.slot].serial != row.serial) continue;  // evicted since
                admit(farm, vacancies, observer, row.slot, group.scores[m], now);
                farm.score = std::max(farm.score, group.scores[m]);
            }
            took(farm, before, group.verdict.reason, now, rules);
        }
    }
    waiting_ = std::move(fresh);
    absorb(found, observer, used, now, breath);
    std::erase_if(farms_, [](const auto& f) { return f.second.members.empty(); });
    age(observer, now, breath);
}

void Registry::absorb(const Findings& found, Observer& observer,
                      const std::set<std::uint64_t>& used, Nanos now, Breath& breath) {
    const Population& population = *found.population;
    std::vector<std::uint64_t> left;
    for (const auto& [id, farm] : farms_) {
        if (farm.level == model::FarmLevel::campaign && !used.contains(id) && !farm.held &&
            !farm.merged && farm.state != State::dismissed) {
            left.push_back(id);
        }
    }
    for (const std::uint64_t id : left) {
        const std::map<std::uint32_t, MemberRecord> members = farms_[id].members;
        std::vector<std::uint32_t> rows;
        for (const auto& [slot, member] : members) {
            const std::uint32_t row = population.row_of(slot);
            if (row != Population::kNoRow) rows.push_back(row);
        }
        for (std::size_t f = 0; f < found.farms.size() && !rows.empty(); ++f) {
            const Group& group = found.farms[f];
            std::size_t fits = 0;
            for (const std::uint32_t row : rows) {
                breath.taken();
                fits += group.whole.profile->fit(row).score >= 0 ? 1 : 0;
            }
            if (2 * fits <= members.size()) continue;
            std::vector<std::uint64_t> into;  // of each account, in order
            for (const auto& [slot, member] : members) {
                breath.taken();
                const std::uint32_t row = population.row_of(slot);
                const std::size_t part = row == Population::kNoRow || group.parts == 1
                                             ? 0
                                             : campaign_of(group, group.whole.profile->view(row));
                into.push_back(campaign_ids_[f][part] != 0 ? campaign_ids_[f][part]
                                                           : campaign_ids_[f][0]);
            }
            if (std::find(into.begin(), into.end(), 0u) != into.end()) continue;
            FarmRecord& first = farms_[into.front()];
            const auto before = static_cast<std::uint32_t>(first.members.size());
            std::size_t at = 0;
            for (const auto& [slot, member] : members) {
                FarmRecord& farm = farms_[into[at++]];
                breath.taken();
                if (observer.accounts[slot].farm != id) continue;  // evicted since
                farm.members.insert({slot, member});
                observer.accounts[slot].farm = farm.id;
                const auto cluster = farms_.find(farm.parent);
                if (cluster != farms_.end()) cluster->second.members.insert({slot, member});
            }
            tell(first, Kind::merged, before, now, "more was seen of both: they are one", id);
            farms_.erase(id);
            break;
        }
    }
    // A cluster whose campaigns have all gone elsewhere stands for nothing.
    std::set<std::uint64_t> parents;
    for (const auto& [id, farm] : farms_) parents.insert(farm.parent);
    std::erase_if(farms_, [&](const auto& f) {
        return f.second.level == model::FarmLevel::infrastructure && !used.contains(f.first) &&
               !parents.contains(f.first) && f.second.state != State::dismissed;
    });
}

// A farm has taken members over: tells what is new.
void Registry::took(FarmRecord& farm, std::uint32_t before, const std::string& reason, Nanos now,
                    const Rules& rules) {
    const auto now_has = static_cast<std::uint32_t>(farm.members.size());
    farm.reason = reason;
    if (before == 0) {
        tell(farm, Kind::found, 0, now, reason);
    } else if (now_has >= farm.reported + 5 && now_has >= farm.reported * 5 / 4) {
        tell(farm, Kind::grown, farm.reported, now,
             "from " + std::to_string(farm.reported) + " accounts to " + std::to_string(now_has));
    }
    if (farm.state == State::emerging && !rules.provisional) farm.state = State::active;
}

void Registry::age(Observer& observer, Nanos now, Breath& breath) {
    for (auto& [id, farm] : farms_) {
        if (farm.state == State::dismissed || farm.members.empty()) continue;
        std::size_t closed = 0;
        Nanos last_close;
        for (const auto& [slot, member] : farm.members) {
            breath.taken();
            const Account& a = observer.accounts[slot];
            farm.last_seen = std::max(farm.last_seen, a.last);
            if (a.has(Account::kClosed)) {
                ++closed;
                last_close = std::max(last_close, a.closed);
            }
        }
        const auto size = static_cast<std::uint32_t>(farm.members.size());
        const bool quiet = farm.last_seen.count < now.count - kDormantAfter;
        if (closed == size && last_close.count < now.count - kRemediatedAfter) {
            if (farm.state != State::remediated) {
                farm.state = State::remediated;
                tell(farm, Kind::remediated, size, now,
                     "every account is closed and none came in their place for fourteen days");
            }
        } else if (quiet && farm.state != State::dormant && farm.state != State::remediated) {
            farm.state = State::dormant;
            tell(farm, Kind::dormant, size, now, "no account was seen for three days");
        } else if (!quiet && (farm.state == State::dormant || farm.state == State::remediated)) {
            farm.state = State::active;
            tell(farm, Kind::woken, size, now, "its accounts are back");
        } else if (farm.state == State::active && farm.replaced >= 3 &&
                   farm.replaced * 50 >= size) {
            farm.state = State::rotating;
            tell(farm, Kind::rotated, size, now,
                 std::to_string(farm.replaced) +
                     " accounts took the place of closed ones within "
                     "two days each");
        }
    }
}

void Registry::forget(const Observer& observer, Breath& breath) {
    std::erase_if(waiting_, [&](const auto& w) { return !observer.accounts.live(w.first); });
    for (auto& known : farms_) {
        auto& farm = known.second;
        std::erase_if(farm.members, [&](const auto& m) {
            breath.taken();
            return !observer.accounts.live(m.first) || (farm.level == model::FarmLevel::campaign &&
                                                        observer.accounts[m.first].farm != farm.id);
        });
    }
}

void Registry::drop(const std::vector<std::uint32_t>& slots) {
    for (const std::uint32_t slot : slots) {
        for (auto& [id, farm] : farms_) changes_ += farm.members.erase(slot);
    }
}

void Registry::let_go(Observer& observer, const std::function<bool(const Account&)>& which) {
    for (auto& [id, farm] : farms_) {
        const std::size_t before = farm.members.size();
        std::erase_if(farm.members, [&](const auto& m) {
            if (!observer.accounts.live(m.first)) return false;
            Account& account = observer.accounts[m.first];
            if (!which(account)) return false;
            account.flags &= static_cast<std::uint8_t>(~Account::kAlerted);
            account.farm = 0;
            return true;
        });
        changes_ += farm.members.size() != before ? 1 : 0;
    }
}

bool Registry::dismiss(std::uint64_t id, Observer& observer, Nanos now, const std::string& reason) {
    const auto at = farms_.find(id);
    if (at == farms_.end()) return false;
    ++changes_;
    for (auto& [other, farm] : farms_) {
        if (other != id && farm.parent != id) continue;
        farm.state = State::dismissed;
        tell(farm, Kind::dismissed, static_cast<std::uint32_t>(farm.members.size()), now, reason);
        for (const auto& [slot, member] : farm.members) {
            Account& a = observer.accounts[slot];
            if (a.farm != other) continue;
            a.flags &= static_cast<std::uint8_t>(~Account::kAlerted);
        }
    }
    return true;
}

bool Registry::confirm(std::uint64_t id, Nanos, const std::string& reason) {
    const auto at = farms_.find(id);
    if (at == farms_.end()) return false;
    ++changes_;
    at->second.provisional = false;
    if (at->second.state == State::emerging) at->second.state = State::active;
    at->second.reason += "; confirmed: " + reason;
    return true;
}

bool Registry::merge(std::uint64_t into, std::uint64_t from, Observer& observer, Nanos now) {
    const auto a = farms_.find(into), b = farms_.find(from);
    if (a == farms_.end() || b == farms_.end() || into == from) return false;
    if (a->second.level != b->second.level) return false;
    ++changes_;
    const auto before = static_cast<std::uint32_t>(a->second.members.size());
    const std::map<std::uint32_t, MemberRecord> members = b->second.members;
    for (const auto& [slot, member] : members) {
        a->second.members.insert({slot, member});
        if (observer.accounts[slot].farm == from) observer.accounts[slot].farm = into;
    }
    for (auto& [id, farm] : farms_) {
        if (farm.parent == from) farm.parent = into;
    }
    a->second.merged = true;
    tell(a->second, Kind::merged, before, now, "merged by an analyst", from);
    farms_.erase(from);
    return true;
}

std::uint64_t Registry::split(std::uint64_t from, const std::vector<std::uint32_t>& slots,
                              Observer& observer, Nanos now, const std::string& reason) {
    const auto at = farms_.find(from);
    if (at == farms_.end() || at->second.level != model::FarmLevel::campaign) return 0;
    FarmRecord& old = at->second;
    std::set<std::uint32_t> leave;
    for (const std::uint32_t slot : slots) {
        if (!old.members.contains(slot)) return 0;
        leave.insert(slot);
    }
    if (leave.empty() || leave.size() == old.members.size()) return 0;
    ++changes_;
    FarmRecord& fresh = farms_[next_id_];
    fresh.id = next_id_++;
    fresh.parent = old.parent;
    fresh.state = old.state;
    fresh.level = old.level;
    fresh.provisional = old.provisional;
    fresh.groups = old.groups;
    fresh.evidence = old.evidence;
    fresh.held = true;
    fresh.found = now;
    fresh.first_seen = fresh.last_seen = observer.accounts[*leave.begin()].last;
    fresh.reason = reason;
    const auto before = static_cast<std::uint32_t>(old.members.size());
    for (const std::uint32_t slot : leave) {
        Account& account = observer.accounts[slot];
        const auto member = old.members.extract(slot);
        fresh.score = std::max(fresh.score, member.mapped().score);
        fresh.first_seen = std::min(fresh.first_seen, account.first);
        fresh.last_seen = std::max(fresh.last_seen, account.last);
        fresh.members.emplace(slot, member.mapped());
        account.farm = fresh.id;
    }
    old.reported = static_cast<std::uint32_t>(old.members.size());
    tell(fresh, Kind::split, before, now, reason, from);
    return fresh.id;
}

}  // namespace seine::detect
