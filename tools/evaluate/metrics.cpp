#include "tools/evaluate/metrics.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "dataplane/base/clock.h"

namespace seine::evaluate {
namespace {

constexpr std::int64_t kHourNs = 3600 * kSecond;
constexpr std::int64_t kDayNs = 24 * kHourNs;

double pairs_of(double n) { return n * (n - 1) / 2; }

std::uint32_t crc32(std::string_view text) {
    static const auto table = [] {
        std::array<std::uint32_t, 256> t{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t c = i;
            for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? 0xedb88320u ^ c >> 1 : c >> 1;
            t[i] = c;
        }
        return t;
    }();
    std::uint32_t c = 0xffffffffu;
    for (const char byte : text) c = table[(c ^ static_cast<unsigned char>(byte)) & 255] ^ c >> 8;
    return ~c;
}

// Labels of alerted farm accounts as numbers; an account without one is a label of its own.
struct Labels {
    std::vector<std::uint32_t> rows;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;  // (operator, label)
};

Labels labels_of(const std::vector<Verdict>& verdicts, const WorldTruth& truth) {
    Labels out;
    std::unordered_map<std::string, std::uint32_t> ids;
    std::uint32_t next = 0;
    for (std::uint32_t row = 0; row < verdicts.size(); ++row) {
        if (!verdicts[row].alerted || truth.rows[row].farm == 0) continue;
        std::uint32_t label = next;
        if (verdicts[row].farm.empty())
            ++next;
        else if (const auto [it, fresh] = ids.emplace(verdicts[row].farm, next); fresh)
            ++next;
        else
            label = it->second;
        out.rows.push_back(row);
        out.pairs.emplace_back(truth.rows[row].farm, label);
    }
    return out;
}

void grade_labels(const Labels& labels, Grade& out) {
    out.ari = adjusted_rand(labels.pairs);
    std::map<std::uint32_t, std::map<std::uint32_t, double>> by_label, by_farm;
    for (const auto& [farm, label] : labels.pairs) {
        ++by_label[label][farm];
        ++by_farm[farm][label];
    }
    out.farms = by_label.size();
    if (labels.pairs.empty()) return;
    double pure = 0, whole = 0, both = 0, in_label = 0, in_farm = 0;
    for (const auto& [label, farms] : by_label) {
        double size = 0, best = 0;
        for (const auto& [farm, n] : farms)
            size += n, best = std::max(best, n), both += pairs_of(n);
        pure += best;
        in_label += pairs_of(size);
    }
    for (const auto& [farm, parts] : by_farm) {
        double size = 0, best = 0;
        for (const auto& [label, n] : parts) size += n, best = std::max(best, n);
        whole += best;
        in_farm += pairs_of(size);
    }
    const auto n = static_cast<double>(labels.pairs.size());
    out.purity = pure / n;
    out.completeness = whole / n;
    out.pair_f1 = in_label + in_farm == 0 ? 1 : 2 * both / (in_label + in_farm);
}

void grade_false_positives(const std::vector<Verdict>& verdicts, const WorldTruth& truth,
                           Grade& out) {
    std::unordered_map<std::string, bool> has_farm_account;
    for (std::uint32_t row = 0; row < verdicts.size(); ++row) {
        if (!verdicts[row].alerted) continue;
        const TruthRow& who = truth.rows[row];
        if (!verdicts[row].farm.empty()) has_farm_account[verdicts[row].farm] |= who.farm != 0;
        if (who.farm == 0)
            ++out.false_positives_by_confounder[who.confounder == 0 ? "none"
                                                                    : truth.names[who.confounder]];
    }
    for (const auto& [label, mixed] : has_farm_account) out.farms_benign += !mixed;
}

// Everything that needs to know when farm accounts were at work.
void grade_times(const std::vector<Verdict>& verdicts, const WorldTruth& truth, Grade& out) {
    std::vector<std::uint64_t> before(truth.rows.size());
    std::vector<std::int64_t> first_of_farm(truth.names.size(), INT64_MAX);
    std::uint64_t total = 0, prevented = 0;
    for (std::uint32_t row = 0; row < verdicts.size(); ++row) {
        if (verdicts[row].alerted && verdicts[row].first_alert_ns && truth.rows[row].farm != 0)
            first_of_farm[truth.rows[row].farm] =
                std::min(first_of_farm[truth.rows[row].farm], *verdicts[row].first_alert_ns);
    }
    std::vector<std::uint64_t> farm_before(truth.names.size());
    for (const FarmUse& use : truth.uses) {
        total += use.exchanges;
        const Verdict& v = verdicts[use.row];
        if (v.alerted && v.first_alert_ns) {
            if (use.t_open_ns <= *v.first_alert_ns) before[use.row] += use.exchanges;
            if (use.t_open_ns > *v.first_alert_ns + kHourNs) prevented += use.exchanges;
        }
        const NameId farm = truth.rows[use.row].farm;
        if (first_of_farm[farm] != INT64_MAX && use.t_open_ns <= first_of_farm[farm])
            farm_before[farm] += use.exchanges;
    }
    std::vector<double> waits;
    for (std::uint32_t row = 0; row < verdicts.size(); ++row) {
        if (truth.rows[row].farm != 0 && verdicts[row].alerted && verdicts[row].first_alert_ns)
            waits.push_back(static_cast<double>(before[row]));
    }
    out.exchanges_to_alert_median = median(std::move(waits));
    for (std::size_t farm = 1; farm < truth.names.size(); ++farm) {
        if (first_of_farm[farm] != INT64_MAX)
            out.farm_exchanges_before_first_alert[truth.names[farm]] = farm_before[farm];
    }
    if (total > 0)
        out.prevented_share = static_cast<double>(prevented) / static_cast<double>(total);
}

// A replacement is linked when it is alerted within 24 h of its first exchange under the label that
// most of its operator's accounts carry.
void grade_replacements(const std::vector<Verdict>& verdicts, const WorldTruth& truth, Grade& out) {
    std::vector<std::map<std::string, std::uint64_t>> labels(truth.names.size());
    for (std::uint32_t row = 0; row < verdicts.size(); ++row) {
        if (verdicts[row].alerted && !verdicts[row].farm.empty() && truth.rows[row].farm != 0)
            ++labels[truth.rows[row].farm][verdicts[row].farm];
    }
    std::unordered_map<std::uint32_t, std::int64_t> begin;
    for (const FarmUse& use : truth.uses) {
        if (truth.rows[use.row].replaces < 0) continue;
        const auto [it, fresh] = begin.emplace(use.row, use.t_open_ns);
        if (!fresh) it->second = std::min(it->second, use.t_open_ns);
    }
    std::uint64_t linked = 0;
    for (const auto& [row, start] : begin) {
        const Verdict& v = verdicts[row];
        const auto& of_farm = labels[truth.rows[row].farm];
        const auto main =
            std::max_element(of_farm.begin(), of_farm.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; });
        linked += v.alerted && v.first_alert_ns && *v.first_alert_ns <= start + kDayNs &&
                  main != of_farm.end() && v.farm == main->first;
    }
    out.replacements = begin.size();
    if (!begin.empty())
        out.replacements_linked_24h =
            static_cast<double>(linked) / static_cast<double>(begin.size());
}

void grade_campaign_times(const std::vector<Verdict>& verdicts, const WorldTruth& truth,
                          Grade& out) {
    std::unordered_map<NameId, std::int64_t> begin;
    for (const FarmUse& use : truth.uses)
        begin.emplace(truth.rows[use.row].campaign, use.t_open_ns);  // in order of time
    for (CampaignGrade& campaign : out.rates.campaigns) {
        std::vector<std::int64_t> alerts;
        std::int64_t start = 0;
        for (std::uint32_t row = 0; row < verdicts.size(); ++row) {
            const TruthRow& who = truth.rows[row];
            if (who.farm == 0 || truth.names[who.campaign] != campaign.name) continue;
            if (const auto it = begin.find(who.campaign); it != begin.end()) start = it->second;
            if (verdicts[row].alerted && verdicts[row].first_alert_ns)
                alerts.push_back(*verdicts[row].first_alert_ns);
        }
        std::sort(alerts.begin(), alerts.end());
        const auto after = [&](double share) {
            const auto need =
                static_cast<std::size_t>(share * static_cast<double>(campaign.accounts) + 0.999999);
            if (need == 0 || need > alerts.size()) return -1.0;
            return static_cast<double>(alerts[need - 1] - start) / static_cast<double>(kHourNs);
        };
        campaign.hours_to_half = after(0.5);
        campaign.hours_to_nine_tenths = after(0.9);
    }
}

}  // namespace

