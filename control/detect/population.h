// One sweep's frozen view: active accounts with the tokens that at least two organisations share.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "control/detect/observe.h"
#include "control/detect/rules.h"

namespace seine::detect {

struct SharedToken {
    std::uint64_t value = 0;
    std::uint32_t orgs = 0;  // organisations that have it, in the window
    Channel channel{};
    std::uint8_t net = 0;
};

// What the sweep knows of an account beside its tokens; index = row.
struct Row {
    std::uint32_t slot = 0;
    std::uint32_t org = 0;
    std::uint32_t serial = 0;  // Account::serial: whether the slot is still that account's
    NetClass net = NetClass::unknown;
    bool gap_known = false;
    std::uint8_t gap_bin = 0;
    std::uint8_t networks = 0;  // AS numbers seen
    std::uint8_t stratum = 0;
    std::uint8_t age = 0;  // 0 up to thirty days, 1 up to half a year, 2 established
    float gap_nats = 0;
    std::uint32_t connections = 0;
};
static_assert(sizeof(Row) == 28);

// How far away whoever uses an exit is, by that exit and by its prefix; tokens that nobody shares are
// Population::kNoRow.
struct WayBeyond {
    std::uint32_t address = 0xffffffff, prefix = 0xffffffff;
    float ms = 0;
};

using ShapeShares = std::array<double, ShapeHistogram::kBins>;
// Adds an account's shares of the sizes; each account counts once, whatever it asked for.
void add_share(const ShapeHistogram& shapes, ShapeShares& sum) noexcept;
// Scales the sums to one, with a little for sizes that were not seen.
void settle_shares(ShapeShares& sum) noexcept;

// ln of the gamma function at a multiple of each share with a small count of connections added: what
// Dirichlet-multinomials of sizes are made of.
class ShareLogs {
  public:
    // No share counts as less than `least`.
    void set(const ShapeShares& shares, double times, double least);
    // ln(G(times * share + count) / G(times * share)) is the difference of two of these.
    [[nodiscard]] double at(std::size_t bin, std::uint8_t count) const noexcept {
        return count < kCounts ? logs_[bin][count] : std::lgamma(base_[bin] + count);
    }

  private:
    static constexpr std::size_t kCounts = 32;
    ShapeShares base_{};
    std::array<std::array<double, kCounts>, ShapeHistogram::kBins> logs_{};
};

class Population {
  public:
    static constexpr double kOwnSizes = 1.5;  // how much alike the sizes of one application are
    static constexpr std::size_t kClassesOfAge = 3, kTiers = 3;
    static constexpr std::size_t kStrata = kNetClasses * kClassesOfAge * kTiers;

    // All at once.
    Population(const Observer& from, Nanos now, std::int64_t window_ns, const Rules* rules);
    // In steps, between which the observer may take more: gather() until it is done, then settle(),
    // which does not look at the observer any more. Each account is as it was when its turn came.
    // The rules outlive gather() and resolve(), which ask them.
    Population(Nanos at, std::int64_t window_ns, const Rules* rules)
        : now(at), window_ns_(window_ns), rules_(rules) {}
    // True when there are no more slots to look at.
    bool gather(const Observer& from, std::uint32_t slots_max);
    void settle();

    [[nodiscard]] std::size_t size() const noexcept { return rows.size(); }
    [[nodiscard]] double orgs() const noexcept { return orgs_; }
    [[nodiscard]] std::size_t bytes() const noexcept;
    // Shared tokens of a row, rising.
    [[nodiscard]] std::span<const std::uint32_t> tokens_of(std::size_t row) const noexcept {
        return {of_row_.data() + begin_[row], begin_[row + 1] - begin_[row]};
    }
    // Rows that have a token, rising.
    [[nodiscard]] std::span<const std::uint32_t> rows_of(std::uint32_t token) const noexcept {
        return {of_token_.data() + token_begin_[token],
                token_begin_[token + 1] - token_begin_[token]};
    }
    // Of a row that comes through a relay; others have none.
    [[nodiscard]] std::span<const WayBeyond> ways_of(std::size_t row) const noexcept {
        return {ways_.data() + way_begin_[row], way_begin_[row + 1] - way_begin_[row]};
    }
    // The token id of a (channel, value), or 0xffffffff where fewer than two organisations had it.
    [[nodiscard]] std::uint32_t find(std::uint64_t key) const noexcept;
    [[nodiscard]] std::uint64_t key_of(std::uint32_t token) const noexcept { return keys_[token]; }
    // An account as it is now, and the keys of all tokens that it shows.
    void look_at(const Observer& from, std::uint32_t slot, Row& row,
                 std::vector<std::uint64_t>& keys, Tempered& tempered) const;
    // The same in terms of this population's tokens.
    void resolve(const Observer& from, std::uint32_t slot, Row& row,
                 std::vector<std::uint32_t>& shared, std::vector<WayBeyond>& ways,
                 Tempered& tempered) const;
    // What rules of feedback leave of a row's evidence; none: all of it.
    [[nodiscard]] const Tempered* tempered(std::uint32_t row) const noexcept {
        if (tempered_.empty()) return nullptr;
        const auto at = tempered_.find(row);
        return at == tempered_.end() ? nullptr : &at->second;
    }
    // Organisations among rows that come in rising order.
    [[nodiscard]] std::uint32_t count_orgs(std::span<const std::uint32_t> sorted_rows) const;

