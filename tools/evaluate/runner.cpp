#include "tools/evaluate/runner.h"

#include <chrono>
#include <cstdio>
#include <sys/resource.h>
#include <unistd.h>

#include "tools/evaluate/ablation.h"
#include "tools/evaluate/baselines.h"
#include "tools/evaluate/feed.h"
#include "tools/evaluate/product_join.h"
#include "tools/evaluate/result_file.h"

namespace seine::evaluate {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double peak_rss_mb() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_maxrss) / 1024;
}

// Hands every sighting to the subject, and the clock before it; keeps the ledger.
class Splitter final : public SightingSink {
  public:
    Splitter(Subject* subject, Ledger* ledger, std::int64_t later_ns)
        : subject_(subject), ledger_(ledger), later_(later_ns) {}
    void text(model::ValueId id, const std::string& text) override {
        if (subject_ != nullptr) subject_->text(id, text);
    }
    void sighting(Nanos now, const model::Sighting& sighting) override {
        tick(now);
        if (ledger_ != nullptr) ledger_->add(sighting);
        if (subject_ == nullptr) return;
        if (later_ == 0) {
            subject_->sighting(now, sighting);
            return;
        }
        model::Sighting moved = sighting;
        for (Nanos* at : {&moved.flow.t_open, &moved.flow.t_close})
            at->count += at->count == 0 ? 0 : later_;
        for (model::AccountUse& use : moved.uses) {
            for (Nanos* at : {&use.t_first, &use.t_last}) at->count += at->count == 0 ? 0 : later_;
            if (use.first_seen_day != 0) use.first_seen_day += days();
        }
        subject_->sighting({now.count + later_}, moved);
    }
    void event(const model::AccountEvent& event) override {
        if (subject_ == nullptr) return;
        model::AccountEvent moved = event;
        moved.at.count += later_;
        if (moved.first_seen_day != 0) moved.first_seen_day += days();
        subject_->event(moved);
    }
    void tick(Nanos now) {
        now.count += later_;
        if (subject_ == nullptr || now.count < last_.count + kSecond) return;
        last_ = now;
        subject_->advance(now);
    }
    [[nodiscard]] Nanos last() const { return last_; }

  private:
    [[nodiscard]] std::uint32_t days() const {
        return static_cast<std::uint32_t>(later_ / (24 * 3600 * kSecond));
    }
    Subject* subject_;
    Ledger* ledger_;
    std::int64_t later_;
    Nanos last_;
};

struct Progress {
    Clock::time_point start = Clock::now();
    Clock::time_point told = Clock::now();
    std::int64_t first_ns = 0;
    double days = 1;
};

void tell(const FeedCounts& counts, void* context) {
    auto& p = *static_cast<Progress*>(context);
    if (Clock::now() - p.told < std::chrono::seconds(5)) return;
    p.told = Clock::now();
    const double share = static_cast<double>(counts.last.count - p.first_ns) / (p.days * 86400e9);
    std::fprintf(stderr, "  %3.0f %% of the window, %.2f M flows after %.0f s\n", 100 * share,
                 static_cast<double>(counts.flows) / 1e6, seconds_since(p.start));
}

void grade_baselines(Ledger& ledger, const WorldTruth& truth, Run& run) {
    const auto benign = static_cast<double>(run.grade.rates.benign_accounts);
    const auto at_100 = static_cast<std::uint64_t>(100 * benign / 1e6);
    const std::uint64_t same = run.detector ? run.grade.rates.false_positives : at_100;
    for (const Baseline& b : baselines_of(ledger)) {
        BaselineGrade grade;
        grade.name = b.name;
        grade.rates = rates_of(flag_with_at_most(b.scores, truth, same), truth);
        grade.rates_at_100 = rates_of(flag_with_at_most(b.scores, truth, at_100), truth);
        run.baselines.push_back(std::move(grade));
    }
}

