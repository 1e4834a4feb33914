// Gathers, sorts and numbers the tokens of all active accounts.
#include "control/detect/population.h"

#include <algorithm>
#include <array>
#include <numeric>

#include <tbb/parallel_for.h>

namespace seine::detect {
namespace {

constexpr double kRelayNats = 1.0;  // from here on the round trips are a token

std::uint8_t age_class(const Account& a, Nanos now) {
    const std::int64_t today = now.count / kDay;
    if (a.first_seen_day == 0) return a.has(Account::kSignupSeen) ? 0 : 1;
    const std::int64_t days = today - static_cast<std::int64_t>(a.first_seen_day);
    return days <= 30 ? 0 : days <= 180 ? 1 : 2;
}

std::uint64_t exits_class(unsigned networks) {
    return networks < 3 ? 0 : networks < 5 ? 3 : networks < 7 ? 5 : 7;
}

// Request sizes that an account shows again and again: three connections and a twelfth of them.
bool frequent(unsigned count, unsigned total) { return count >= 3 && count * 12 >= total; }

// The two commonest request sizes of an account that shows them again and again.
std::uint64_t mix_value(const ShapeHistogram& shapes) {
    const unsigned total = shapes.total();
    std::size_t best = ShapeHistogram::kBins, next = ShapeHistogram::kBins;
    for (std::size_t bin = 0; bin < ShapeHistogram::kBins; ++bin) {
        if (!frequent(shapes.count[bin], total)) continue;
        if (best == ShapeHistogram::kBins || shapes.count[bin] > shapes.count[best]) {
            next = best;
            best = bin;
        } else if (next == ShapeHistogram::kBins || shapes.count[bin] > shapes.count[next]) {
            next = bin;
        }
    }
    if (next == ShapeHistogram::kBins) return 0;
    return 1 + (std::min(best, next) << 16 | std::max(best, next));
}

// The two clients that an account shows most, of those seen since `oldest_h`.
std::uint64_t pair_value(const Account& a, std::uint16_t oldest_h) {
    const Token *best = nullptr, *next = nullptr;
    const auto more = [](const Token& x, const Token* y) {
        return y == nullptr || x.count > y->count || (x.count == y->count && x.value < y->value);
    };
    for (const Token& t : a.tokens) {
        if (t.channel != Channel::client || t.last_h < oldest_h) continue;
        if (more(t, best)) {
            next = best;
            best = &t;
        } else if (more(t, next)) {
            next = &t;
        }
    }
    if (next == nullptr) return 0;
    return mix64(std::min(best->value, next->value) ^ 0x9e37u,
                 std::max(best->value, next->value) ^ 0xd6e8feb86659fd93u);
}

// Where in the day an account works (8 sectors of the circle, 4 depths) and whether at weekends.
std::uint64_t cadence_value(const Account& a) {
    if (a.connections < 12) return 0;
    double x = 0, y = 0, sum = 0;
    static constexpr double kCos[24] = {1,  .965926,  .866025,  .707107,  .5,       .258819,
                                        0,  -.258819, -.5,      -.707107, -.866025, -.965926,
                                        -1, -.965926, -.866025, -.707107, -.5,      -.258819,
                                        0,  .258819,  .5,       .707107,  .866025,  .965926};
    for (std::size_t h = 0; h < 24; ++h) {
        x += kCos[h] * a.hours[h];
        y += kCos[(h + 18) % 24] * a.hours[h];
        sum += a.hours[h];
    }
    const double depth = (x * x + y * y) / (sum * sum);
    const std::uint64_t strength = depth < 0.02 ? 0 : depth < 0.12 ? 1 : depth < 0.4 ? 2 : 3;
    std::uint64_t sector = 0;
    if (strength > 0) sector = (x > 0 ? 1u : 0u) | (y > 0 ? 2u : 0u) | (x * x > y * y ? 4u : 0u);
    const double weekend = a.days[0] + a.days[6];
    double all = 0;
    for (const std::uint8_t d : a.days) all += d;
    const std::uint64_t rest = weekend < 0.05 * all ? 0 : weekend < 0.2 * all ? 1 : 2;
    return 1 + (strength * 8 + sector) * 3 + rest;
}

// How many different request sizes there are: a pool that serves strangers shows every size.
std::uint64_t variety_value(const ShapeHistogram& shapes) {
    double sum = 0, squares = 0;
    for (const std::uint8_t c : shapes.count) {
        sum += c;
        squares += static_cast<double>(c) * c;
    }
    if (sum < 6) return 0;
    // Pairs of connections that differ, corrected for the few: 1 / P(two are alike).
    const double alike = (squares - sum) / (sum * (sum - 1));
    return alike > 0.3 ? 1 : alike > 0.18 ? 2 : alike > 0.11 ? 3 : alike > 0.075 ? 4 : 5;
}

std::uint64_t age_value(const Account& a, Nanos now) {
    if (a.first_seen_day == 0) return a.has(Account::kSignupSeen) ? 1 : 0;
    const std::int64_t days = now.count / kDay - static_cast<std::int64_t>(a.first_seen_day);
    return days <= 7     ? 1
           : days <= 30  ? 2
           : days <= 60  ? 3
           : days <= 120 ? 4
           : days <= 180 ? 5
           : days <= 365 ? 6
                         : 7;
}

}  // namespace

void add_share(const ShapeHistogram& shapes, ShapeShares& sum) noexcept {
    const double total = shapes.total();
    if (total < 3) return;
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += shapes.count[i] / total;
}

void settle_shares(ShapeShares& sum) noexcept {
    double all = 0;
    for (double& v : sum) all += v += 0.05;
    for (double& v : sum) v /= all;
}

void ShareLogs::set(const ShapeShares& shares, double times, double least) {
    for (std::size_t bin = 0; bin < shares.size(); ++bin) {
        base_[bin] = times * std::max(least, shares[bin]);
        for (std::size_t count = 0; count < kCounts; ++count)
            logs_[bin][count] = std::lgamma(base_[bin] + static_cast<double>(count));
    }
}

Population::Population(const Observer& from, Nanos at, std::int64_t window_ns,
                       const Rules* rules)
    : Population(at, window_ns, rules) {
    while (!gather(from, from.accounts.slots())) {
    }
    settle();
}

bool Population::gather(const Observer& from, std::uint32_t slots_max) {
    // Accounts that came since the first step are of the next sweep.
    if (next_slot_ == 0) {
        slots_ = from.accounts.slots();
        row_of_slot.reserve(slots_);
        rows.reserve(from.accounts.size());
        shapes.reserve(from.accounts.size());
    }
    const std::uint32_t last_slot = next_slot_ + std::min(slots_max, slots_ - next_slot_);
    row_of_slot.resize(last_slot, kNoRow);
    const std::size_t first = rows.size();
    const std::uint16_t oldest_h = from.hour({now.count - window_ns_});
    for (std::uint32_t slot = next_slot_; slot < last_slot; ++slot) {
        if (!from.accounts.live(slot)) continue;
        const Account& a = from.accounts[slot];
        if (a.connections == 0 || a.last.count < now.count - window_ns_) continue;
        if (rules_ != nullptr && rules_->excluded(a, oldest_h)) continue;
        if (rules_ != nullptr) {
            const Tempered tempered = rules_->tempered(a, oldest_h);
            if (tempered.any()) tempered_[static_cast<std::uint32_t>(rows.size())] = tempered;
        }
        row_of_slot[slot] = static_cast<std::uint32_t>(rows.size());
        rows.push_back(row_of(a, slot, now, oldest_h));
        shapes.push_back(a.shapes);
    }
    next_slot_ = last_slot;
    const std::size_t last = rows.size();
    parts_.resize((last + kBlock - 1) / kBlock);
    way_parts_.resize(parts_.size());
    const auto block = [&](std::size_t b) {
        const std::size_t end = std::min(last, (b + 1) * kBlock);
        for (std::size_t row = std::max(first, b * kBlock); row < end; ++row) {
            gap_of(from.accounts[rows[row].slot], from, rows[row]);
            tokens_of_account(from, rows[row], static_cast<std::uint32_t>(row), now, parts_[b]);
            ways_of_account(from.accounts[rows[row].slot], static_cast<std::uint32_t>(row),
                            way_parts_[b]);
        }
    };
    if (last == first) return next_slot_ == slots_;
    if (last - first <= kBlock) {  // a step of many, which someone waits for
        for (std::size_t b = first / kBlock; b < parts_.size(); ++b) block(b);
    } else {
        tbb::parallel_for(first / kBlock, parts_.size(), block);
    }
    return next_slot_ == slots_;
}

void Population::settle() {
    count_orgs_of_rows();
    weigh_gaps();
    for (const ShapeHistogram& s : shapes) add_share(s, shape_mean);
    settle_shares(shape_mean);
    shape_logs.set(shape_mean, kOwnSizes, 0);
    tbb::parallel_for(std::size_t{0}, parts_.size(), [&](std::size_t b) {
        const std::size_t end = std::min(rows.size(), (b + 1) * kBlock);
        for (std::size_t row = b * kBlock; row < end; ++row)
            tokens_of_relay(rows[row], static_cast<std::uint32_t>(row), parts_[b]);
    });
    index(sorted_entries());
    index_ways();
}

// By key and row. Keys are hashes: their highest bits deal the entries out evenly, and what is
// dealt to one pile fits the caches while it is sorted.
std::vector<Population::Entry> Population::sorted_entries() {
    constexpr unsigned kShift = 56;
    std::array<std::size_t, 257> first{};
    for (const auto& part : parts_) {
        for (const Entry& e : part) ++first[(e.key >> kShift) + 1];
    }
    std::partial_sum(first.begin(), first.end(), first.begin());
    std::vector<Entry> entries(first.back());
    std::array<std::size_t, 257> next = first;
    for (auto& part : parts_) {
        for (const Entry& e : part) entries[next[e.key >> kShift]++] = e;
        std::vector<Entry>().swap(part);
    }
    std::vector<std::vector<Entry>>().swap(parts_);
    tbb::parallel_for(std::size_t{0}, first.size() - 1, [&](std::size_t pile) {
        std::sort(entries.begin() + static_cast<std::ptrdiff_t>(first[pile]),
                  entries.begin() + static_cast<std::ptrdiff_t>(first[pile + 1]),
                  [](const Entry& a, const Entry& b) {
                      return a.key != b.key ? a.key < b.key : a.row < b.row;
                  });
    });
    return entries;
}

void Population::count_orgs_of_rows() {
    std::uint32_t last = 0;
    for (const Row& row : rows) last = std::max(last, row.org);
    std::vector<std::uint32_t> seen(last + std::size_t{1}, 0);
    for (const Row& row : rows) orgs_ += seen[row.org]++ == 0 ? 1 : 0;
    org_many_.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) org_many_[i] = seen[rows[i].org] > 1 ? 1 : 0;
}

