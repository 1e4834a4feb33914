#include "control/account/pending.h"

#include <algorithm>

namespace seine::account {

Result<Pending> Pending::make(std::size_t bytes_max) {
    constexpr const char* kWhat = "account records that wait for their flow";
    // Heads are a power of two and come out of the same bound.
    const std::size_t each = sizeof(Entry) + 2 * sizeof(std::uint32_t);
    const auto capacity = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(bytes_max / each, 64, std::size_t{1} << 30));
    auto pool = Pool<Entry>::make(capacity, kWhat);
    if (!pool) return pool.error();
    auto heads = Heads::make(capacity, kWhat);
    if (!heads) return heads.error();
    Pending pending;
    pending.pool_ = std::move(*pool);
    pending.heads_ = std::move(*heads);
    return pending;
}

std::uint32_t Pending::add(const Claim& claim) noexcept {
    const std::uint32_t made = pool_.take();
    if (made == 0) return 0;
    std::uint32_t& head = heads_.of(claim.key());
    pool_[made] = {claim, head, last_, 0, 0};
    head = made;
    (last_ == 0 ? first_ : pool_[last_].after) = made;
    last_ = made;
    for (std::uint32_t& mark : marks_) {
        if (mark == 0) mark = made;
    }
    return made;
}

void Pending::remove(std::uint32_t number) noexcept {
    const Entry& entry = pool_[number];
    for (std::uint32_t& mark : marks_) {
        if (mark == number) mark = entry.after;
    }
    std::uint32_t* link = &heads_.of(entry.claim.key());
    while (*link != number) link = &pool_[*link].next_of_key;
    *link = entry.next_of_key;
    (entry.before == 0 ? first_ : pool_[entry.before].after) = entry.after;
    (entry.after == 0 ? last_ : pool_[entry.after].before) = entry.before;
    pool_.give(number);
}

std::uint32_t Pending::from(std::uint32_t number, std::uint64_t key) const noexcept {
    while (number != 0 && pool_[number].claim.key() != key) number = pool_[number].next_of_key;
    return number;
}
std::uint32_t Pending::of_key(std::uint64_t key) const noexcept {
    return from(heads_.of(key), key);
}
std::uint32_t Pending::next_of_key(std::uint32_t number) const noexcept {
    return from(pool_[number].next_of_key, pool_[number].claim.key());
}

}  // namespace seine::account
