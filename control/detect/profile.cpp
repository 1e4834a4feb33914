// Counts what a group shares and weighs who else shows it.
#include "control/detect/profile.h"

#include <algorithm>
#include <cmath>

namespace seine::detect {
namespace {

// A channel says "does not belong" only where nearly every account has a value on it.
constexpr bool always_known(Channel channel) {
    return channel == Channel::network || channel == Channel::client || channel == Channel::age ||
           channel == Channel::exits || channel == Channel::relay;
}

// Share of a group's members whose request sizes are unlike the group's.
constexpr double kOddSizes = 0.05;
constexpr double kShareLeast = 1e-4;
constexpr double kAlike = 25;  // how much alike the sizes of a group's members are

constexpr std::size_t at(model::Group group) { return static_cast<std::size_t>(group) - 1; }

}  // namespace

unsigned Membership::groups_above(double nats) const noexcept {
    unsigned n = 0;
    for (std::size_t g = 0; g < kGroups; ++g) n += line[g].nats >= nats ? 1u : 0u;
    return n;
}

TwinGraph::TwinGraph(const Population& population, const Twins::Weighed& edges) {
    struct Pair {
        std::uint32_t a, b;
        float nats;
    };
    std::vector<Pair> pairs;
    for (const Twins::WeighedEdge& edge : edges) {
        const std::uint32_t a = population.row_of(static_cast<std::uint32_t>(edge.key >> 32));
        const std::uint32_t b = population.row_of(static_cast<std::uint32_t>(edge.key));
        if (a == Population::kNoRow || b == Population::kNoRow) continue;
        if (population.rows[a].org == population.rows[b].org) continue;
        pairs.push_back({a, b, edge.nats});
        pairs.push_back({b, a, edge.nats});
    }
    std::sort(pairs.begin(), pairs.end(), [](const Pair& x, const Pair& y) {
        return x.a != y.a ? x.a < y.a : x.b < y.b;
    });
    begin_.assign(population.size() + 1, 0);
    other_.reserve(pairs.size());
    nats_.reserve(pairs.size());
    for (const Pair& pair : pairs) {
        ++begin_[pair.a + 1];
        other_.push_back(pair.b);
        nats_.push_back(pair.nats);
    }
    for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
}

void TwinGraph::show(std::uint32_t row, RowView& view) const noexcept {
    view.twins = of(row);
    view.twin_nats = nats_of(row);
}

Profile::Profile(const Population& population, const Ties& ties,
                 std::vector<std::uint32_t> members)
    : population_(&population), ties_(ties), members_(std::move(members)) {
    m_ = population.count_orgs(members_);
    n_all_ = population.orgs();
    count_tokens();
    condition_networks();
    cover_channels();
    weigh_links();
    sum_shapes();
    if (by_relay_) place_ = RelayPlace(population, members_);
}

RowView Profile::view(std::uint32_t row) const {
    return {row,
            false,
            population_->tokens_of(row),
            ties_.twins->of(row),
            ties_.twins->nats_of(row),
            population_->ways_of(row),
            population_->rows[row],
            &population_->shapes[row],
            population_->tempered(row)};
}

bool Profile::is_member(std::uint32_t row) const {
    return std::binary_search(members_.begin(), members_.end(), row);
}

double Profile::token_nats(std::uint32_t token, std::uint32_t k, bool self, bool relayed) const {
    const double shown = k - (self ? 1.0 : 0.0);
    const double others = m_ - (self ? 1.0 : 0.0);
    if (others < 1 || shown <= 0) return 0;
    double outside = std::max(0.0, population_->tokens[token].orgs - static_cast<double>(k));
    double rest = std::max(1.0, n_all_ - m_);
    const double q = (outside + std::sqrt(outside) + 0.5) / (rest + 1);
    double share = q;
    if (relayed && group_of(population_->tokens[token].channel) == model::Group::net) {
        const auto at_relay = relayed_on_.find(token);
        const double there = at_relay == relayed_on_.end() ? 0 : at_relay->second;
        share = std::max(q, (there + 2 * std::sqrt(there) + 10 * q) / (relayed_outside_ + 10));
    }
    const double least = std::max(0.3, shown - std::sqrt(shown));
    return std::log((least + share) / (others + 1) / share);
}

void Profile::count_tokens() {
    tells_.assign(population_->tokens.size(), false);
    std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> shown;
    for (const std::uint32_t row : members_) {
        for (const std::uint32_t token : population_->tokens_of(row)) shown[token].push_back(row);
    }
    for (const auto& [token, rows] : shown) {
        const std::uint32_t k = population_->count_orgs(rows);
        const model::Group group = group_of(population_->tokens[token].channel);
        if (k < (group == model::Group::lnk ? 2u : 3u)) continue;
        const double nats = token_nats(token, k, false, false);
        if (nats < 0.3) continue;
        telling_[token] = {k, static_cast<float>(nats)};
        tells_[token] = true;
    }
}

// Networks of accounts behind relays that are not of the group: renters of the same exits.
void Profile::condition_networks() {
    std::vector<std::uint32_t> rows;
    for (const auto& [token, tell] : telling_) {
        const Channel channel = population_->tokens[token].channel;
        if (channel != Channel::relay && channel != Channel::exits) continue;
        const auto of = population_->rows_of(token);
        rows.insert(rows.end(), of.begin(), of.end());
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    double on_exits = 0, members = 0, members_on_exits = 0;
    for (const std::uint32_t row : members_)
        members += population_->rows[row].gap_nats >= 1 ? 1 : 0;
    by_relay_ = 2 * members >= static_cast<double>(members_.size());
    if (!by_relay_) return;
    members = 0;
    for (const std::uint32_t row : rows) {
        const bool self = is_member(row);
        const bool shares = best_network_nats(view(row), self) >= 1.5;
        if (self) {
            members += 1;
            members_on_exits += shares ? 1 : 0;
            continue;
        }
        on_exits += shares ? 1 : 0;
        relayed_outside_ += 1;
        for (const std::uint32_t token : population_->tokens_of(row)) {
            if (group_of(population_->tokens[token].channel) == model::Group::net) {
                ++relayed_on_[token];
            }
        }
    }
    if (relayed_outside_ < 5) return;
    relayed_network_nats_ = std::clamp(std::log((members_on_exits + 0.5) / (members + 1) *
                                                (relayed_outside_ + 1) / (on_exits + 0.5)),
                                       0.0, kGroupNatsMax);
}

double Profile::best_network_nats(const RowView& row, bool self) const {
    double best = 0;
    for (const std::uint32_t token : row.tokens) {
        const Channel channel = population_->tokens[token].channel;
        if (channel != Channel::address && channel != Channel::prefix) continue;
        const Telling* const tell = telling_of(token);
        if (tell == nullptr) continue;
        best = std::max(best, token_nats(token, tell->k, self, false));
    }
    return best;
}

void Profile::sum_shapes() {
    for (const std::uint32_t row : members_) add_share(population_->shapes[row], shapes_in_);
    settle_shares(shapes_in_);
    size_logs_.set(shapes_in_, kAlike, kShareLeast);
    std::array<double, kSizeSteps> in{}, out{};
    double all_in = 0, all_out = 0;
    const std::size_t every = std::max<std::size_t>(1, members_.size() / 1000);
    for (std::size_t i = 0; i < members_.size(); i += every) {
        if (population_->shapes[members_[i]].total() < 3) continue;
        in[size_step(size_nats(view(members_[i]), true))] += 1;
        all_in += 1;
    }
    const std::size_t stride = std::max<std::size_t>(1, population_->size() / 3'000);
    for (std::uint32_t row = 0; row < population_->size();
         row += static_cast<std::uint32_t>(stride)) {
        if (is_member(row) || population_->shapes[row].total() < 3) continue;
        out[size_step(size_nats(view(row), false))] += 1;
        all_out += 1;
    }
    for (std::size_t i = 0; i < kSizeSteps; ++i) {
        // A lower bound as for tokens: what few members show says little.
        const double least = std::max(0.5, in[i] - std::sqrt(in[i]));
        // Who fitted badly never became a member to be counted: some are taken to exist.
        const double share_in = std::max((least + 0.5) / (all_in + 3), kOddSizes);
        const double share_out = (out[i] + std::sqrt(out[i]) + 0.5) / (all_out + 3);
        size_nats_[i] = std::clamp(std::log(share_in / share_out), kGroupNatsMin, kGroupNatsMax);
    }
}

std::size_t Profile::size_step(double nats) noexcept {
    return nats < -4 ? 0 : nats < -1 ? 1 : nats < 1 ? 2 : nats < 3 ? 3 : nats < 6 ? 4 : 5;
}

// ln of Dirichlet-multinomials: sizes drawn from the group's (its members much alike), against
// sizes of one application, which stay close together.
double Profile::size_nats(const RowView& row, bool self) const {
    constexpr double kOwn = Population::kOwnSizes;
    const ShapeHistogram& shapes = (*row.shapes);
    const double total = shapes.total();
    if (total < 3 || m_ < 5) return 0;
    const double own_weight = self ? 1 / std::max(2.0, m_) : 0;  // leaves the account itself out
    double nats = std::lgamma(kAlike) - std::lgamma(kAlike + total) - std::lgamma(kOwn) +
                  std::lgamma(kOwn + total);
    for (std::size_t i = 0; i < ShapeHistogram::kBins; ++i) {
        const std::uint8_t count = shapes.count[i];
        if (count == 0) continue;
        const ShareLogs& own = population_->shape_logs;
        const double outside = own.at(i, 0) - own.at(i, count);
        if (!self) {
            nats += size_logs_.at(i, count) - size_logs_.at(i, 0) + outside;
            continue;
        }
        const double c = count;
        const double in = std::max(kShareLeast,
                                   (shapes_in_[i] - own_weight * c / total) / (1 - own_weight));
        nats += std::lgamma(kAlike * in + c) - std::lgamma(kAlike * in) + outside;
    }
    return nats;
}

// How many show any telling token of a channel, in the group and outside it.
void Profile::cover_channels() {
    std::array<double, kChannels> in{}, all{};
    std::array<bool, kChannels> has{};
    std::array<std::vector<std::uint32_t>, kChannels> rows;
    for (const auto& [token, tell] : telling_) {
        const Channel channel = population_->tokens[token].channel;
        if (!always_known(channel)) continue;
        const auto of = population_->rows_of(token);
        auto& list = rows[static_cast<std::size_t>(channel)];
        list.insert(list.end(), of.begin(), of.end());
    }
    for (std::size_t c = 0; c < kChannels; ++c) {
        std::sort(rows[c].begin(), rows[c].end());
        rows[c].erase(std::unique(rows[c].begin(), rows[c].end()), rows[c].end());
        for (const std::uint32_t row : rows[c]) (is_member(row) ? in[c] : all[c]) += 1;
        has[c] = !rows[c].empty();
    }
    const double size = static_cast<double>(members_.size());
    const double rest = static_cast<double>(population_->size()) - size;
    for (std::size_t c = 0; c < kChannels; ++c) {
        Coverage& cover = coverage_[c];
        if (!has[c]) continue;
        cover.in_group = (in[c] + 0.5) / (size + 1);
        cover.outside = (all[c] + 0.5) / (rest + 1);
        cover.miss_nats =
            std::clamp(std::log((1 - cover.in_group) / (1 - cover.outside)), kGroupNatsMin, 0.0);
    }
}

// Where a group comes through relays, so do its twins: those of chance are people like all.
double Profile::bonus(std::uint32_t twin) const {
    constexpr double kTwinBehindRelay = 2;
    return by_relay_ && population_->rows[twin].gap_nats >= 1 ? kTwinBehindRelay : 0;
}

std::size_t Profile::step_of(double nats) noexcept {
    static constexpr std::array<double, kTwinSteps - 2> kFrom = {4.5, 6, 7.5, 9, 11, 14};
    if (nats <= 0) return 0;
    std::size_t step = 1;
    while (step <= kFrom.size() && nats >= kFrom[step - 1]) ++step;
    return step;
}

std::size_t Profile::twin_step(const RowView& row) const {
    double nats = 0;
    for (std::size_t i = 0; i < row.twins.size(); ++i) {
        if (is_member(row.twins[i])) nats += row.twin_nats[i] + bonus(row.twins[i]);
    }
    return step_of(nats);
}

// Accounts outside the group whom chance gives twins, by step: whom they would have met is no
// matter, since two who met by chance would vouch for one another.
std::array<double, Profile::kTwinSteps> Profile::chance_steps() const {
    std::array<double, kTwinSteps> out{};
    for (std::uint32_t row = 0; row < population_->size(); ++row) {
        const auto others = ties_.chance->of(row);
        if (others.empty() || is_member(row)) continue;
        const auto nats = ties_.chance->nats_of(row);
        double sum = 0;
        for (std::size_t i = 0; i < others.size(); ++i) sum += nats[i] + bonus(others[i]);
        out[step_of(sum)] += 1;
    }
    return out;
}

std::size_t Profile::link_state(const RowView& row, bool self) const {
    const std::size_t state = twin_step(row);
    if (row.linked) return state + kTwinSteps;
    for (const std::uint32_t token : row.tokens) {
        if (group_of(population_->tokens[token].channel) != model::Group::lnk) continue;
        const Telling* const tell = telling_of(token);
        if (tell != nullptr && tell->k > (self ? 1u : 0u))
            return state + kTwinSteps;
    }
    return state;
}

// How many have no, weak, stronger twins in the group, with and without a shared session: among its
// members, and among all others. How many others have twins is what chance makes, not what is seen:
// of those seen outside most belong here. At least so strong: a step alone may be empty.
void Profile::weigh_links() {
    std::array<double, kLinkStates> in{}, out{};
    std::vector<std::uint32_t> touched, connections;
    for (const std::uint32_t row : members_) {
        in[link_state(view(row), true)] += 1;
        connections.push_back(population_->rows[row].connections);
    }
    for (const auto& [token, tell] : telling_) {
        if (group_of(population_->tokens[token].channel) != model::Group::lnk) continue;
        const auto of = population_->rows_of(token);
        touched.insert(touched.end(), of.begin(), of.end());
    }
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    const double size = static_cast<double>(members_.size());
    const double rest = std::max(1.0, static_cast<double>(population_->size()) - size);
    for (const std::uint32_t row : touched) {
        if (is_member(row)) continue;
        const std::size_t state = link_state(view(row), false);
        if (state >= kTwinSteps) out[state] += 1;
    }
    constexpr double kClocks = static_cast<double>(Twins::kClocks);
    const auto steps = chance_steps();
    out[0] = rest;
    for (std::size_t i = 1; i < kTwinSteps; ++i) out[0] -= out[i] = (steps[i] + 0.25) / kClocks;
    for (std::size_t first : {std::size_t{0}, kTwinSteps}) weigh_steps(first, in, out, size, rest);
    for (std::size_t i = 1; i < kTwinSteps; ++i) by_chance_[i - 1] = {link_nats_[i], out[i] / rest};
    if (!connections.empty()) {
        const auto middle =
            connections.begin() + static_cast<std::ptrdiff_t>(connections.size() / 2);
        std::nth_element(connections.begin(), middle, connections.end());
        connections_ = std::max(1.0, static_cast<double>(*middle));
    }
}

void Profile::weigh_steps(std::size_t first, const std::array<double, kLinkStates>& in,
                          const std::array<double, kLinkStates>& out, double size, double rest) {
    double above_in = 0, above_out = 0;
    for (std::size_t i = first + kTwinSteps; i-- > first;) {
        const bool none = i == first;
        above_in = none ? in[i] : above_in + in[i];
        above_out = none ? out[i] : above_out + out[i];
        // A step that was never seen outside is taken to be thirty times rarer than the one before.
        const double floor = none ? 0.5 : first == 0 ? 0 : out[first] / 30;
        link_seen_[i] = above_in / std::max(1.0, size);
        link_in_[i] = (std::max(0.0, above_in - std::sqrt(above_in) / 2) + 0.1) / (size + 0.8);
        link_out_[i] = std::max({above_out, floor, 1e-3}) / rest;
        link_nats_[i] = std::min(std::log(link_in_[i] / link_out_[i]),
                                 first == 0 ? kTwinNatsMax : kGroupNatsMax);
    }
    // Stronger twins never say less, nor twins with a shared session less than without.
    for (std::size_t i = first + 1; i < first + kTwinSteps; ++i) {
        link_nats_[i] = std::max(link_nats_[i], link_nats_[i - 1]);
        if (first > 0) link_nats_[i] = std::max(link_nats_[i], link_nats_[i - first]);
    }
}

void Profile::add_tokens(const RowView& row, bool self, Membership& fit) const {
    const bool relayed = by_relay_, not_own_syn = relayed || row.facts.gap_nats >= 1;
    std::array<unsigned, kGroups> tried{};
    for (const std::uint32_t token : row.tokens) {
        const SharedToken& shared = population_->tokens[token];
        const Telling* const tell = telling_of(token);
        if (tell == nullptr) continue;
        // Behind a relay the SYN is that of the exit, whoever rents it; sessions are weighed with the
        // twins.
        if (not_own_syn && shared.channel == Channel::syn) continue;
        const std::size_t g = at(group_of(shared.channel));
        if (g == at(model::Group::lnk)) continue;
        ++tried[g];
        double nats = token_nats(token, tell->k, self, relayed);
        if (relayed && g == at(model::Group::net)) nats = std::min(nats, relayed_network_nats_);
        GroupLine& line = fit.line[g];
        if (nats <= line.nats) continue;
        line.source = GroupLine::Source::token;
        line.token = token;
        line.k = tell->k - (self ? 1.0 : 0.0);
        const double outside = shared.orgs - static_cast<double>(tell->k);
        line.expected = m_ * (outside + 0.5) / (std::max(0.0, n_all_ - m_) + 1);
        line.nats = nats;
    }
    for (std::size_t g = 0; g < kGroups; ++g) {
        GroupLine& line = fit.line[g];
        if (tried[g] > 1) line.nats = std::max(0.0, line.nats - std::log(tried[g]) / 2);
        line.nats = std::min(line.nats, kGroupNatsMax);
    }
}

void Profile::add_missing(const RowView& row, Membership& fit) const {
    std::array<bool, kChannels> shows{}, has{};
    const bool self = is_member(row.id);
    for (const std::uint32_t token : row.tokens) {
        const auto channel = static_cast<std::size_t>(population_->tokens[token].channel);
        has[channel] = true;
        const Telling* const tell = telling_of(token);
        if (tell != nullptr && tell->k > (self ? 1u : 0u)) shows[channel] = true;
    }
    for (std::size_t c = 0; c < kChannels; ++c) {
        if (coverage_[c].miss_nats >= 0 || shows[c]) continue;
        const auto channel = static_cast<Channel>(c);
        const bool round_trips = channel == Channel::relay || channel == Channel::exits;
        if (round_trips && !row.facts.gap_known) continue;
        if (channel == Channel::age && !has[c]) continue;
        GroupLine& line = fit.line[at(group_of(channel))];
        // What is missing weighs against what is there: the stronger of the two speaks.
        if (-coverage_[c].miss_nats <= std::abs(line.nats)) continue;
        line = {};
        line.source = GroupLine::Source::missing;
        line.channel = channel;
        line.k = std::round((1 - coverage_[c].in_group) * m_);
        line.expected = (1 - coverage_[c].outside) * m_;
        line.nats = coverage_[c].miss_nats;
    }
}

void Profile::add_link(const RowView& row, bool self, Membership& fit) const {
    const std::size_t state = link_state(row, self);
    GroupLine& link = fit.line[at(model::Group::lnk)];
    link.source = state == 0           ? GroupLine::Source::missing
                  : state < kTwinSteps ? GroupLine::Source::twins
                                       : GroupLine::Source::token;
    link.channel = Channel::session;
    std::size_t edges = 0;
    for (const std::uint32_t other : row.twins) edges += is_member(other) ? 1 : 0;
    link.twin_edges = static_cast<std::uint8_t>(std::min<std::size_t>(edges, 255));
    link.k = std::round(link_seen_[state] * m_);
    link.expected = link_out_[state] * m_;
    link.nats = state == 0 ? unlinked_nats(row.facts.connections)
                           : less_if_new(link_nats_[state], row.facts.connections);
}

// Who was hardly seen had no chance to be linked yet.
double Profile::less_if_new(double nats, std::uint32_t connections) const noexcept {
    return nats >= 0 ? nats : std::max(nats * std::min(1.0, connections / connections_), kGroupNatsMin);
}

double Profile::unlinked_nats(std::uint32_t connections) const noexcept {
    return less_if_new(link_nats_[0], connections);
}

void Profile::add_sizes(const RowView& row, bool self, Membership& fit) const {
    if ((*row.shapes).total() < 3 || m_ < 5) return;
    GroupLine& mix = fit.line[at(model::Group::mix)];
    const double nats = size_nats_[size_step(size_nats(row, self))];
    if (mix.nats >= std::abs(nats)) return;
    mix = {};
    mix.source = GroupLine::Source::sizes;
    mix.k = m_;
    mix.nats = nats;
}

void Profile::temper(const Tempered& rules, Membership& fit) {
    for (std::size_t g = 0; g < kGroups; ++g) {
        GroupLine& line = fit.line[g];
        if (line.nats <= static_cast<double>(rules.most[g])) continue;
        line.nats = static_cast<double>(rules.most[g]);
        line.capped = true;
    }
    // Where the relay stands is of the same group as the relay.
    constexpr std::size_t kRelay = at(model::Group::prx);
    GroupLine& place = fit.line[kPlaceLine];
    const double left = std::max(0.0, static_cast<double>(rules.most[kRelay]) - fit.line[kRelay].nats);
    if (place.nats > left) {
        place.nats = left;
        place.capped = true;
    }
    fit.ruled = static_cast<double>(rules.nats);
}

double Profile::prior() const noexcept {
    return std::log(std::max(1.0, m_) / std::max(1.0, n_all_ - m_));
}

double Profile::absent_nats(model::Group group) const noexcept {
    double nats = 0;
    for (std::size_t c = 0; c < kChannels; ++c) {
        if (group_of(static_cast<Channel>(c)) == group) nats = std::min(nats, coverage_[c].miss_nats);
    }
    return nats;
}

double Profile::sizes_nats_max() const noexcept {
    return *std::max_element(size_nats_.begin(), size_nats_.end());
}

void Profile::add_place(const RowView& row, bool self, Membership& fit) const {
    if (row.ways.empty()) return;
    const RelayPlace::Weight weight = place_.weigh(row.ways, self);
    if (weight.nats == 0) return;
    GroupLine& line = fit.line[kPlaceLine];
    line.source = GroupLine::Source::place;
    line.channel = Channel::way;
    line.k = std::round(weight.in_group * m_);
    line.expected = weight.outside * m_;
    line.nats = weight.nats;
}

Membership Profile::fit(const RowView& row) const {
    Membership fit;
    const bool self = is_member(row.id);
    add_tokens(row, self, fit);
    add_missing(row, fit);
    add_link(row, self, fit);
    add_sizes(row, self, fit);
    add_place(row, self, fit);
    fit.prior = prior();
    if (row.tempered != nullptr) temper(*row.tempered, fit);
    fit.score = fit.prior + fit.ruled;
    for (const GroupLine& line : fit.line) fit.score += line.nats;
    return fit;
}

std::vector<std::uint32_t> Profile::candidates() const {
    std::vector<std::uint32_t> rows(members_);
    for (const auto& [token, tell] : telling_) {
        // A token that half the world shows brings nobody in by itself.
        if (tell.nats < 1.5) continue;
        const auto of = population_->rows_of(token);
        rows.insert(rows.end(), of.begin(), of.end());
    }
    for (const std::uint32_t row : members_) {
        const auto of = ties_.twins->of(row);
        rows.insert(rows.end(), of.begin(), of.end());
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return rows;
}

}  // namespace seine::detect
