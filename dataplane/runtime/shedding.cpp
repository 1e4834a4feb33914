#include "dataplane/runtime/shedding.h"

#include <algorithm>

#include "dataplane/wire/steering.h"

namespace seine::runtime {

unsigned shed_bucket(const std::uint32_t* card_hash, ByteView frame, wire::LinkType link) noexcept {
    if (card_hash != nullptr) return *card_hash % kShedBuckets;
    // Other bits than those that choose between workers.
    return static_cast<unsigned>(wire::peek(frame, link).flow_hash % kShedBuckets);
}

std::string ShedController::tend(const Seen& sums) {
    const std::uint64_t received = sums.received - before_.received;
    const std::uint64_t lost = sums.lost - before_.lost;
    const bool first = !begun_;
    before_ = sums;
    begun_ = true;
    if (first) return {};
    const std::uint64_t came = received + lost;
    if (lost * 1000 > came * kLossPerMilleMin) {
        calm_ = 0;
        // Of what is still inspected, so much too many.
        const std::uint64_t open = kShedBuckets - level_;
        const auto step = static_cast<unsigned>((lost * open + came - 1) / came);
        const unsigned deeper = std::min(level_ + std::max(step, 1u), kLevelMax);
        if (deeper == level_) return {};
        level_ = deeper;
        return "overload: " + std::to_string(lost) + " of " + std::to_string(came) +
               " packets were lost in the last second; flows of " + std::to_string(level_) +
               " of " + std::to_string(kShedBuckets) +
               " buckets are left out whole (packets_shed); more --workers?";
    }
    if (level_ == 0 || ++calm_ < kCalmTends) return {};
    level_ -= std::max(level_ / 8, 1u);
    return level_ == 0 ? "overload is over: no flow is left out any more" : "";
}

}  // namespace seine::runtime
