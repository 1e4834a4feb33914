// Wires observation, sweeps, farms and explanations together.
#include "control/detect/engine.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include "control/detect/explain.h"
#include "control/detect/registry.h"
#include "control/detect/state.h"

namespace seine::detect {
namespace {

constexpr std::int64_t kMatchEvery = 60 * kSecond;
// Below, no account is alerted between sweeps.
constexpr double kNear = Thresholds::kLeast + Registry::kSpareNats;

Status no_farm(std::uint64_t id) {
    return {Code::not_found, "no farm F-" + std::to_string(id) + "; see the list of farms"};
}

}  // namespace

struct Engine::State {
    explicit State(Options o)
        : options(std::move(o)),
          observer(options),
          arena(options.threads == 0 ? tbb::task_arena::automatic
                                     : static_cast<int>(options.threads)) {
        observer.set_rules(&feedback);
        if (options.threads > 1) {
            workers = std::make_unique<tbb::global_control>(
                tbb::global_control::max_allowed_parallelism, options.threads);
        }
    }

    // A sweep that is under way.
    struct Sweep {
        Sweep(Nanos at, std::int64_t window_ns, const Rules* rules)
            : now(at), snapshot(at, window_ns, rules) {}
        Nanos now;
        FindOptions how;
        Snapshot snapshot;
        bool frozen = false;
        std::unique_ptr<Findings> found;
    };
    [[nodiscard]] std::unique_ptr<Sweep> begin(Nanos now);
    void find(Nanos now);
    void update(Nanos now, Breath& breath);
    // The farm of the findings that an account fits best; false if it fits none.
    bool best_fit(std::uint32_t slot, std::size_t& farm, Fit& fit) const;
    struct Shown {  // what a view points to
        std::vector<std::uint32_t> tokens;
        std::vector<WayBeyond> ways;
        Tempered tempered;
    };
    RowView view_of(std::uint32_t slot, Shown& shown) const;
    void let_excluded_go(Breath& breath);
    void explain(Findings& found) const;
    [[nodiscard]] AccountResult result_of(const Account& account) const;
    void match_twins(Nanos now);

