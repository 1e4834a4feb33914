#include "control/account/gateways.h"

#include <algorithm>

#include "control/account/saved.h"

namespace seine::account {

contract::SequenceWindow::Answer Gateway::take(std::uint16_t boot_epoch, std::uint32_t seq) {
    auto found = std::find_if(boots.begin(), boots.end(),
                              [boot_epoch](const Boot& b) { return b.epoch == boot_epoch; });
    if (found == boots.end()) {
        if (boots.size() == kBootsMax) {
            found = std::min_element(boots.begin(), boots.end(),
                                     [](const Boot& a, const Boot& b) { return a.used < b.used; });
            *found = {};
        } else {
            found = boots.emplace(boots.end());
        }
        found->epoch = boot_epoch;
    }
    found->used = ++boot_uses;
    const std::uint64_t missed = found->window.missed();
    const auto answer = found->window.take(seq);
    gaps += found->window.missed() - missed;
    return answer;
}

void Gateways::save(std::string& out) const {
    SavedWriter writer(out);
    writer.put(static_cast<std::uint32_t>(list_.size()));
    for (const auto& gateway : list_) {
        writer.put(gateway->id);
        writer.put(gateway->clock);
        writer.put(std::array<std::uint64_t, 5>{gateway->boot_uses, gateway->gaps, gateway->records,
                                                gateway->joined, gateway->duplicates});
        writer.put(static_cast<std::uint32_t>(gateway->boots.size()));
        for (const Gateway::Boot& boot : gateway->boots) writer.put(boot);
    }
}

bool Gateways::restore(SavedReader& in) {
    std::uint32_t count = 0;
    if (!in.take(count) || count > max_) return false;
    for (std::uint32_t i = 0; i < count; ++i) {
        std::uint32_t id = 0;
        std::uint32_t boots = 0;
        std::array<std::uint64_t, 5> sums{};
        GatewayClock clock;
        if (!in.take(id) || !in.take(clock) || !in.take(sums) || !in.take(boots) ||
            boots > Gateway::kBootsMax)
            return false;
        Gateway& gateway = *list_[place_of(id)];
        gateway.clock = clock;
        gateway.boot_uses = sums[0];
        gateway.gaps = sums[1];
        gateway.records = sums[2];
        gateway.joined = sums[3];
        gateway.duplicates = sums[4];
        gateway.boots.resize(boots);
        for (Gateway::Boot& boot : gateway.boots) {
            if (!in.take(boot)) return false;
        }
    }
    return true;
}

std::uint16_t Gateways::place_of(std::uint32_t id) {
    const auto found = places_.find(id);
    if (found != places_.end()) return found->second;
    if (list_.size() >= max_ || list_.size() >= kNone) return kNone;
    const auto place = static_cast<std::uint16_t>(list_.size());
    list_.push_back(std::make_unique<Gateway>());
    list_.back()->id = id;
    places_.emplace(id, place);
    return place;
}

}  // namespace seine::account
