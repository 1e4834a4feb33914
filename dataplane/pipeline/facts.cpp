#include "dataplane/pipeline/facts.h"

#include <sys/mman.h>

#include <new>

namespace seine::pipeline {

FactsPool::FactsPool(std::size_t slab_bytes, std::uint32_t slab_count)
    : slab_bytes_(slab_bytes), slab_count_(slab_count) {
    void* memory = mmap(nullptr, slab_bytes_ * slab_count_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    SEINE_CHECK(memory != MAP_FAILED);
    // Facts never hold a secret, but in --raw mode they hold header values: not for a core dump.
    madvise(memory, slab_bytes_ * slab_count_, MADV_DONTDUMP);
    memory_ = static_cast<std::uint8_t*>(memory);
}

FactsPool::~FactsPool() { munmap(memory_, slab_bytes_ * slab_count_); }

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
