// Which events one destination gets: by kind, severity, farm and network, and flows thinned or
// summed up.
#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "control/export/item.h"
#include "control/model/address.h"
#include "control/model/event.h"

namespace seine::siem {

struct Network {
    model::Address prefix{};
    unsigned bits = 0;  // of 128
};
// "192.0.2.0/24", "2001:db8::/32" or an address alone. False: no network.
[[nodiscard]] bool read_network(std::string_view text, Network& out);

struct Filter {
    Kinds kinds = kAnyKind;
    model::Severity severity_least = model::Severity::info;
    std::vector<std::uint64_t> farms;  // empty: any; else farm events of these alone
    std::vector<Network>
        networks;            // empty: any; else events with a flow whose client or server is in one
    double flow_sample = 1;  // share of flow summaries that are kept, chosen by the flow's id
    bool sum_up_flows = false;  // one event per account and minute instead of one per flow

    [[nodiscard]] bool passes(const model::Event& event) const;
    // How many flows one that was kept stands for.
    [[nodiscard]] std::uint32_t flows_per_kept() const noexcept;
};

// Flow summaries of one account in one minute as one event: `count` of them, with the sums of
// packets and bytes and the ends and fingerprints of the first. Bounded: past kAccountsMax accounts
// in a minute a flow passes as it is.
class AccountMinutes {
  public:
    static constexpr std::size_t kAccountsMax = 100'000;
    // True: taken in, nothing to send. False: send `event` as it is (no account, or no room).
    bool add(const model::Event& event);
    // Events of minutes that ended before `now`, through send(event).
    template <typename Send>
    void flush(Nanos now, Send&& send) {
        const std::int64_t minute = now.count / (60 * kSecond);
        for (auto at = sums_.begin(); at != sums_.end();) {
            if (at->second.minute < minute) {
                send(summed(at->second));
                at = sums_.erase(at);
            } else {
                ++at;
            }
        }
        oldest_minute_ = minute;
    }
    [[nodiscard]] bool due(Nanos now) const noexcept {
        return !sums_.empty() && now.count / (60 * kSecond) > oldest_minute_;
    }

  private:
    struct Sum {
        model::Event first;
        std::int64_t minute = 0;
        std::uint32_t count = 0;
        std::uint64_t packets_c = 0, packets_s = 0, bytes_c = 0, bytes_s = 0;
        std::int64_t t_last = 0;
    };
    struct Key {
        model::AccountTag account;
        std::int64_t minute;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept {
            return key.account.hash() ^ static_cast<std::size_t>(key.minute) * 0x9e3779b97f4a7c15u;
        }
    };
    static model::Event summed(const Sum& sum);

    std::unordered_map<Key, Sum, KeyHash> sums_;
    std::int64_t oldest_minute_ = 0;
};

}  // namespace seine::siem