Row Population::row_of(const Account& a, std::uint32_t slot, Nanos at,
                       std::uint16_t oldest_h) const {
    Row row;
    row.slot = slot;
    row.org = a.org_index;
    row.serial = a.serial;
    row.net = a.main_class();
    if (rules_ != nullptr) {
        const NetClass ruled = rules_->class_of(a, oldest_h);
        if (ruled != NetClass::unknown) row.net = ruled;
    }
    row.age = age_class(a, at);
    row.connections = a.connections;
    for (const Token& t : a.tokens) {
        if (t.channel == Channel::network && t.last_h >= oldest_h) ++row.networks;
    }
    const std::size_t tier = a.tier == 4 ? 2 : a.tier >= 2 ? 1 : 0;
    row.stratum = static_cast<std::uint8_t>(
        (static_cast<std::size_t>(row.net) * kClassesOfAge + row.age) * kTiers + tier);
    return row;
}

void Population::gap_of(const Account& a, const Observer& from, Row& row) const {
    GapHistogram own = a.gaps;
    if (own.total() < kGapSamplesMin) {  // borrow those of the same exits and stacks
        for (const Token& ip : a.tokens) {
            if (ip.channel != Channel::address) continue;
            for (const Token& tls : a.tokens) {
                if (tls.channel != Channel::tls) continue;
                const GapHistogram* lent = from.exits.find(exit_key(ip.value, tls.value));
                if (lent == nullptr || lent->total() < kGapSamplesMin) continue;
                const std::size_t bin = lent->bin();
                for (int k = 0; k < 3; ++k) own.add(bin);
            }
        }
    }
    if (own.total() < kGapSamplesMin) return;
    row.gap_known = true;
    row.gap_bin = static_cast<std::uint8_t>(own.bin());
}

