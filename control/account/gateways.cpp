#include "control/account/gateways.h"

#include <algorithm>

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
