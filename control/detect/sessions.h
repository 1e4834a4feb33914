// Who presented which ticket or PSK identity last: finds one identity under two organisations.
#pragma once
#include <cstdint>
#include <vector>

#include "dataplane/base/clock.h"

namespace seine::detect {

// A bounded table of identities, four to a bucket; a new one replaces the oldest of its bucket.
// Identities are keyed hashes already, so a flood of them cannot aim at a bucket.
class SessionTable {
  public:
    struct Answer {
        std::uint32_t other = 0xffffffffu;  // an account of another organisation that had it
        bool mobile = false;                // the same account had it from three networks
    };
    explicit SessionTable(std::size_t entries_max);
    Answer touch(std::uint64_t identity, std::uint32_t account, std::uint32_t org,
                 std::uint32_t network, Nanos now);
    [[nodiscard]] std::uint64_t evicted() const noexcept { return evicted_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return entries_.capacity() * sizeof(Entry); }

    struct Entry {
        std::uint64_t identity = 0;
        std::uint32_t account = 0;
        std::uint32_t org = 0;
        std::uint16_t networks[3] = {0, 0, 0};  // marks of AS numbers
        std::uint16_t last_m = 0;               // minutes, modulo 2^16
    };
    static_assert(sizeof(Entry) == 24);
    [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }
    // Puts entries back, each account under its new number; those without one are left out.
    template <typename NowAt>
    void restore(const std::vector<Entry>& entries, Nanos now, NowAt now_at) {
        for (Entry entry : entries) {
            entry.account = now_at(entry.account);
            if (entry.identity != 0 && entry.account != 0xffffffffu) insert(entry, now);
        }
    }

  private:
    static constexpr std::size_t kWays = 4;
    void insert(const Entry& entry, Nanos now);
    std::vector<Entry> entries_;
    std::size_t mask_;
    std::uint64_t evicted_ = 0;
};

}  // namespace seine::detect
