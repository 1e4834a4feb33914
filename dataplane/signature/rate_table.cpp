#include "dataplane/signature/rate_table.h"

#include <algorithm>
#include <bit>

#include "dataplane/base/hash.h"

namespace seine::signature {

bool RateWindow::admit(const Rate& rate, Nanos now) noexcept {
    if (rate.count == 0) return true;
    const std::int64_t length = static_cast<std::int64_t>(rate.seconds) * kSecond;
    if (count == 0 || now.count - begin_ns >= length || now.count < begin_ns) {
        begin_ns = now.count;
        count = 0;
    }
    if (count >= rate.count) {
        ++swallowed;
        return false;
    }
    ++count;
    return true;
}

std::uint64_t RateWindow::take_swallowed() noexcept {
    const std::uint64_t out = swallowed;
    swallowed = 0;
    return out;
}

SourceRates::SourceRates(std::uint32_t sources_max)
    : cells_(std::make_unique<Cell[]>(std::bit_ceil(std::max(sources_max, kPlaces)))),
      mask_(std::bit_ceil(std::max(sources_max, kPlaces)) / kPlaces - 1) {}

RateWindow& SourceRates::window(std::uint32_t rule, const std::uint8_t (&source)[16], Nanos now) noexcept {
    const std::uint64_t key = hash64(ByteView(source), 0x5045'0000u + rule) | 1;
    Cell* bucket = cells_.get() + (mix64(key, 0x9e3779b97f4a7c15u) & mask_) * kPlaces;
    Cell* oldest = bucket;
    for (std::uint32_t i = 0; i < kPlaces; ++i) {
        if (bucket[i].key == key) return bucket[i].window;
        if (bucket[i].window.begin_ns < oldest->window.begin_ns) oldest = bucket + i;
    }
    oldest->key = key;
    oldest->window = {};
    oldest->window.begin_ns = now.count;
    return oldest->window;
}

}  // namespace seine::signature