// The join of a daemon that is restarted whenever the subject was: between two events.
class Restarted final : public Audience {
  public:
    Restarted(std::unique_ptr<ProductJoin> join, const Subject& subject)
        : join_(std::move(join)), subject_(subject) {}
    void text(model::ValueId id, const std::string& text) override { join_->text(id, text); }
    void opened(Nanos now, const model::Flow& flow) override {
        join_->opened(now, flow);
        follow();
    }
    void closed(Nanos now, model::Flow& flow) override {
        join_->closed(now, flow);
        follow();
    }
    void recorded(Nanos now, const Record& record) override {
        join_->recorded(now, record);
        follow();
    }
    void finish() override { join_->finish(); }
    [[nodiscard]] std::vector<std::pair<std::string, double>> figures() const override {
        auto out = join_->figures();
        out.emplace_back("restarts", static_cast<double>(seen_));
        out.emplace_back("restarts_failed", static_cast<double>(failed_));
        return out;
    }

  private:
    void follow() {
        if (subject_.restarts() == seen_) return;
        seen_ = subject_.restarts();
        failed_ += join_->restart().ok() ? 0u : 1u;
    }
    std::unique_ptr<ProductJoin> join_;
    const Subject& subject_;
    std::uint64_t seen_ = 0, failed_ = 0;
};

Result<std::unique_ptr<Audience>> make_join(const RunPlan& plan, SightingSink& sink,
                                            const Subject* subject) {
    if (plan.plain_join) return std::unique_ptr<Audience>(std::make_unique<PlainJoin>(sink));
    auto join = ProductJoin::make(sink);
    if (!join) return join.error();
    if (plan.restarts && subject != nullptr)
        return std::unique_ptr<Audience>(std::make_unique<Restarted>(std::move(*join), *subject));
    return std::unique_ptr<Audience>(std::move(*join));
}

}  // namespace

Result<Run> run_world(const RunPlan& plan, const MakeSubject& make) {
    Run run;
    const Clock::time_point start = Clock::now();
    const double cpu_start = cpu_seconds();
    auto truth = read_truth(plan.folder);
    if (!truth) return truth.error();
    run.world = plan.folder;
    run.level = truth->level;
    run.seed = truth->seed;
    run.accounts = truth->rows.size();
    run.days = truth->days;
    run.budget = plan.budget;
    for (const std::string& group : plan.without)
        run.without += (run.without.empty() ? "" : " ") + group;
    std::vector<Verdict> verdicts(truth->rows.size());
    std::unique_ptr<Subject> subject;
    run.detector = !plan.grade.empty();
    if (!plan.grade.empty()) {
        auto read = read_result(plan.grade, *truth);
        if (!read) return read.error();
        verdicts = std::move(*read);
    } else {
        auto made = make(*truth, plan.folder);
        if (!made) return made.error();
        subject = std::move(made).value();
        run.detector = subject != nullptr;
    }
    Ledger ledger(*truth);
    if (subject != nullptr || plan.baselines) {
        auto feed = Feed::open(plan.folder);
        if (!feed) return feed.error();
        Splitter splitter(subject.get(), plan.baselines ? &ledger : nullptr, plan.later_ns);
        Ablation ablation(splitter, plan.without);
        SightingSink& sink = plan.without.empty() ? static_cast<SightingSink&>(splitter) : ablation;
        auto join = make_join(plan, sink, subject.get());
        if (!join) return join.error();
        Progress progress;
        progress.first_ns = truth->start_ns;
        progress.days = truth->days;
        if (Status s = (*feed)->play(**join, 0, plan.progress ? tell : nullptr, &progress); !s.ok())
            return s;
        (*join)->finish();
        run.join_figures = (*join)->figures();
        if (subject != nullptr) {
            if (Status s = subject->finish(splitter.last()); !s.ok()) return s;
            verdicts = subject->verdicts(*truth);
            run.detector_figures = subject->figures();
            if (plan.explain) run.stories = subject->stories();
        }
        run.flows = (*feed)->counts().flows;
        run.records = (*feed)->counts().records;
        run.exchanges = (*feed)->counts().exchanges;
    }
    run.seconds = seconds_since(start);
    run.cpu_seconds = cpu_seconds() - cpu_start;
    run.peak_rss_mb = peak_rss_mb();
    run.grade = grade(verdicts, *truth);
    if (!plan.result.empty()) {
        if (Status s = write_result(plan.result, verdicts, *truth); !s.ok()) return s;
    }
    if (plan.baselines) grade_baselines(ledger, *truth, run);
    return run;
}

}  // namespace seine::evaluate