void Population::weigh_gaps() {
    for (const Row& row : rows) {
        // The reference are established accounts: a young farm does not excuse itself.
        if (row.gap_known && row.age == 2) gaps.add(row.net, row.gap_bin);
    }
    for (Row& row : rows) {
        if (row.gap_known) row.gap_nats = static_cast<float>(gaps.nats(row.net, row.gap_bin));
    }
}

void Population::put(Channel channel, std::uint64_t value, std::uint8_t net, std::uint32_t index,
                     std::vector<Entry>& out) const {
    if (value == 0 || (rules_ != nullptr && rules_->excluded(channel, value))) return;
    out.push_back({token_key(channel, value), value, index, channel, net});
}

void Population::tokens_of_account(const Observer& from, const Row& row, std::uint32_t index,
                                   Nanos at, std::vector<Entry>& out) const {
    const Account& a = from.accounts[row.slot];
    const std::uint16_t oldest_h = from.hour({at.count - window_ns_});
    const auto show = [&](Channel channel, std::uint64_t value) {
        put(channel, value, 0, index, out);
    };
    for (const Token& t : a.tokens) {
        if (t.last_h < oldest_h || t.channel == Channel::way) continue;
        if (t.channel == Channel::late && 2 * t.count < std::min(a.connections, 65'535u)) continue;
        put(t.channel, t.value, t.net, index, out);
    }
    show(Channel::onboard, a.first_seen_day);
    if (a.has(Account::kSignupSeen)) {
        show(Channel::onboard,
             static_cast<std::uint64_t>(a.signup.count / (3 * kHour)) | std::uint64_t{1} << 40);
    }
    const unsigned sizes = a.shapes.total();
    for (std::size_t bin = 0; bin < ShapeHistogram::kBins; ++bin) {
        if (frequent(a.shapes.count[bin], sizes)) show(Channel::shape, bin + 1);
    }
    show(Channel::mix, mix_value(a.shapes));
    show(Channel::pair, pair_value(a, oldest_h));
    show(Channel::cadence, cadence_value(a));
    show(Channel::variety, variety_value(a.shapes));
    show(Channel::age, age_value(a, at));
}

void Population::tokens_of_relay(const Row& row, std::uint32_t index,
                                 std::vector<Entry>& out) const {
    const bool relayed = row.gap_nats >= kRelayNats;
    // No rule of feedback names these, so that none need be asked.
    const auto show = [&](Channel channel, std::uint64_t value) {
        out.push_back({token_key(channel, value), value, index, channel, 0});
    };
    if (relayed) show(Channel::relay, 1);
    const std::uint64_t spread = exits_class(row.networks);
    if (spread != 0) show(Channel::exits, spread * 2 + (relayed ? 1 : 0));
}

std::uint32_t Population::count_orgs(std::span<const std::uint32_t> sorted_rows) const {
    std::uint32_t n = 0;
    std::vector<std::uint32_t> many;
    for (const std::uint32_t row : sorted_rows) {
        if (org_many_[row] == 0) {
            ++n;
        } else {
            many.push_back(rows[row].org);
        }
    }
    std::sort(many.begin(), many.end());
    many.erase(std::unique(many.begin(), many.end()), many.end());
    return n + static_cast<std::uint32_t>(many.size());
}

std::size_t Population::bytes() const noexcept {
    const auto of = [](const auto& list) { return list.capacity() * sizeof list[0]; };
    return of(rows) + of(tokens) + of(shapes) + of(row_of_slot) + of(keys_) + of(org_many_) +
           of(begin_) + of(token_begin_) + of(of_row_) + of(of_token_) + of(way_begin_) +
           of(ways_) + of(beyond_ms);
}

std::uint32_t Population::find(std::uint64_t key) const noexcept {
    const auto at = std::lower_bound(keys_.begin(), keys_.end(), key);
    if (at == keys_.end() || *at != key) return kNoRow;
    return static_cast<std::uint32_t>(at - keys_.begin());
}

void Population::ways_of_account(const Account& a, std::uint32_t index,
                                 std::vector<RawWay>& out) const {
    for (const Token& token : a.tokens) {
        if (token.channel != Channel::way) continue;
        const Way way(token.value);
        for (const Token& t : a.tokens) {
            if (t.channel != Channel::address || !way.is_of(t.value)) continue;
            out.push_back({t.value, index, way.beyond_ms()});
        }
    }
}

WayBeyond Population::beyond(const RawWay& raw) const {
    return {find(token_key(Channel::address, raw.address)),
            find(token_key(Channel::prefix, prefix_value(raw.address))), raw.ms};
}

void Population::index_ways() {
    way_begin_.assign(rows.size() + 1, 0);
    for (const auto& part : way_parts_) {  // rows rise
        for (const RawWay& raw : part) {
            if (rows[raw.row].gap_nats < kRelayNats) continue;
            const WayBeyond way = beyond(raw);
            if (way.address == kNoRow && way.prefix == kNoRow) continue;
            ways_.push_back(way);
            ++way_begin_[raw.row + 1];
        }
    }
    std::partial_sum(way_begin_.begin(), way_begin_.end(), way_begin_.begin());
    ways_.shrink_to_fit();
    beyond_ms.reserve(ways_.size());
    for (const WayBeyond& way : ways_) beyond_ms.push_back(way.ms);
    std::sort(beyond_ms.begin(), beyond_ms.end());
    std::vector<std::vector<RawWay>>().swap(way_parts_);
}

void Population::look_at(const Observer& from, std::uint32_t slot, Row& row,
                         std::vector<std::uint64_t>& keys, Tempered& tempered) const {
    const Account& a = from.accounts[slot];
    const std::uint16_t oldest_h = from.hour({from.latest.count - window_ns_});
    row = row_of(a, slot, from.latest, oldest_h);
    tempered = rules_ == nullptr ? Tempered() : rules_->tempered(a, oldest_h);
    gap_of(a, from, row);
    if (row.gap_known) row.gap_nats = static_cast<float>(gaps.nats(row.net, row.gap_bin));
    std::vector<Entry> entries;
    tokens_of_account(from, row, kNoRow, from.latest, entries);
    tokens_of_relay(row, kNoRow, entries);
    keys.clear();
    for (const Entry& e : entries) keys.push_back(e.key);
}

void Population::resolve(const Observer& from, std::uint32_t slot, Row& row,
                         std::vector<std::uint32_t>& shared, std::vector<WayBeyond>& ways,
                         Tempered& tempered) const {
    std::vector<std::uint64_t> keys;
    look_at(from, slot, row, keys, tempered);
    ways.clear();
    std::vector<RawWay> raw;
    if (row.gap_nats >= kRelayNats) ways_of_account(from.accounts[slot], kNoRow, raw);
    for (const RawWay& r : raw) ways.push_back(beyond(r));
    shared.clear();
    for (const std::uint64_t key : keys) {
        const std::uint32_t token = find(key);
        if (token != kNoRow) shared.push_back(token);
    }
    std::sort(shared.begin(), shared.end());
    shared.erase(std::unique(shared.begin(), shared.end()), shared.end());
}

void Population::index(const std::vector<Entry>& entries) {
    token_begin_.push_back(0);
    std::vector<std::uint32_t> run;
    for (std::size_t first = 0, last = 0; first < entries.size(); first = last) {
        run.clear();
        for (last = first; last < entries.size() && entries[last].key == entries[first].key;
             ++last) {
            if (run.empty() || run.back() != entries[last].row) run.push_back(entries[last].row);
        }
        if (run.size() < 2) continue;
        const std::uint32_t n = count_orgs(run);
        if (n < 2) continue;
        keys_.push_back(entries[first].key);
        if (entries[first].channel == Channel::age)
            ages.push_back(static_cast<std::uint32_t>(tokens.size()));
        tokens.push_back({entries[first].value, n, entries[first].channel, entries[first].net});
        of_token_.insert(of_token_.end(), run.begin(), run.end());
        token_begin_.push_back(static_cast<std::uint32_t>(of_token_.size()));
    }
    // Kept until the next sweep: without the room that a growing list has to spare.
    for (auto* list : {&of_token_, &token_begin_}) list->shrink_to_fit();
    keys_.shrink_to_fit();
    tokens.shrink_to_fit();
    rows.shrink_to_fit();
    shapes.shrink_to_fit();
    begin_.assign(rows.size() + 1, 0);
    for (const std::uint32_t row : of_token_) ++begin_[row + 1];
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    of_row_.resize(of_token_.size());
    std::vector<std::uint32_t> at(begin_.begin(), begin_.end() - 1);
    for (std::uint32_t token = 0; token < tokens.size(); ++token) {
        for (const std::uint32_t row : rows_of(token)) of_row_[at[row]++] = token;
    }
}

}  // namespace seine::detect
