// What is known of each gateway: its clock, and which sequence numbers it has used.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/account/gateway_clock.h"
#include "dataplane/contract/account_record.h"

namespace seine::account {

class SavedReader;

struct Gateway {
    // Windows of the last boot epochs, so that a replay from before a restart is still known.
    static constexpr std::size_t kBootsMax = 8;
    struct Boot {
        std::uint16_t epoch = 0;
        std::uint64_t used = 0;  // higher is later
        contract::SequenceWindow window;
    };
    std::uint32_t id = 0;
    GatewayClock clock;
    std::vector<Boot> boots;
    std::uint64_t boot_uses = 0;
    std::uint64_t gaps = 0;  // sequences that left their window without having come
    std::uint64_t records = 0;
    std::uint64_t joined = 0;
    std::uint64_t duplicates = 0;
    std::uint32_t waiting = 0;  // records in Pending
    // Bits of Progress: the dataplanes whose connections its records were joined to, of this process's
    // life and since there is more than one. Its records wait for these alone, once enough were joined.
    std::uint64_t dataplanes = 0;
    std::uint32_t served = 0;
    static constexpr std::uint32_t kKnownAfter = 64;
    void served_by(std::uint64_t dataplane) noexcept {
        dataplanes |= dataplane;
        if (served < kKnownAfter) ++served;
    }
    [[nodiscard]] std::uint64_t asks() const noexcept { return served < kKnownAfter ? 0 : dataplanes; }

    // The replay rule of detection.md 4.2, per boot epoch.
    contract::SequenceWindow::Answer take(std::uint16_t boot_epoch, std::uint32_t seq);
};

// One thread.
class Gateways {
  public:
    static constexpr std::uint16_t kNone = 0xffff;
    explicit Gateways(std::uint32_t gateways_max) : max_(gateways_max) {}
    // The gateway's place, made when new; kNone when there is no room.
    [[nodiscard]] std::uint16_t place_of(std::uint32_t id);
    // nullptr: never heard of.
    [[nodiscard]] const Gateway* find(std::uint32_t id) const {
        const auto found = places_.find(id);
        return found == places_.end() ? nullptr : list_[found->second].get();
    }
    void save(std::string& out) const;
    bool restore(SavedReader& in);
    Gateway& operator[](std::uint16_t place) noexcept { return *list_[place]; }
    [[nodiscard]] const std::vector<std::unique_ptr<Gateway>>& all() const noexcept {
        return list_;
    }

  private:
    std::uint32_t max_;
    std::vector<std::unique_ptr<Gateway>> list_;
    std::unordered_map<std::uint32_t, std::uint16_t> places_;
};

}  // namespace seine::account
