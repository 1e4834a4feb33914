// Cells by sorting (cell, account) pairs, template by template.
#include "control/detect/cells.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <tbb/parallel_for.h>

namespace seine::detect {
namespace {

constexpr auto kCellRowsMin = static_cast<std::size_t>(kCellOrgsMin);

struct Pair {
    std::uint64_t key;
    std::uint32_t row;
    friend bool operator<(const Pair& a, const Pair& b) noexcept {
        return a.key != b.key ? a.key < b.key : a.row < b.row;
    }
};

// Channels of a template that an account may show often: only what it shows most is crossed.
constexpr std::size_t kCrossed = 8;

using Picked = std::array<std::uint32_t, kCrossed>;

std::size_t pick(const Population& population, std::size_t row, Channel channel, Picked& out) {
    std::size_t n = 0;
    for (const std::uint32_t token : population.tokens_of(row)) {
        const SharedToken& t = population.tokens[token];
        if (t.channel == channel && t.orgs >= kCellOrgsMin && n < kCrossed) out[n++] = token;
    }
    return n;
}

template <typename Take>
void runs(const std::vector<Pair>& pairs, std::vector<std::uint32_t>& rows, Take take) {
    for (std::size_t first = 0, last = 0; first < pairs.size(); first = last) {
        rows.clear();
        for (last = first; last < pairs.size() && pairs[last].key == pairs[first].key; ++last) {
            rows.push_back(pairs[last].row);
        }
        if (rows.size() >= kCellRowsMin) take(pairs[first].key);
    }
}

std::vector<Pair> cross(const Population& population, Channel x, Channel y) {
    std::vector<Pair> pairs;
    Picked xs, ys;
    for (std::size_t row = 0; row < population.size(); ++row) {
        const std::size_t nx = pick(population, row, x, xs);
        if (nx == 0) continue;
        const std::size_t ny = pick(population, row, y, ys);
        for (std::size_t i = 0; i < nx; ++i) {
            for (std::size_t j = 0; j < ny; ++j) {
                pairs.push_back({static_cast<std::uint64_t>(xs[i]) << 32 | ys[j],
                                 static_cast<std::uint32_t>(row)});
            }
        }
    }
    std::sort(pairs.begin(), pairs.end());
    return pairs;
}

}  // namespace

CellMaths cell_maths(double n, double n_x, double n_y, double n_all) noexcept {
    CellMaths m;
    if (n_all - n_x < kOthersMin || n < kCellOrgsMin) return m;
    m.mu = n_x * (n_y - n) / (n_all - n_x);
    m.log_odds =
        std::log((n + 0.5) * (n_all - n_x - n_y + n + 0.5) / ((n_x - n + 0.5) * (n_y - n + 0.5)));
    // Nobody else shows y: a tenth of an organisation stands for what was not seen yet.
    const double mu = std::max(m.mu, 0.1 * n_x / (n_all - n_x));
    if (n <= mu) return m;
    m.deviance = n * std::log(n / mu) - (n - mu);
    if (m.deviance <= kDevianceMin) return m;
    m.nats =
        std::max(0.0, std::min({kCellNatsMax, m.log_odds, std::log(n / std::max(m.mu, 0.05))}));
    return m;
}

double session_nats(double n) noexcept {
    return n < 2 ? 0 : std::min(6.0, 3 + 0.6 * std::log(n / 2));
}

std::uint8_t Template::groups() const noexcept {
    std::uint8_t bits = 0;
    for (std::size_t i = 0; i < parts; ++i) bits |= group_bit(channels[i]);
    return bits;
}

Result<Template> read_template(std::string_view text) {
    Template out;
    out.name = text;
    while (!text.empty()) {
        const std::size_t dot = text.find('.');
        const std::string_view word = text.substr(0, dot);
        text = dot == text.npos ? std::string_view{} : text.substr(dot + 1);
        std::size_t channel = 0;
        while (channel < kChannels && name_of(static_cast<Channel>(channel)) != word) ++channel;
        if (channel == kChannels) {
            return failed("template '" + out.name + "': no channel is called '" +
                          std::string(word) + "'");
        }
        const auto found = static_cast<Channel>(channel);
        if (out.parts == 3) return failed("template '" + out.name + "': three channels at most");
        if ((out.groups() & group_bit(found)) != 0) {
            return failed("template '" + out.name + "': two channels of one group tell nothing");
        }
        out.channels[out.parts++] = found;
    }
    if (out.parts < 2) return failed("template '" + out.name + "': two channels at least");
    return out;
}

const std::vector<std::string>& default_templates() {
    static const std::vector<std::string> kSet = {
        "ip.stk",        "prefix.stk",     "ip.mix",      "prefix.mix",  "prefix.onb",
        "ip.onb",        "prefix.prx",     "asn.prx",     "stk.onb",     "stk.mix",
        "mix.onb",       "prx.stk",        "prx.mix",     "prx.onb",     "exits.stk",
        "exits.onb",     "exits.mix",      "prx.stk.mix", "prx.stk.onb", "prx.mix.onb",
        "exits.stk.onb", "cadence.stk.mix"};
    return kSet;
}

Cells::Found Cells::of_template(const Population& population, const Template& shape,
                                std::uint16_t index) {
    Found found;
    std::vector<std::uint32_t> rows;
    std::vector<Pair> pairs = cross(population, shape.channels[0], shape.channels[1]);
    found.pairs = pairs.size();
    const auto keep = [&](double n, double n_x, double n_y, std::array<std::uint32_t, 3> token) {
        const CellMaths m = cell_maths(n, n_x, n_y, population.orgs());
        if (m.nats <= 0) return;
        Cell cell;
        cell.token = token;
        cell.template_index = index;
        cell.groups = shape.groups();
        cell.n = static_cast<std::uint32_t>(n);
        cell.mu = m.mu;
        cell.nats = m.nats;
        cell.first = found.members.size();
        cell.count = static_cast<std::uint32_t>(rows.size());
        found.members.insert(found.members.end(), rows.begin(), rows.end());
        found.cells.push_back(cell);
    };
    const auto orgs_of = [&](std::uint32_t token) {
        return static_cast<double>(population.tokens[token].orgs);
    };
    if (shape.parts == 2) {
        runs(pairs, rows, [&](std::uint64_t key) {
            const auto x = static_cast<std::uint32_t>(key >> 32);
            const auto y = static_cast<std::uint32_t>(key);
            keep(population.count_orgs(rows), orgs_of(x), orgs_of(y), {x, y, Cell::kNone});
        });
        return found;
    }
    struct Both {
        std::uint64_t key;
        double n;
    };
    std::vector<Both> both;
    std::vector<Pair> triples;
    Picked zs;
    runs(pairs, rows, [&](std::uint64_t key) {
        const double n = population.count_orgs(rows);
        if (n < kCellOrgsMin) return;
        for (const std::uint32_t row : rows) {
            const std::size_t nz = pick(population, row, shape.channels[2], zs);
            for (std::size_t i = 0; i < nz; ++i) {
                triples.push_back({static_cast<std::uint64_t>(both.size()) << 32 | zs[i], row});
            }
        }
        both.push_back({key, n});
    });
    std::vector<Pair>().swap(pairs);
    found.pairs += triples.size();
    std::sort(triples.begin(), triples.end());
    runs(triples, rows, [&](std::uint64_t key) {
        const Both& b = both[key >> 32];
        const auto z = static_cast<std::uint32_t>(key);
        keep(population.count_orgs(rows), b.n, orgs_of(z),
             {static_cast<std::uint32_t>(b.key >> 32), static_cast<std::uint32_t>(b.key), z});
    });
    return found;
}

Cells::Cells(const Population& population, const std::vector<Template>& templates) {
    std::vector<Found> found(templates.size() + 2);
    tbb::parallel_for(std::size_t{0}, found.size(), [&](std::size_t i) {
        if (i < templates.size()) {
            found[i] = of_template(population, templates[i], static_cast<std::uint16_t>(i));
        } else {
            found[i] = i == templates.size() ? crowds(population) : linked(population);
        }
    });
    for (Found& f : found) append(std::move(f));
    index_rows(population.size());
}

void Cells::append(Found&& found) {
    for (Cell cell : found.cells) {
        cell.first += members_.size();
        cells.push_back(cell);
    }
    members_.insert(members_.end(), found.members.begin(), found.members.end());
    pairs += found.pairs;
}

void Cells::index_rows(std::size_t rows) {
    std::vector<std::uint32_t> order(cells.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
        return cells[a].nats > cells[b].nats;
    });
    begin_.assign(rows + 1, 0);
    for (const std::uint32_t row : members_) ++begin_[row + 1];
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    of_row_.resize(members_.size());
    std::vector<std::size_t> at(begin_.begin(), begin_.end() - 1);
    for (const std::uint32_t cell : order) {
        for (const std::uint32_t row : members(cells[cell])) of_row_[at[row]++] = cell;
    }
}

}  // namespace seine::detect
