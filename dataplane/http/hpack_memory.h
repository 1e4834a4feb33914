// Bounded memory for HPACK tables: one slab per worker, buddy blocks, no malloc on the packet path.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace seine::http {

// Blocks are powers of two from kBlockBytesMin to kBlockBytesMax; a freed block joins its free
// twin, so no pattern of sizes eats the slab up. One thread.
class HpackMemory {
  public:
    static constexpr std::size_t kBlockBytesMin = 64;
    static constexpr std::size_t kBlockBytesMax = std::size_t{256} * 1024;

    // Rounded up to whole blocks of kBlockBytesMax; allocated here and never again.
    explicit HpackMemory(std::size_t slab_bytes);

    // nullptr when there is no room or `bytes` is more than kBlockBytesMax.
    void* take(std::size_t bytes) noexcept;
    void give(void* block) noexcept;
    // Size of the block behind `block`, at least what was asked for.
    [[nodiscard]] std::size_t block_bytes(const void* block) const noexcept;
    [[nodiscard]] std::size_t used_bytes() const noexcept { return used_bytes_; }
    [[nodiscard]] std::size_t slab_bytes() const noexcept { return slab_bytes_; }

  private:
    static constexpr unsigned kOrders = 13;  // 64 B << 12 = 256 KiB
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr std::uint8_t kFree = 0x80;
    struct Link {
        std::uint32_t next = kNone;
        std::uint32_t last = kNone;
    };
    Link& link(std::uint32_t unit) noexcept;
    void push_free(std::uint32_t unit, unsigned order) noexcept;
    void drop_free(std::uint32_t unit, unsigned order) noexcept;
    [[nodiscard]] std::uint32_t unit_of(const void* block) const noexcept;

    std::size_t slab_bytes_;
    std::unique_ptr<std::byte[]> slab_;
    std::unique_ptr<std::uint8_t[]> order_;  // of the block that begins at that unit, | kFree
    std::uint32_t free_[kOrders];
    std::size_t used_bytes_ = 0;
};

}  // namespace seine::http
