#include "tools/evaluate/engine_subject.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <unordered_map>

#include "control/detect/engine.h"

namespace seine::evaluate {
namespace {

constexpr std::int64_t kHourNs = 3600 * kSecond;
constexpr std::int64_t kSweepNs = 300 * kSecond;  // the daemon's own interval

class EngineSubject final : public Subject {
  public:
    EngineSubject(std::unique_ptr<detect::Engine> engine, const EnginePlan& plan,
                  std::int64_t start_ns)
        : engine_(std::move(engine)),
          plan_(plan),
          next_sweep_(start_ns + kSweepNs),
          start_(start_ns) {
        name_values();
    }
    void text(model::ValueId id, const std::string& text) override { texts_.emplace(id, text); }
    void sighting(Nanos, const model::Sighting& sighting) override { engine_->take(sighting); }
    void event(const model::AccountEvent& event) override { engine_->take(event); }
    void advance(Nanos now) override {
        if (now.count < next_sweep_) {
            engine_->tick(now);
            return;
        }
        sweep(now);
        if (plan_.restarts) restart();
        const double most = plan_.sweep_hours * static_cast<double>(kHourNs);
        const double step = std::max(static_cast<double>(kSweepNs),
                                     plan_.growth * static_cast<double>(now.count - start_));
        next_sweep_ = now.count + static_cast<std::int64_t>(std::min(most, step));
    }
    Status finish(Nanos now) override {
        if (!fault_.ok()) return fault_;
        sweep(now);
        if (plan_.state.empty()) return {};
        std::ofstream out(plan_.state, std::ios::binary | std::ios::trunc);
        Status status = engine_->save(out);
        if (status.ok() && !out.flush()) status = failed(plan_.state + ": cannot be written");
        return status;
    }
    std::vector<Verdict> verdicts(const WorldTruth& truth) override;
    std::vector<std::pair<std::string, double>> figures() override;
    std::vector<FarmStory> stories() override;
    std::uint64_t restarts() const override { return restarts_; }

  private:
    void name_values() {
        engine_->set_names([this](std::uint64_t id) {
            const auto found = texts_.find(id);
            return found == texts_.end() ? std::string() : found->second;
        });
    }
    void restart();
    void sweep(Nanos now) {
        const auto begin = std::chrono::steady_clock::now();
        engine_->sweep(now);
        const double took =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        sweep_seconds_ += took;
        sweep_longest_ = std::max(sweep_longest_, took);
        ++sweeps_;
        (void)engine_->events();  // nobody here keeps them
    }
    std::unique_ptr<detect::Engine> engine_;
    EnginePlan plan_;
    std::int64_t next_sweep_;
    std::int64_t start_;
    std::unordered_map<std::uint64_t, std::string> texts_;
    double sweep_seconds_ = 0, sweep_longest_ = 0;
    std::uint64_t sweeps_ = 0, restarts_ = 0;
    Status fault_;
};

Result<std::unique_ptr<detect::Engine>> make_engine(const EnginePlan& plan) {
    detect::Options options;
    options.budget = plan.budget;
    options.threads = plan.threads;
    if (!plan.state.empty()) options.accounts_max = 1'000'000;  // the daemon's own
    auto engine = detect::Engine::make(options);
    if (!engine) return engine.error();
    detect::PrefixTable prefixes;
    if (Status s = prefixes.load_csv(plan.prefixes); !s.ok()) return s;
    (*engine)->set_prefixes(std::move(prefixes));
    return engine;
}

// A process that ended and one that begins: nothing but the saved bytes goes from one to the other.
void EngineSubject::restart() {
    std::stringstream saved;
    fault_ = engine_->save(saved);
    auto fresh = make_engine(plan_);
    if (fault_.ok() && !fresh) fault_ = fresh.error();
    if (fault_.ok()) fault_ = (*fresh)->load(saved);
    if (!fault_.ok()) return;
    engine_ = std::move(*fresh);
    name_values();
    ++restarts_;
}

std::vector<Verdict> EngineSubject::verdicts(const WorldTruth& truth) {
    std::vector<Verdict> out(truth.rows.size());
    engine_->results([&](const detect::AccountResult& r) {
        const auto found = truth.row_of.find(r.account);
        if (found == truth.row_of.end()) return;
        Verdict& v = out[found->second];
        v.score_nats = r.score_nats;
        // Once alerted counts, also where a later sweep thought better of it.
        v.alerted = r.first_alert.count != 0;
        if (v.alerted) v.first_alert_ns = r.first_alert.count;
        if (r.farm != 0) v.farm = "F-" + std::to_string(r.farm);
    });
    return out;
}

std::vector<std::pair<std::string, double>> EngineSubject::figures() {
    const detect::Counters c = engine_->counters();
    const auto n = [](std::uint64_t value) { return static_cast<double>(value); };
    return {{"accounts", n(c.accounts)},
            {"bytes_per_account", c.accounts == 0 ? 0 : n(c.bytes) / n(c.accounts)},
            {"connections", n(c.connections)},
            {"cells", n(c.cells)},
            {"farms", n(c.farms)},
            {"places", n(c.places)},
            {"intermediaries", n(c.intermediaries)},
            {"cohorts", n(c.cohorts)},
            {"expected_fp", c.expected_fp},
            {"sweeps", n(sweeps_)},
            {"sweep_seconds", sweep_seconds_},
            {"sweep_seconds_longest", sweep_longest_}};
}

std::vector<FarmStory> EngineSubject::stories() {
    std::vector<FarmStory> out;
    for (const model::Farm& farm : engine_->farms()) {
        if (farm.level != model::FarmLevel::campaign || farm.members.empty()) continue;
        const auto surest = std::max_element(
            farm.members.begin(), farm.members.end(),
            [](const auto& a, const auto& b) { return a.score_nats < b.score_nats; });
        FarmStory story;
        story.farm = "F-" + std::to_string(farm.id);
        story.accounts = farm.accounts;
        if (!farm.evidence.empty()) story.reason = farm.evidence.front().sentence;
        story.account = model::to_text(surest->account);
        for (const auto& line : engine_->why(surest->account).lines)
            story.lines.emplace_back(line.nats, line.sentence);
        out.push_back(std::move(story));
    }
    std::stable_sort(out.begin(), out.end(), [](const FarmStory& a, const FarmStory& b) {
        return a.accounts > b.accounts;
    });
    return out;
}

}  // namespace

Result<std::unique_ptr<Subject>> make_engine_subject(const EnginePlan& plan,
                                                     std::int64_t start_ns) {
    auto engine = make_engine(plan);
    if (!engine) return engine.error();
    return std::unique_ptr<Subject>(
        std::make_unique<EngineSubject>(std::move(*engine), plan, start_ns));
}

}  // namespace seine::evaluate
