// Who presented which ticket or PSK identity last: finds one identity under two organisations.
#pragma once
#include <cstdint>
#include <vector>

#include "control/detect/bucket_table.h"
#include "dataplane/base/clock.h"

namespace seine::detect {

// Identities are keyed hashes. An entry is forgotten two days after its last use: no common server
// keeps a ticket longer.
class SessionTable {
  public:
    struct Answer {
        std::uint32_t other = 0xffffffffu;  // the place of another organisation's account that had it
        std::uint32_t org = 0;              // that organisation
        bool mobile = false;                // the same account had it from three networks
    };
    explicit SessionTable(std::size_t entries_max) : table_(entries_max) {}
    Answer touch(std::uint64_t identity, std::uint32_t account, std::uint32_t org,
                 std::uint32_t network, Nanos now);
    [[nodiscard]] std::uint64_t evicted() const noexcept { return table_.evicted(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return table_.bytes(); }

    struct Entry {
        static constexpr std::uint32_t kStale = 48 * 60;
        std::uint64_t identity = 0;
        std::uint32_t account = 0;
        std::uint32_t org = 0;
        std::uint16_t networks[3] = {0, 0, 0};  // marks of AS numbers
        std::uint16_t last_m = 0;               // minutes, modulo 2^16
        [[nodiscard]] std::uint64_t key() const noexcept { return identity; }
        // Minutes since it was used, modulo 45 days. What is told late may be older than what came
        // before it: up to an hour is now.
        [[nodiscard]] std::uint32_t age(std::uint16_t now_m) const noexcept {
            const auto minutes = static_cast<std::uint16_t>(now_m - last_m);
            return minutes > 0xffff - 60 ? 0 : minutes;
        }
    };
    static_assert(sizeof(Entry) == 24);
    [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return table_.entries(); }
    // Puts entries back, each account under its new number; those without one are left out.
    template <typename NowAt>
    void restore(const std::vector<Entry>& entries, Nanos now, NowAt now_at) {
        for (Entry entry : entries) {
            entry.account = now_at(entry.account);
            if (entry.identity != 0 && entry.account != 0xffffffffu) put_back(entry, now);
        }
    }

  private:
    void put_back(const Entry& entry, Nanos now);
    BucketTable<Entry, std::uint16_t> table_;
};

}  // namespace seine::detect