    static constexpr std::uint32_t kNoRow = 0xffffffff;
    // Of an account's slot; kNoRow: it was not active, or came later.
    [[nodiscard]] std::uint32_t row_of(std::uint32_t slot) const noexcept {
        return slot < row_of_slot.size() ? row_of_slot[slot] : kNoRow;
    }
    // The same; kNoRow also where the slot was another account's then.
    [[nodiscard]] std::uint32_t row_of(std::uint32_t slot, std::uint32_t serial) const noexcept {
        const std::uint32_t row = row_of(slot);
        return row != kNoRow && rows[row].serial == serial ? row : kNoRow;
    }

    std::vector<Row> rows;
    std::vector<SharedToken> tokens;
    std::vector<std::uint32_t> ages;         // tokens of Channel::age
    std::vector<ShapeHistogram> shapes;      // by row
    ShapeShares shape_mean{};                // of everybody
    ShareLogs shape_logs;                    // of the same, times kOwnSizes
    std::vector<float> beyond_ms;            // of all ways, rising
    std::vector<std::uint32_t> row_of_slot;
    GapBaseline gaps;
    Nanos now;

  private:
    struct Entry {
        std::uint64_t key;
        std::uint64_t value;
        std::uint32_t row;
        Channel channel;
        std::uint8_t net;
    };
    struct RawWay {
        std::uint64_t address;
        std::uint32_t row;
        float ms;
    };
    // Rows whose tokens are put into one list: few, so that a list that grows is soon moved.
    static constexpr std::size_t kBlock = 256;
    void count_orgs_of_rows();
    void weigh_gaps();
    void put(Channel channel, std::uint64_t value, std::uint8_t net, std::uint32_t index,
             std::vector<Entry>& out) const;
    // Tokens that an account shows by itself, and those that follow from its round trips.
    void tokens_of_account(const Observer& from, const Row& row, std::uint32_t index, Nanos at,
                           std::vector<Entry>& out) const;
    void tokens_of_relay(const Row& row, std::uint32_t index, std::vector<Entry>& out) const;
    void gap_of(const Account& account, const Observer& from, Row& row) const;
    [[nodiscard]] Row row_of(const Account& account, std::uint32_t slot, Nanos at,
                             std::uint16_t oldest_h) const;
    // Round trips through the exits that an account still shows.
    void ways_of_account(const Account& account, std::uint32_t index,
                         std::vector<RawWay>& out) const;
    [[nodiscard]] WayBeyond beyond(const RawWay& raw) const;
    void index_ways();
    [[nodiscard]] std::vector<Entry> sorted_entries();
    void index(const std::vector<Entry>& entries);

    std::int64_t window_ns_;
    const Rules* rules_;
    std::unordered_map<std::uint32_t, Tempered> tempered_;  // by row
    std::uint32_t next_slot_ = 0, slots_ = 0;  // slots_: when the first step was done
    std::vector<std::vector<Entry>> parts_;  // by block of rows, until they are settled
    std::vector<std::vector<RawWay>> way_parts_;  // likewise
    double orgs_ = 0;
    std::vector<std::uint64_t> keys_;     // by token, rising
    std::vector<std::uint8_t> org_many_;  // by row: its organisation has several accounts
    std::vector<std::uint32_t> begin_, token_begin_;
    std::vector<std::uint32_t> of_row_, of_token_;
    std::vector<std::uint32_t> way_begin_;
    std::vector<WayBeyond> ways_;
};

}  // namespace seine::detect
