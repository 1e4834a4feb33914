#include "tools/evaluate/run_wire.h"

#include <cstring>
#include <type_traits>

namespace seine::evaluate {
namespace {

class Out {
  public:
    template <typename T>
    requires std::is_trivially_copyable_v<T>
    void one(const T& value) {
        // NOLINTNEXTLINE: the bytes of a plain value
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void one(const std::string& text) {
        one(text.size());
        bytes += text;
    }
    template <typename A, typename B>
    void one(const std::pair<A, B>& both) {
        one(both.first);
        one(both.second);
    }
    void one(const CampaignGrade& c) {
        all(c.name, c.accounts, c.found, c.hours_to_half, c.hours_to_nine_tenths);
    }
    template <typename List>
    requires requires(const List& list) { list.begin(), list.size(); }
    void one(const List& list) {
        one(list.size());
        for (const auto& item : list) one(item);
    }
    template <typename... T>
    void all(const T&... values) {
        (one(values), ...);
    }
    std::string bytes;
};

class In {
  public:
    explicit In(std::string_view bytes) : left_(bytes) {}
    template <typename T>
    requires std::is_trivially_copyable_v<T>
    void one(T& value) {
        if (left_.size() < sizeof value) {
            whole = false;
            return;
        }
        std::memcpy(&value, left_.data(), sizeof value);
        left_.remove_prefix(sizeof value);
    }
    void one(std::string& text) {
        std::size_t size = 0;
        one(size);
        if (size > left_.size()) whole = false;
        if (!whole) return;
        text.assign(left_.substr(0, size));
        left_.remove_prefix(size);
    }
    template <typename A, typename B>
    void one(std::pair<A, B>& both) {
        one(both.first);
        one(both.second);
    }
    void one(CampaignGrade& c) {
        all(c.name, c.accounts, c.found, c.hours_to_half, c.hours_to_nine_tenths);
    }
    template <typename V>
    void one(std::map<std::string, V>& map) {
        std::size_t size = 0;
        one(size);
        for (std::size_t i = 0; i < size && whole; ++i) {
            std::pair<std::string, V> item;
            one(item);
            map.insert(std::move(item));
        }
    }
    template <typename T>
    void one(std::vector<T>& list) {
        std::size_t size = 0;
        one(size);
        for (std::size_t i = 0; i < size && whole; ++i) one(list.emplace_back());
    }
    template <typename... T>
    void all(T&... values) {
        (one(values), ...);
    }
    [[nodiscard]] bool done() const { return whole && left_.empty(); }
    bool whole = true;

  private:
    std::string_view left_;
};

template <typename Wire, typename R>
void rates(Wire& wire, R& r) {
    wire.all(r.farm_accounts, r.benign_accounts, r.hits, r.false_positives, r.recall, r.precision,
             r.fp_per_million_day, r.campaigns);
}

template <typename Wire, typename R>
void pass(Wire& wire, R& run) {
    wire.all(run.world, run.level, run.seed, run.accounts, run.days, run.budget, run.without,
             run.detector, run.flows, run.records, run.exchanges, run.seconds, run.cpu_seconds,
             run.peak_rss_mb, run.join_figures, run.detector_figures);
    auto& g = run.grade;
    rates(wire, g.rates);
    wire.all(g.ari, g.purity, g.completeness, g.pair_f1, g.farms, g.farms_benign,
             g.exchanges_to_alert_median, g.farm_exchanges_before_first_alert, g.prevented_share,
             g.replacements, g.replacements_linked_24h, g.false_positives_by_confounder);
}

}  // namespace

std::string to_wire(const std::vector<Run>& runs) {
    Out out;
    out.one(runs.size());
    for (const Run& run : runs) {
        pass(out, run);
        out.one(run.baselines.size());
        for (const BaselineGrade& b : run.baselines) {
            out.one(b.name);
            rates(out, b.rates);
            rates(out, b.rates_at_100);
        }
    }
    return std::move(out.bytes);
}

Result<std::vector<Run>> from_wire(std::string_view bytes) {
    In in(bytes);
    std::vector<Run> runs;
    std::size_t count = 0;
    in.one(count);
    for (std::size_t i = 0; i < count && in.whole; ++i) {
        Run& run = runs.emplace_back();
        pass(in, run);
        std::size_t baselines = 0;
        in.one(baselines);
        for (std::size_t b = 0; b < baselines && in.whole; ++b) {
            BaselineGrade& grade = run.baselines.emplace_back();
            in.one(grade.name);
            rates(in, grade.rates);
            rates(in, grade.rates_at_100);
        }
    }
    if (!in.done()) return failed("a worker ended before it had told its grades");
    return runs;
}

}  // namespace seine::evaluate
