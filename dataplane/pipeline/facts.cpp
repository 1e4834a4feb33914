#include "dataplane/pipeline/facts.h"

namespace seine::pipeline {

Result<std::unique_ptr<FactsPool>> FactsPool::make(std::size_t slab_bytes, std::uint32_t slab_count) {
    auto memory = MappedMemory::make(slab_bytes * slab_count, "facts of flows");
    if (!memory) return memory.error();
    return std::unique_ptr<FactsPool>(
        new FactsPool(std::move(memory).value(), slab_bytes, slab_count));
}

std::uint32_t FactsPool::take() noexcept {
    if (free_ != kNone) {
        const std::uint32_t slab = free_;
        std::memcpy(&free_, at(slab).data(), sizeof free_);
        return slab;
    }
    return fresh_ < slab_count_ ? fresh_++ : kNone;
}

void FactsPool::give_back(std::uint32_t slab) noexcept {
    SEINE_ASSERT(slab < fresh_);
    std::memcpy(at(slab).data(), &free_, sizeof free_);
    free_ = slab;
}

}  // namespace seine::pipeline