    Options options;
    std::vector<Template> templates;
    Observer observer;
    Registry registry;
    Feedback feedback;
    NameOf names;
    std::unique_ptr<tbb::global_control> workers;
    tbb::task_arena arena;
    std::unique_ptr<Findings> findings;
    std::unique_ptr<Sweep> running;
    std::unique_ptr<StateWriter> saving;
    Nanos last_sweep, last_match;
    std::uint64_t sweeps = 0, rescored = 0;
};

Engine::Engine(Options options) : state_(std::make_unique<State>(std::move(options))) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::make(Options options) {
    std::vector<Template> templates;
    const auto& names = options.templates.empty() ? default_templates() : options.templates;
    for (const std::string& name : names) {
        auto made = read_template(name);
        if (!made) return made.error();
        templates.push_back(std::move(made.value()));
    }
    std::unique_ptr<Engine> engine(new Engine(std::move(options)));
    engine->state_->templates = std::move(templates);
    return engine;
}

void Engine::set_prefixes(PrefixTable table) { state_->observer.set_prefixes(std::move(table)); }
void Engine::set_names(std::function<std::string(std::uint64_t)> names) {
    state_->names = std::move(names);
}
void Engine::take(const model::Sighting& sighting) { state_->observer.take(sighting); }
void Engine::take(const model::AccountEvent& event) { state_->observer.take(event); }

// Not while edges are being frozen or written: that is a matter of seconds.
void Engine::State::match_twins(Nanos now) {
    if (saving != nullptr || (running != nullptr && !running->frozen)) return;
    if (last_match.count != 0 && now.count - last_match.count < kMatchEvery) return;
    observer.twins.match(now, observer.hour(now));
    last_match = now;
}

std::unique_ptr<Engine::State::Sweep> Engine::State::begin(Nanos now) {
    auto fresh = std::make_unique<Sweep>(now, options.window_ns, &feedback);
    FindOptions& how = fresh->how;
    how.budget = options.budget;
    // The first day's budget may be spent from its beginning: alerts stick, so that it is spent once.
    const std::int64_t seen_ns = std::max<std::int64_t>(kDay, now.count - observer.began.count);
    how.days =
        static_cast<double>(std::min(options.window_ns, seen_ns)) / static_cast<double>(kDay);
    how.orgs_min = options.orgs_min;
    feedback.expire(now);
    how.sparse = observer.accounts.size() < options.sparse_accounts;
    return fresh;
}

void Engine::State::find(Nanos now) {
    auto whole = begin(now);
    arena.execute([&] {
        while (!whole->snapshot.step(observer, 0xffffffffu)) {
        }
        findings = find_farms(std::move(whole->snapshot), templates, whole->how);
    });
}

void Engine::State::update(Nanos now, Breath& breath) {
    Registry::Rules rules;
    rules.orgs_min = options.orgs_min;
    rules.provisional = observer.accounts.size() < options.warm_accounts ||
                        now.count - observer.began.count < options.warm_ns;
    registry.drop(observer.accounts.members_gone());
    let_excluded_go(breath);
    registry.forget(observer, breath);
    registry.update(*findings, observer, now, rules, breath);
    for (std::size_t f = 0; f < findings->farms.size(); ++f) {
        const std::vector<model::EvidenceLine>& lines = findings->farms[f].evidence;
        std::uint8_t groups = 0;
        for (const auto& line : lines) groups |= line.groups;
        for (const std::uint64_t id : registry.campaign_ids()[f]) {
            const auto farm = registry.mutable_farms().find(id);
            if (farm == registry.mutable_farms().end()) continue;  // its members wait
            farm->second.evidence = lines;
            farm->second.groups = groups;
        }
    }
}

// Of whole farms; nothing that connections touch is looked at.
void Engine::State::explain(Findings& found) const {
    const Explainer explainer(observer, names);
    for (Group& farm : found.farms) farm.evidence = explainer.farm(found, farm);
}

// Who was alerted and is excluded by a rule since is no member any more.
void Engine::State::let_excluded_go(Breath& breath) {
    if (feedback.empty()) return;
    const std::uint16_t oldest_h = observer.hour({observer.latest.count - options.window_ns});
    registry.let_go(observer, [&](const Account& a) {
        breath.taken();
        return feedback.excluded(a, oldest_h);
    });
}

void Engine::begin_sweep(Nanos now) {
    State& s = *state_;
    if (s.observer.began.count == 0) return;
    s.last_match = {};
    s.match_twins(now);
    if (s.saving == nullptr)
        s.observer.twins.expire(s.observer.hour({now.count - s.options.window_ns}));
    s.running = s.begin(now);
    // Whoever changes from here on is looked at again before the next sweep.
    for (const std::uint32_t slot : s.observer.dirty) s.observer.accounts[slot].dirty = false;
    s.observer.dirty.clear();
}

bool Engine::gather(std::uint32_t accounts_max) {
    State& s = *state_;
    if (s.running == nullptr) return true;
    s.running->frozen = s.running->snapshot.step(s.observer, accounts_max);
    return s.running->frozen;
}

void Engine::think() {
    State& s = *state_;
    if (s.running == nullptr) return;
    s.arena.execute([&s] {
        s.running->found = find_farms(std::move(s.running->snapshot), s.templates, s.running->how);
    });
    s.explain(*s.running->found);
}

std::shared_ptr<const void> Engine::finish_sweep(const std::function<void()>& between) {
    State& s = *state_;
    if (s.running == nullptr) return nullptr;
    const Nanos now = s.running->now;
    std::shared_ptr<const Findings> before = std::move(s.findings);
    s.findings = std::move(s.running->found);
    s.running.reset();
    Breath breath(between);
    s.findings->drop_gone(s.observer.accounts, breath);
    s.update(now, breath);
    s.last_sweep = now;
    ++s.sweeps;
    return before;
}

void Engine::sweep(Nanos now) {
    begin_sweep(now);
    state_->arena.execute([this] {
        while (!gather(0xffffffffu)) {
        }
    });
    think();
    finish_sweep();
}

RowView Engine::State::view_of(std::uint32_t slot, Shown& shown) const {
    const Population& population = *findings->population;
    RowView view;
    population.resolve(observer, slot, view.facts, shown.tokens, shown.ways, shown.tempered);
    view.tokens = shown.tokens;
    view.ways = shown.ways;
    if (shown.tempered.any()) view.tempered = &shown.tempered;
    view.shapes = &observer.accounts[slot].shapes;
    const std::uint32_t row = population.row_of(slot, view.facts.serial);
    if (row != Population::kNoRow && population.rows[row].org == view.facts.org) {
        view.id = row;
        findings->twins->show(row, view);
    }
    return view;
}

bool Engine::State::best_fit(std::uint32_t slot, std::size_t& farm, Fit& fit) const {
    if (findings == nullptr || findings->farms.empty()) return false;
    Shown shown;
    RowView view = view_of(slot, shown);
    // While the peer is there, its serial is the one that was noted.
    const Account& account = observer.accounts[slot];
    const std::uint32_t peer = findings->population->row_of(observer.accounts.linked_to(account),
                                                            account.linked_serial);
    for (std::size_t f = 0; f < findings->farms.size(); ++f) {
        const Group& group = findings->farms[f];
        view.linked = peer != Population::kNoRow && group.whole.profile->is_member(peer);
        Fit found = fit_of(group, view);
        if (fit.profile != nullptr && found.spare <= fit.spare) continue;
        farm = f;
        fit = std::move(found);
    }
    return true;
}

void Engine::tick(Nanos now) {
    State& s = *state_;
    if (s.observer.began.count == 0) return;
    s.match_twins(now);
    s.registry.drop(s.observer.accounts.members_gone());
    std::vector<std::uint32_t> dirty;
    dirty.swap(s.observer.dirty);
    const std::uint16_t oldest_h = s.observer.hour({now.count - s.options.window_ns});
    for (const std::uint32_t slot : dirty) {
        if (!s.observer.accounts.live(slot)) continue;
        Account& account = s.observer.accounts[slot];
        account.dirty = false;
        if (account.has(Account::kAlerted) || s.findings == nullptr) continue;
        if (s.feedback.excluded(account, oldest_h)) continue;
        if (s.findings->most_of(s.observer, slot) < kNear) {
            account.score = 0;
            continue;
        }
        std::size_t f = 0;
        Fit fit;
        if (!s.best_fit(slot, f, fit)) continue;
        ++s.rescored;
        account.score = fit.membership.score;
        if (!two_groups(fit.membership) || fit.spare < Registry::kSpareNats) continue;
        State::Shown shown;
        const RowView view = s.view_of(slot, shown);
        const auto& ids = s.registry.campaign_ids()[f];
        const auto part = ids.size() > 1 ? campaign_of(s.findings->farms[f], view) : std::size_t{0};
        s.registry.join(s.observer, ids[std::min(part, ids.size() - 1)], slot, account.score, now);
    }
}

AccountResult Engine::State::result_of(const Account& account) const {
    AccountResult result;
    result.account = account.tag;
    result.score_nats = account.score;
    result.alerted = account.has(Account::kAlerted);
    result.provisional = account.has(Account::kProvisional);
    result.first_alert = account.alerted;
    result.farm = account.farm;
    const auto farm = registry.farms().find(account.farm);
    if (farm != registry.farms().end()) result.infrastructure = farm->second.parent;
    return result;
}

AccountResult Engine::result(const model::AccountTag& account) const {
    const std::uint32_t slot = state_->observer.accounts.find(account);
    if (slot == AccountTable::kNone) return {};
    return state_->result_of(state_->observer.accounts[slot]);
}

void Engine::results(const std::function<void(const AccountResult&)>& take) const {
    const AccountTable& accounts = state_->observer.accounts;
    for (std::uint32_t slot = 0; slot < accounts.slots(); ++slot) {
        if (accounts.live(slot)) take(state_->result_of(accounts[slot]));
    }
}

Explanation Engine::why(const model::AccountTag& tag) const {
    const State& s = *state_;
    Explanation out;
    const std::uint32_t slot = s.observer.accounts.find(tag);
    if (slot == AccountTable::kNone) {
        out.summary = "This account was never seen.";
        return out;
    }
    const Account& account = s.observer.accounts[slot];
    out.known = true;
    out.result = s.result_of(account);
    std::size_t f = 0;
    Fit fit;
    if (!s.best_fit(slot, f, fit)) {
        out.result.score_nats = 0;
        out.summary = "No farm is known, so there is nothing that this account could belong to.";
        return out;
    }
    const Explainer explainer(s.observer, s.names);
    out.lines =
        explainer.membership(*s.findings->population, *fit.profile, fit.membership, account);
    out.result.score_nats = fit.membership.score;
    char text[160];
    const std::uint64_t id =
        out.result.farm != 0 ? out.result.farm : s.registry.campaign_ids()[f].front();
    std::snprintf(
        text, sizeof text, "%s farm %s with a score of %.1f nats (odds of e^%.1f).",
        out.result.alerted ? "This account belongs to" : "This account comes nearest to",
        id != 0 ? ("F-" + std::to_string(id)).c_str() : "(a group nobody of which is alerted)",
        fit.membership.score, fit.membership.score);
    out.summary = text;
    return out;
}

std::vector<model::Farm> Engine::farms() const {
    FarmList list;
    while (!farms_step(0xffffffffu, list)) {
    }
    return list.take();
}

bool Engine::farms_step(std::uint32_t members_max, FarmList& list) const {
    return list.step(state_->registry, state_->observer.accounts, members_max);
}

std::uint64_t Engine::farms_version() const {
    return FarmList::version(state_->registry, state_->observer.accounts);
}

std::vector<SharedEgress> Engine::shared_egress() const {
    std::vector<SharedEgress> out;
    if (state_->findings == nullptr) return out;
    for (const Group& group : state_->findings->others) {
        if (group.verdict.kind == GroupKind::cohort) continue;
        SharedEgress egress;
        egress.kind = group.verdict.kind == GroupKind::place ? "place" : "intermediary";
        egress.organisations = static_cast<std::uint32_t>(group.verdict.orgs);
        egress.network = std::string(name_of(group.verdict.net));
        egress.reason = group.verdict.reason;
        for (const std::uint32_t row : group.members) {
            if (egress.members.size() == 32) break;
            const Row& r = state_->findings->population->rows[row];
            const Account& account = state_->observer.accounts[r.slot];
            if (account.serial == r.serial) egress.members.push_back(account.tag);
        }
        out.push_back(std::move(egress));
    }
    return out;
}

Status Engine::dismiss(std::uint64_t farm, Nanos now, const std::string& reason) {
    if (reason.empty()) return {Code::usage, "a farm is dismissed with a reason"};
    if (state_->registry.dismiss(farm, state_->observer, now, reason)) return {};
    return no_farm(farm);
}

Status Engine::confirm(std::uint64_t farm, Nanos now, const std::string& reason) {
    if (reason.empty()) return {Code::usage, "a farm is confirmed with a reason"};
    return state_->registry.confirm(farm, now, reason) ? Status{} : no_farm(farm);
}

Status Engine::merge(std::uint64_t into, std::uint64_t from, Nanos now) {
    if (state_->registry.merge(into, from, state_->observer, now)) return {};
    return {Code::not_found, "both must be known farms of one level, and not the same one"};
}

Result<std::uint64_t> Engine::split(std::uint64_t farm,
                                    const std::vector<model::AccountTag>& accounts, Nanos now,
                                    const std::string& reason) {
    State& s = *state_;
    if (reason.empty()) return Status(Code::usage, "a farm is split with a reason");
    if (!s.registry.farms().contains(farm)) return no_farm(farm);
    std::vector<std::uint32_t> slots;
    for (const model::AccountTag& tag : accounts) {
        const std::uint32_t slot = s.observer.accounts.find(tag);
        if (slot == AccountTable::kNone || s.observer.accounts[slot].farm != farm)
            return Status(Code::usage, "account " + model::to_text(tag) + " is not of farm F-" +
                                           std::to_string(farm));
        slots.push_back(slot);
    }
    const std::uint64_t fresh = s.registry.split(farm, slots, s.observer, now, reason);
    if (fresh == 0)
        return Status(Code::usage,
                      "a campaign is split into two: some of its accounts go, some stay");
    return fresh;
}

std::vector<MemberView> Engine::members(std::uint64_t farm) const {
    const State& s = *state_;
    std::vector<MemberView> out;
    const auto at = s.registry.farms().find(farm);
    if (at == s.registry.farms().end()) return out;
    const Explainer explainer(s.observer, s.names);
    for (const auto& [slot, member] : at->second.members) {
        const Account& account = s.observer.accounts[slot];
        MemberView view{account.tag,
                        member.replaces,
                        member.score,
                        member.since,
                        account.last,
                        account.closed,
                        {},
                        {},
                        {}};
        std::array<const Token*, kChannels> most{};
        for (const Token& token : account.tokens) {
            const Token*& best = most[static_cast<std::size_t>(token.channel)];
            if (best == nullptr || token.count > best->count) best = &token;
        }
        const auto shown = [&](Channel channel) {
            const Token* token = most[static_cast<std::size_t>(channel)];
            return token == nullptr ? std::string()
                                    : explainer.value(channel, token->value, token->net);
        };
        view.network = shown(Channel::network);
        view.address = shown(Channel::address);
        view.client = shown(Channel::client);
        out.push_back(std::move(view));
    }
    return out;
}

Status Engine::add_rule(FeedbackRule rule, Nanos now) {
    return state_->feedback.add(std::move(rule), now);
}
Status Engine::set_rules(std::vector<FeedbackRule> rules, Nanos now) {
    return state_->feedback.replace(std::move(rules), now);
}
void Engine::set_policy(double budget, std::uint32_t orgs_min) {
    state_->options.budget = budget;
    state_->options.orgs_min = orgs_min;
}
bool Engine::remove_rule(std::uint64_t id) { return state_->feedback.remove(id); }
std::vector<FeedbackRule> Engine::rules() const { return state_->feedback.rules(); }

std::vector<model::Event> Engine::events() { return state_->registry.take_events(); }

Counters Engine::counters() const {
    const State& s = *state_;
    const ObserveCounters& o = s.observer.counters;
    Counters c;
    c.sightings = o.sightings;
    c.connections = o.connections;
    c.account_events = o.account_events;
    c.unknown_accounts = o.unknown_accounts;
    c.through_intermediary = o.through_intermediary;
    c.tokens_evicted = o.tokens_evicted;
    c.gap_samples = o.gap_samples;
    c.gap_invalid = o.gap_invalid;
    c.shared_sessions = o.shared_sessions;
    c.shared_connections = o.shared_connections;
    c.accounts_evicted = s.observer.accounts.evicted();
    c.sessions_evicted = s.observer.sessions.evicted();
    c.exits_evicted = s.observer.exits.evicted();
    c.twins_evicted = s.observer.twins.evicted();
    c.stacks_refused = s.observer.crypto.refused();
    c.sweeps = s.sweeps;
    c.rescored = s.rescored;
    c.accounts = s.observer.accounts.size();
    c.organisations = s.observer.accounts.orgs();
    c.bytes = s.observer.accounts.bytes() + s.observer.sessions.bytes() + s.observer.exits.bytes() +
              s.observer.twins.bytes();
    c.twin_pairs = s.observer.twins.edges().size();
    c.budget = s.options.budget;
    for (const auto& [id, farm] : s.registry.farms()) {
        if (farm.level != model::FarmLevel::campaign) continue;
        ++c.farms;
        c.alerted += farm.members.size();
    }
    if (s.findings == nullptr) return c;
    c.bytes += s.findings->bytes();
    c.cells = s.findings->cells;
    c.cell_pairs = s.findings->cell_pairs;
    c.shared_tokens = s.findings->population->tokens.size();
    c.seeds = s.findings->seeds;
    for (const Group& group : s.findings->others) {
        (group.verdict.kind == GroupKind::place          ? c.places
         : group.verdict.kind == GroupKind::intermediary ? c.intermediaries
                                                         : c.cohorts) += 1;
    }
    c.expected_fp = 1e6 * s.findings->expected_fp / s.findings->days /
                    std::max(1.0, s.findings->population->orgs());
    return c;
}

void Engine::begin_save() {
    State& s = *state_;
    if (s.running == nullptr || s.running->frozen) s.observer.twins.drop_forgotten();
    s.registry.drop(s.observer.accounts.members_gone());
    s.saving = std::make_unique<StateWriter>();
}

bool Engine::save_step(std::uint32_t accounts_max, std::string& out) {
    State& s = *state_;
    if (s.saving == nullptr) return true;
    const StateView view{s.observer, s.registry, s.last_sweep, s.last_match};
    if (!s.saving->step(view, accounts_max, out)) return false;
    s.saving.reset();
    return true;
}

Status Engine::save(std::ostream& out) {
    std::string piece;
    begin_save();
    for (bool whole = false; !whole; piece.clear()) {
        whole = save_step(4096, piece);
        out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    }
    return out.good() ? Status{} : failed("the detection state could not be written whole");
}

Status Engine::load(std::istream& in) {
    auto fresh = std::make_unique<State>(state_->options);
    fresh->templates = state_->templates;
    fresh->names = state_->names;
    for (const FeedbackRule& rule : state_->feedback.rules()) {
        (void)fresh->feedback.add(rule, rule.since);
    }
    fresh->observer.set_prefixes(state_->observer.prefixes());
    Status status =
        read_state(in, fresh->observer, fresh->registry, fresh->last_sweep, fresh->last_match);
    if (!status.ok()) return status;
    if (fresh->last_sweep.count != 0) {
        fresh->find(fresh->last_sweep);
        Registry::Rules rules;
        rules.provisional = true;
        // Only to learn which part of the findings is which campaign: nobody is alerted or moved.
        struct Kept {
            double score;
            Nanos alerted;
            std::uint64_t farm;
            std::uint8_t flags;
        };
        AccountTable& accounts = fresh->observer.accounts;
        std::vector<Kept> kept;
        for (std::uint32_t slot = 0; slot < accounts.slots(); ++slot) {
            const Account& a = accounts[slot];
            kept.push_back({a.score, a.alerted, a.farm, a.flags});
        }
        Registry copy = fresh->registry;
        const Breath::Between none;
        Breath breath(none);
        copy.update(*fresh->findings, fresh->observer, fresh->last_sweep, rules, breath);
        fresh->registry.set_campaign_ids(copy.campaign_ids());
        for (std::uint32_t slot = 0; slot < accounts.slots(); ++slot) {
            Account& a = accounts[slot];
            a.score = kept[slot].score;
            a.alerted = kept[slot].alerted;
            a.farm = kept[slot].farm;
            a.flags = kept[slot].flags;
        }
    }
    state_ = std::move(fresh);
    return {};
}

}  // namespace seine::detect
