#include "dataplane/pipeline/facts.h"

namespace seine::pipeline {

Status FactsPool::make(const Plan& plan, Slabs& out) {
    if (plan.count == 0) return {};
    auto memory = MappedMemory::make(plan.bytes * plan.count, "facts of flows");
    if (!memory) return memory.error();
    // Slabs of raw forms are large and nearly empty: with huge pages every eighth would cost two megabytes.
    constexpr std::size_t kLargeSlab = std::size_t{64} * 1024;
    if (plan.bytes >= kLargeSlab) static_cast<void>(::madvise(memory->data(), memory->bytes(), MADV_NOHUGEPAGE));
    out.memory = std::move(*memory);
    out.bytes = plan.bytes;
    out.count = plan.count;
    return {};
}

Result<std::unique_ptr<FactsPool>> FactsPool::make(const Plan& small, const Plan& large) {
    std::unique_ptr<FactsPool> pool(new FactsPool());
    Status made = make(small, pool->small_);
    if (made.ok()) made = make(large, pool->large_);
    if (!made.ok()) return made;
    return pool;
}

std::uint32_t FactsPool::Slabs::take() noexcept {
    if (free != kNone) {
        const std::uint32_t slab = free;
        std::memcpy(&free, at(slab).data(), sizeof free);
        return slab;
    }
    return fresh < count ? fresh++ : kNone;
}

void FactsPool::Slabs::give_back(std::uint32_t slab) noexcept {
    SEINE_ASSERT(slab < fresh);
    std::memcpy(at(slab).data(), &free, sizeof free);
    free = slab;
}

std::uint32_t FactsPool::enlarge(std::uint32_t slab, std::size_t used) noexcept {
    if ((slab & kLarge) != 0) return kNone;
    const std::uint32_t large = large_.take();
    if (large == kNone) return kNone;
    SEINE_ASSERT(used <= small_.bytes && used <= large_.bytes);
    if (used > 0) std::memcpy(large_.at(large).data(), small_.at(slab).data(), used);
    small_.give_back(slab);
    return large | kLarge;
}

void FactsPool::give_back(std::uint32_t slab) noexcept {
    (slab & kLarge) == 0 ? small_.give_back(slab) : large_.give_back(slab & ~kLarge);
}

}  // namespace seine::pipeline