std::optional<double> adjusted_rand(
    const std::vector<std::pair<std::uint32_t, std::uint32_t>>& pairs) {
    if (pairs.size() < 2) return std::nullopt;
    std::map<std::pair<std::uint32_t, std::uint32_t>, double> table;
    std::map<std::uint32_t, double> left, right;
    for (const auto& pair : pairs) {
        ++table[pair];
        ++left[pair.first];
        ++right[pair.second];
    }
    double index = 0, a = 0, b = 0;
    for (const auto& [key, n] : table) index += pairs_of(n);
    for (const auto& [key, n] : left) a += pairs_of(n);
    for (const auto& [key, n] : right) b += pairs_of(n);
    const double expected = a * b / pairs_of(static_cast<double>(pairs.size()));
    const double top = (a + b) / 2;
    return top == expected ? 1.0 : (index - expected) / (top - expected);
}

std::optional<double> median(std::vector<double> values) {
    if (values.empty()) return std::nullopt;
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Rates rates_of(const std::vector<bool>& flagged, const WorldTruth& truth) {
    Rates out;
    std::map<std::string, CampaignGrade> campaigns;
    for (std::uint32_t row = 0; row < truth.rows.size(); ++row) {
        const TruthRow& who = truth.rows[row];
        if (who.farm == 0) {
            out.benign_accounts += who.active;
            out.false_positives += flagged[row];
            continue;
        }
        if (!who.active) continue;
        ++out.farm_accounts;
        out.hits += flagged[row];
        CampaignGrade& campaign = campaigns[truth.names[who.campaign]];
        ++campaign.accounts;
        campaign.found += flagged[row];
    }
    for (auto& [name, campaign] : campaigns) {
        campaign.name = name;
        out.campaigns.push_back(std::move(campaign));
    }
    if (out.farm_accounts > 0)
        out.recall = static_cast<double>(out.hits) / static_cast<double>(out.farm_accounts);
    if (out.hits + out.false_positives > 0)
        out.precision =
            static_cast<double>(out.hits) / static_cast<double>(out.hits + out.false_positives);
    if (out.benign_accounts > 0)
        out.fp_per_million_day = 1e6 * static_cast<double>(out.false_positives) /
                                 static_cast<double>(out.benign_accounts) / truth.days;
    return out;
}

Grade grade(const std::vector<Verdict>& verdicts, const WorldTruth& truth) {
    Grade out;
    std::vector<bool> flagged(truth.rows.size());
    for (std::size_t row = 0; row < verdicts.size(); ++row) flagged[row] = verdicts[row].alerted;
    out.rates = rates_of(flagged, truth);
    grade_labels(labels_of(verdicts, truth), out);
    grade_false_positives(verdicts, truth, out);
    grade_times(verdicts, truth, out);
    grade_replacements(verdicts, truth, out);
    grade_campaign_times(verdicts, truth, out);
    return out;
}

std::vector<bool> flag_with_at_most(const std::vector<double>& scores, const WorldTruth& truth,
                                    std::uint64_t allowed) {
    struct Candidate {
        double score;
        std::uint32_t tie;
        std::uint32_t row;
    };
    std::vector<Candidate> order;
    for (std::uint32_t row = 0; row < scores.size(); ++row) {
        if (scores[row] > 0)
            order.push_back({scores[row], crc32(to_text(truth.rows[row].account)), row});
    }
    std::sort(order.begin(), order.end(), [](const Candidate& a, const Candidate& b) {
        if (a.score != b.score) return a.score > b.score;
        return a.tie != b.tie ? a.tie < b.tie : a.row < b.row;
    });
    std::vector<bool> flagged(truth.rows.size());
    std::uint64_t wrong = 0;
    for (const Candidate& c : order) {
        if (truth.rows[c.row].farm == 0 && wrong++ == allowed) break;
        flagged[c.row] = true;
    }
    return flagged;
}

}  // namespace seine::evaluate
