// Bounded pool of byte slabs, 2 KiB to 512 KiB, for bytes that must outlive their frame.
#pragma once
#include <cstdint>
#include <memory>

#include "dataplane/base/bytes.h"
#include "dataplane/base/mapped_memory.h"
#include "dataplane/base/status.h"

namespace seine::stream {

// A handle to one slab; whoever holds it gives it back to the pool it came from.
class Slab {
  public:
    Slab() = default;
    [[nodiscard]] bool empty() const noexcept { return value_ == kEmpty; }
    [[nodiscard]] unsigned order() const noexcept { return value_ & kOrderMask; }
    friend bool operator==(Slab, Slab) = default;

  private:
    friend class BufferPool;
    static constexpr std::uint32_t kEmpty = 0xffffffff;
    static constexpr std::uint32_t kOrderMask = 15;
    Slab(std::uint32_t block, unsigned order) noexcept : value_(block << 4 | order) {}
    [[nodiscard]] std::uint32_t block() const noexcept { return value_ >> 4; }
    std::uint32_t value_ = kEmpty;
};

// A buddy allocator over one mapping: a slab of order k has 2 KiB << k bytes. Taking splits and giving
// joins at most kOrderCount - 1 times, so both are bounded; nothing is allocated after make(). One
// thread. The last quarter of the pool is closed to slabs above 32 KiB, so that a few flows with far
// gaps cannot take the small slabs from all others.
class BufferPool {
  public:
    static constexpr unsigned kOrderCount = 9;
    static constexpr std::size_t kSlabBytesMin = 2048;
    static constexpr std::size_t kSlabBytesMax = kSlabBytesMin << (kOrderCount - 1);
    static constexpr unsigned kOrderSmallMax = 4;

    // `bytes_total` is rounded down to whole slabs of kSlabBytesMax, at least one.
    static Result<std::unique_ptr<BufferPool>> make(std::size_t bytes_total);
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;
    ~BufferPool();

    // Smallest order whose slabs have at least `bytes`; `bytes` is at most kSlabBytesMax.
    static constexpr unsigned order_for(std::size_t bytes) noexcept {
        unsigned order = 0;
        while ((kSlabBytesMin << order) < bytes) ++order;
        return order;
    }
    static constexpr std::size_t slab_bytes(unsigned order) noexcept { return kSlabBytesMin << order; }

    // An empty handle when the pool is exhausted. The bytes are whatever the last holder left.
    Slab take(unsigned order) noexcept;
    // `slab` becomes empty; an empty one is fine.
    void give(Slab& slab) noexcept;

    [[nodiscard]] std::uint8_t* data(Slab slab) const noexcept {
        return memory_.data() + std::size_t{slab.block()} * kSlabBytesMin;
    }
    [[nodiscard]] static std::size_t bytes(Slab slab) noexcept {
        return slab.empty() ? 0 : slab_bytes(slab.order());
    }
    [[nodiscard]] std::size_t bytes_used() const noexcept { return bytes_used_; }
    [[nodiscard]] std::size_t bytes_total() const noexcept { return bytes_total_; }

  private:
    // State of the smallest block that begins a slab or a free run; `order` is valid with it.
    struct Block {
        std::uint32_t prev;
        std::uint32_t next;
        std::uint8_t order;
        std::uint8_t free;
    };
    static constexpr std::uint32_t kNone = 0xffffffff;

    BufferPool(MappedMemory memory, MappedMemory blocks, std::size_t bytes_total) noexcept;
    void link(std::uint32_t block, unsigned order) noexcept;
    void unlink(std::uint32_t block, unsigned order) noexcept;

    MappedMemory memory_;
    MappedMemory block_memory_;
    Block* blocks_ = nullptr;
    std::size_t bytes_total_ = 0;
    std::size_t bytes_used_ = 0;
    std::uint32_t fresh_ = 0;      // first block never handed out; always begins a largest slab
    std::uint32_t block_count_ = 0;
    std::uint32_t free_[kOrderCount];
};

// What a buffer works with: the pool and its own bounds. Passed to every call, kept by none.
struct Room {
    BufferPool* pool = nullptr;
    std::uint32_t bytes_max = 256 * 1024;  // window from the base on; at most kSlabBytesMax / 2
    std::uint32_t segments_max = 512;      // disjoint runs held; at most 512
};

}  // namespace seine::stream
