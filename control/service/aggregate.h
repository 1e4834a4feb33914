// Sums between two commits: values, accounts, minutes. What goes into a batch beside single flows.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "control/account/join.h"
#include "control/dataplane_link/flow_facts.h"
#include "control/model/sighting.h"
#include "control/service/recent_flows.h"
#include "control/service/use_table.h"
#include "control/store/records.h"

namespace seine::service {

struct AggregateCounters {
    std::uint64_t opened = 0;
    std::uint64_t closed = 0;
    std::uint64_t requests = 0;
    std::uint64_t updates = 0;
    std::uint64_t sightings = 0;
    std::uint64_t values_shed = 0;    // past the bound of different values between two commits
    std::uint64_t accounts_shed = 0;  // likewise accounts
};

// One thread. Bounded by kValuesMax and kAccountsMax between two commits.
class Aggregate {
  public:
    static constexpr std::size_t kValuesMax = 4'000'000;
    static constexpr std::size_t kAccountsMax = 2'000'000;

    explicit Aggregate(RecentFlows& recent) : recent_(recent) {}

    // A record of a dataplane. `now` is the time of taking in.
    void record(const contract::RecordView& record, const dataplane_link::FlowFacts& facts, Nanos now);
    // A connection and its accounts. What was found of it among the flows of late:
    struct Found {
        bool flow = false;         // it is among them; not looked for where nothing of the sighting is new
        bool row_kept = false;     // it has a row of its own
        bool new_account = false;  // an account was new to it
    };
    Found sighting(const model::Sighting& sighting, Nanos now);
    // Memory for coming sightings is asked for. No effect but time; at most kExpectedMax.
    static constexpr std::size_t kExpectedMax = 32;
    void expect(std::span<const account::JoinSink::Coming> coming) const noexcept;
    void account_event(const model::AccountEvent& event);
    // Records that the ring of a dataplane lost.
    void lost(std::uint16_t dataplane, std::uint64_t records, Nanos now);

    // Empty lists of values, for accounts to come.
    void reuse(std::vector<std::vector<store::AccountValueRow>> lists) { spare_lists_ = std::move(lists); }
    // Everything since the last one; begins anew, in the room that the batch's lists had. In no order:
    // an Order makes it before it is written.
    void take(store::Batch& out);
    // Values and accounts in order of their keys, so that pages of the store are touched once. One
    // thread; keeps the room it needs.
    class Order {
      public:
        void operator()(store::Batch& batch);

      private:
        std::vector<store::ValueUse> values_;
        std::vector<store::AccountUse> accounts_;
    };
    [[nodiscard]] const AggregateCounters& counters() const noexcept { return counters_; }

  private:
    using Key = std::pair<std::uint16_t, model::ValueId>;
    using Values = std::vector<std::pair<std::uint16_t, model::ValueId>>;
    struct ValueHash {
        std::uint64_t operator()(const Key& key) const noexcept { return mix64(key.second, key.first + kHashSeed); }
    };
    struct ValueKey {
        Key operator()(const store::ValueUse& use) const noexcept { return {use.field, use.value}; }
    };
    struct AccountHash {
        std::uint64_t operator()(const model::AccountTag& tag) const noexcept { return mix64(tag.hash(), kHashSeed); }
    };
    struct AccountKey {
        const model::AccountTag& operator()(const store::AccountUse& use) const noexcept { return use.row.account; }
    };
    static constexpr std::uint64_t kHashSeed = 0x9e3779b97f4a7c15u;
    store::ValueUse* use_of(std::uint16_t field, model::ValueId value, Nanos at);
    // A client's address and prefix as values; the texts are made when they are asked for.
    struct Place {
        model::Address client{};
        model::ValueId address = 0;  // 0: free
        model::ValueId prefix = 0;
    };
    static constexpr std::size_t kPlaces = 16'384;
    const Place& place_of(const model::Address& client);
    // True when the value is new and its text is wanted.
    bool count(std::uint16_t field, model::ValueId id, std::uint64_t network, Nanos at);
    void count_address(const model::Tuple& tuple, const contract::FlowId& id, Nanos at);
    store::MinuteRow& minute(std::uint16_t dataplane, Nanos now);
    store::AccountUse* account_of(const model::AccountTag& tag);
    [[nodiscard]] const Values& values_of(const model::Flow& flow, const RecentFlows::Entry* entry);
    void put_values(const Values& values, std::uint64_t network, const model::AccountUse& use, bool new_here,
                    store::AccountUse* account);

    RecentFlows& recent_;
    std::vector<Place> places_ = std::vector<Place>(kPlaces);  // of late, by hash
    AggregateCounters counters_;
    UseTable<store::ValueUse, Key, ValueHash, ValueKey> values_;
    UseTable<store::AccountUse, model::AccountTag, AccountHash, AccountKey> accounts_;
    std::vector<std::vector<store::AccountValueRow>> spare_lists_;
    Values scratch_;
    std::unordered_map<std::uint64_t, store::MinuteRow> minutes_;
    std::uint64_t last_minute_ = 0;  // the key asked for last, and its row; null: none
    store::MinuteRow* last_row_ = nullptr;
    std::vector<store::Rename> renames_;
    std::vector<store::Text> texts_;
    std::unordered_set<model::ValueId> known_texts_;  // handed out already, or lately
    store::Distinct all_accounts_;
    store::Distinct all_organisations_;
    std::uint64_t all_flows_ = 0;
};

}  // namespace seine::service
