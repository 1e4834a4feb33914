// From sightings to accounts: which tokens a connection leaves behind.
#pragma once
#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "control/detect/account_table.h"
#include "control/detect/bucket_table.h"
#include "control/detect/options.h"
#include "control/detect/sessions.h"
#include "control/detect/twins.h"
#include "control/model/sighting.h"

namespace seine::detect {

// A client that opens a connection to use it says hello within milliseconds (direct clients of the
// corpus: 7 ms at most in the median of a scenario); a relay that asks a client far away, or another
// server, first is later by that way (relays at a distance: 76 ms and more).
inline constexpr std::uint32_t kLateHelloUs = 40'000;

struct ObserveCounters {
    std::uint64_t sightings = 0;
    std::uint64_t connections = 0;
    std::uint64_t failures_told = 0;  // by account records: limits, and status classes 4 and 5
    std::uint64_t account_events = 0;
    std::uint64_t unknown_accounts = 0;      // closed or rekeyed without ever being seen
    std::uint64_t through_intermediary = 0;  // uses left out: a declared intermediary's
    std::uint64_t tokens_evicted = 0;        // of one account's list
    std::uint64_t gap_samples = 0;
    std::uint64_t gap_invalid = 0;
    std::uint64_t shared_sessions = 0;  // presented by a second organisation
    std::uint64_t shared_connections = 0;
};

// Round trips of an (exit address, stack): what an account with few samples borrows. Kept for four
// weeks after the last one.
class ExitGaps {
  public:
    explicit ExitGaps(std::size_t entries_max) : table_(entries_max) {}
    void add(std::uint64_t key, std::size_t bin, std::uint16_t now_h);
    [[nodiscard]] const GapHistogram* find(std::uint64_t key) const noexcept {
        const Entry* const entry = table_.find(key);
        return entry == nullptr ? nullptr : &entry->gaps;
    }
    [[nodiscard]] std::uint64_t evicted() const noexcept { return table_.evicted(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return table_.bytes(); }

    struct Entry {
        static constexpr std::uint32_t kStale = 28 * 24;
        std::uint64_t exit = 0;
        GapHistogram gaps{};
        std::uint16_t last_h = 0;
        std::uint16_t unused = 0;
        [[nodiscard]] std::uint64_t key() const noexcept { return exit; }
        [[nodiscard]] std::uint32_t age(std::uint16_t now_h) const noexcept {
            return now_h > last_h ? now_h - last_h : 0u;
        }
    };
    [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return table_.entries(); }
    void restore(const std::vector<Entry>& entries, std::uint16_t now_h);

  private:
    BucketTable<Entry, std::uint16_t> table_;
};

[[nodiscard]] inline std::uint64_t exit_key(std::uint64_t address, std::uint64_t tls) noexcept {
    return mix64(address ^ 0x9e3779b97f4a7c15u, tls ^ 0xd6e8feb86659fd93u) | 1u;
}

// The value of an address token (IPv4 as it is, IPv6 by its /64), and of its prefix token.
[[nodiscard]] std::uint64_t address_value(const model::Address& address) noexcept;
[[nodiscard]] constexpr std::uint64_t prefix_value(std::uint64_t address_value) noexcept {
    return address_value & ~std::uint64_t{0xff};
}
[[nodiscard]] inline std::uint64_t prefix_value(const model::Address& address) noexcept {
    return prefix_value(address_value(address));
}

class Rules;

class Observer {
  public:
    explicit Observer(const Options& options);
    void set_prefixes(PrefixTable table) { prefixes_ = std::move(table); }
    // They outlive the observer, or are taken back with nullptr.
    void set_rules(const Rules* rules) noexcept { rules_ = rules; }
    void take(const model::Sighting& sighting);
    void take(const model::AccountEvent& event);

    AccountTable accounts;
    SessionTable sessions;
    Twins twins;
    StackCrypto crypto;
    ExitGaps exits;
    ObserveCounters counters;
    Nanos began;  // the first thing ever taken; zero: nothing yet
    Nanos latest;
    // When each model was first used by anybody.
    std::array<std::int64_t, 256> model_since{};
    std::vector<std::uint32_t> dirty;  // slots that changed since the last tick, each once

    [[nodiscard]] std::uint16_t hour(Nanos at) const noexcept;
    [[nodiscard]] const PrefixTable& prefixes() const noexcept { return prefixes_; }

  private:
    struct Seen {  // of one connection, for all its accounts
        std::uint64_t address = 0, prefix = 0, tls = 0;
        Network network;
        bool ruled = false;         // the class of the network is a rule's
        bool intermediary = false;  // declared by a rule
        std::uint16_t hour = 0;
        Nanos at;
    };
    void ask_rules(Seen& seen) const;
    // The slot of an account, made when it is new. Nothing of whom it displaces stays with the slot.
    [[nodiscard]] std::uint32_t slot_of(const model::AccountTag& tag, const model::OrgTag& org,
                                        Nanos at);
    void touch(Account& account, Channel channel, std::uint64_t value, const Seen& seen,
               bool count);
    void connection(Account& account, const model::Sighting& sighting, const model::AccountUse& use,
                    const Seen& seen);
    void round_trip(Account& account, const model::Flow& flow, const Seen& seen);
    void way(Account& account, const model::Flow& flow, const Seen& seen);
    void share_sessions(std::uint32_t slot, const model::Sighting& sighting, const Seen& seen);
    void exchanges(std::uint32_t slot, const model::Sighting& sighting, bool first_of_flow,
                   Recent& told);
    [[nodiscard]] bool ended(const Recent& told, std::uint32_t response_bytes,
                             Ending& ending) const;
    void clock(Nanos at);
    void mark_dirty(std::uint32_t slot);

    PrefixTable prefixes_;
    const Rules* rules_ = nullptr;
};

}  // namespace seine::detect
