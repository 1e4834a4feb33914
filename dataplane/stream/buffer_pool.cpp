// The buddy allocator of BufferPool.
#include "dataplane/stream/buffer_pool.h"

#include <utility>

#include "dataplane/base/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace seine::stream {
namespace {

// Under AddressSanitizer a byte that is in no slab is out of bounds.
void guard([[maybe_unused]] const std::uint8_t* at, [[maybe_unused]] std::size_t bytes,
           [[maybe_unused]] bool closed) noexcept {
#if defined(__SANITIZE_ADDRESS__)
    if (closed) {
        __asan_poison_memory_region(at, bytes);
    } else {
        __asan_unpoison_memory_region(at, bytes);
    }
#endif
}

constexpr unsigned kTop = BufferPool::kOrderCount - 1;
constexpr std::uint32_t kTopBlocks = 1u << kTop;

}  // namespace

Result<std::unique_ptr<BufferPool>> BufferPool::make(std::size_t bytes_total) {
    std::size_t slabs = bytes_total / kSlabBytesMax;
    if (slabs == 0) slabs = 1;
    constexpr std::size_t kSlabsMax = (std::size_t{1} << 28) / kTopBlocks - 1;
    if (slabs > kSlabsMax) return Status{Code::usage, "stream buffers: at most 511 GiB"};
    auto memory = MappedMemory::make(slabs * kSlabBytesMax, "stream buffers");
    if (!memory) return memory.error();
    auto blocks = MappedMemory::make(slabs * kTopBlocks * sizeof(Block), "stream buffer index");
    if (!blocks) return blocks.error();
    return std::unique_ptr<BufferPool>(
        new BufferPool(std::move(*memory), std::move(*blocks), slabs * kSlabBytesMax));
}

BufferPool::BufferPool(MappedMemory memory, MappedMemory blocks, std::size_t bytes_total) noexcept
    : memory_(std::move(memory)),
      block_memory_(std::move(blocks)),
      blocks_(static_cast<Block*>(static_cast<void*>(block_memory_.data()))),
      bytes_total_(bytes_total),
      block_count_(static_cast<std::uint32_t>(bytes_total / kSlabBytesMin)) {
    for (std::uint32_t& head : free_) head = kNone;
}

BufferPool::~BufferPool() { guard(memory_.data(), bytes_total_, false); }

void BufferPool::link(std::uint32_t block, unsigned order) noexcept {
    const std::uint32_t next = free_[order];
    blocks_[block] = {kNone, next, static_cast<std::uint8_t>(order), 1};
    if (next != kNone) blocks_[next].prev = block;
    free_[order] = block;
}

void BufferPool::unlink(std::uint32_t block, unsigned order) noexcept {
    Block& gone = blocks_[block];
    SEINE_ASSERT(gone.free == 1 && gone.order == order);
    if (gone.prev == kNone) {
        free_[order] = gone.next;
    } else {
        blocks_[gone.prev].next = gone.next;
    }
    if (gone.next != kNone) blocks_[gone.next].prev = gone.prev;
    gone.free = 0;
}

Slab BufferPool::take(unsigned order) noexcept {
    SEINE_ASSERT(order < kOrderCount);
    const std::size_t used = bytes_used_ + slab_bytes(order);
    if (used > bytes_total_) return {};
    if (order > kOrderSmallMax && used > bytes_total_ - bytes_total_ / 4) return {};
    unsigned found = order;
    while (found < kOrderCount && free_[found] == kNone) ++found;
    std::uint32_t block = fresh_;
    if (found < kOrderCount) {
        block = free_[found];
        unlink(block, found);
    } else {
        if (fresh_ == block_count_) return {};
        fresh_ += kTopBlocks;
        found = kTop;
        guard(memory_.data() + block * kSlabBytesMin, kSlabBytesMax, true);
    }
    while (found > order) {
        --found;
        link(block + (1u << found), found);
    }
    bytes_used_ = used;
    const Slab slab(block, order);
    guard(data(slab), bytes(slab), false);
    return slab;
}

void BufferPool::give(Slab& slab) noexcept {
    if (slab.empty()) return;
    unsigned order = slab.order();
    std::uint32_t block = slab.block();
    SEINE_ASSERT(block < fresh_ && blocks_[block].free == 0 && bytes_used_ >= slab_bytes(order));
    guard(data(slab), bytes(slab), true);
    bytes_used_ -= slab_bytes(order);
    slab = {};
    for (; order < kTop; ++order) {
        const std::uint32_t buddy = block ^ (1u << order);
        if (blocks_[buddy].free == 0 || blocks_[buddy].order != order) break;
        unlink(buddy, order);
        block &= ~(1u << order);
    }
    link(block, order);
}

}  // namespace seine::stream
