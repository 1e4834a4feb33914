// Farm detection: sightings in, farms out. One engine sees one installation's traffic.
//
// Threads: all calls come from one thread, or are serialised by the caller; sweep() uses the TBB
// threads that Options allow. The same input in the same order, with sweeps at the same times,
// gives the same answer for any number of threads. Time is an argument: nothing here reads a clock.
#pragma once
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/detect/farm_list.h"
#include "control/detect/feedback.h"
#include "control/detect/options.h"
#include "control/detect/prefix_table.h"
#include "control/model/event.h"
#include "control/model/farm.h"
#include "control/model/sighting.h"
#include "dataplane/base/status.h"

namespace seine::detect {

// What detection thinks of one account.
struct AccountResult {
    model::AccountTag account;
    double score_nats = 0;  // log-odds of the farm that fits best; 0 where none comes near
    bool alerted = false;   // now a member of a farm
    bool provisional = false;
    Nanos first_alert;       // zero: never
    std::uint64_t farm = 0;  // the campaign, or the infrastructure cluster where there is no other
    std::uint64_t infrastructure = 0;
};

// The answer to "why": lines that sum to the score.
struct Explanation {
    bool known = false;  // the account was seen at all
    AccountResult result;
    std::vector<model::EvidenceLine> lines;
    std::string summary;  // one sentence
};

// An account of a farm with what it shows most: for pictures, and for what changed.
struct MemberView {
    model::AccountTag account, replaces;
    double score_nats = 0;
    Nanos since, last, closed;  // closed: zero while it is open
    std::string network;        // "AS64500 (residential)"
    std::string address;
    std::string client;
};

struct Counters {
    std::uint64_t sightings = 0, connections = 0, account_events = 0, unknown_accounts = 0;
    std::uint64_t through_intermediary = 0, tokens_evicted = 0, gap_samples = 0, gap_invalid = 0;
    std::uint64_t shared_sessions = 0, shared_connections = 0;
    std::uint64_t accounts_evicted = 0, sessions_evicted = 0, exits_evicted = 0, twins_evicted = 0;
    std::uint64_t stacks_refused = 0, sweeps = 0, rescored = 0;
    std::uint64_t accounts = 0, organisations = 0, bytes = 0;  // gauges
    std::uint64_t cells = 0, cell_pairs = 0, shared_tokens = 0, seeds = 0, twin_pairs = 0;
    std::uint64_t places = 0, intermediaries = 0, cohorts = 0;  // groups that were no farms
    std::uint64_t alerted = 0, farms = 0;
    double budget = 0;       // false positives asked for, per million accounts and day
    double expected_fp = 0;  // what the null expects of the thresholds in force, in the same unit
};

// Groups that agree but are no farms: reported apart (undeclared platforms above all).
struct SharedEgress {
    std::string kind;  // "intermediary", "place"
    std::uint32_t organisations = 0;
    std::string network;  // readable
    std::string reason;
    std::vector<model::AccountTag> members;  // some, at most 32
};

class Engine {
  public:
    // Fails on a template that names no channel.
    [[nodiscard]] static Result<std::unique_ptr<Engine>> make(Options options);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    void set_prefixes(PrefixTable table);
    // A readable form of a value id, from the store's dictionary; empty: not known.
    void set_names(std::function<std::string(std::uint64_t)> names);

    void take(const model::Sighting& sighting);
    void take(const model::AccountEvent& event);

    // Rescores the accounts that changed since the last call against the farms of the last sweep:
    // a newcomer to a known farm is alerted here. Every second or so.
    void tick(Nanos now);
    // The whole population anew: cells, farms, thresholds, life cycle. Every five minutes or so.
    void sweep(Nanos now);
    // The same in four parts, for a caller whose accounts must not wait for a whole sweep: begin, then
    // gather until it is true, then think, then finish. Between these calls, and during think(), which
    // another thread may run, everything else may be called but sweep() and load(); all other calls
    // but think() are serialised as ever. A step of gather() takes as long as so many accounts take.
    void begin_sweep(Nanos now);
    [[nodiscard]] bool gather(std::uint32_t accounts_max);
    void think();
    // Returns what was in force before: to let go of it takes a while, and needs nothing of the engine.
    // `between` is called after every few accounts: there, take() may be called and nothing else.
    std::shared_ptr<const void> finish_sweep(const std::function<void()>& between = {});

    // Farms of both levels, by id; campaigns name their infrastructure cluster as parent.
    [[nodiscard]] std::vector<model::Farm> farms() const;
    // The same in steps; true after the last one.
    [[nodiscard]] bool farms_step(std::uint32_t members_max, FarmList& list) const;
    // Another number whenever farms() would answer otherwise.
    [[nodiscard]] std::uint64_t farms_version() const;
    [[nodiscard]] Explanation why(const model::AccountTag& account) const;
    [[nodiscard]] AccountResult result(const model::AccountTag& account) const;
    void results(const std::function<void(const AccountResult&)>& take) const;
    [[nodiscard]] std::vector<SharedEgress> shared_egress() const;
    // An analyst's word. Dismissed farms keep their members on record, unalerted, and gain none.
    [[nodiscard]] Status dismiss(std::uint64_t farm, Nanos now, const std::string& reason);
    [[nodiscard]] Status confirm(std::uint64_t farm, Nanos now, const std::string& reason);
    [[nodiscard]] Status merge(std::uint64_t into, std::uint64_t from, Nanos now);
    // Some accounts of a campaign are another operator's: they become a farm of their own, and stay
    // one. Returns its id.
    [[nodiscard]] Result<std::uint64_t> split(std::uint64_t farm,
                                              const std::vector<model::AccountTag>& accounts,
                                              Nanos now, const std::string& reason);
    // Empty where the farm is not known.
    [[nodiscard]] std::vector<MemberView> members(std::uint64_t farm) const;
    // Rules that keep innocent things from counting, from the next sweep on (feedback.h).
    [[nodiscard]] Status add_rule(FeedbackRule rule, Nanos now);
    bool remove_rule(std::uint64_t id);
    // These rules in place of all there are (feedback.h).
    [[nodiscard]] Status set_rules(std::vector<FeedbackRule> rules, Nanos now);
    // From the next sweep on. `budget`: false positives per million accounts and day.
    void set_policy(double budget, std::uint32_t orgs_min);
    [[nodiscard]] std::vector<FeedbackRule> rules() const;
    // What happened since the last call: farms found, grown, rotated, dormant, dismissed ...
    [[nodiscard]] std::vector<model::Event> events();
    [[nodiscard]] Counters counters() const;

    // Everything that a restart must not lose. load() leaves the engine as it was on any fault.
    [[nodiscard]] Status save(std::ostream& out);
    // The same in steps, as a sweep: begin, then append steps until one says that it was the last. The
    // bytes of all steps together are a state; it is as of the last sweep if none was begun since.
    void begin_save();
    [[nodiscard]] bool save_step(std::uint32_t accounts_max, std::string& out);
    [[nodiscard]] Status load(std::istream& in);

  private:
    explicit Engine(Options options);
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace seine::detect
