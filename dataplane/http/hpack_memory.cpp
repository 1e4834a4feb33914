// Buddy blocks over one slab: split on the way out, joined on the way in.
#include "dataplane/http/hpack_memory.h"

#include <bit>
#include <new>

#include "dataplane/base/assert.h"

namespace seine::http {
namespace {

// Smallest order whose block holds `bytes`.
unsigned order_for(std::size_t bytes) noexcept {
    const std::size_t units =
        (bytes + HpackMemory::kBlockBytesMin - 1) / HpackMemory::kBlockBytesMin;
    return units <= 1 ? 0 : static_cast<unsigned>(std::bit_width(units - 1));
}

}  // namespace

HpackMemory::HpackMemory(std::size_t slab_bytes)
    : slab_bytes_((slab_bytes + kBlockBytesMax - 1) / kBlockBytesMax * kBlockBytesMax),
      slab_(std::make_unique_for_overwrite<std::byte[]>(slab_bytes_)),
      order_(std::make_unique<std::uint8_t[]>(slab_bytes_ / kBlockBytesMin)) {
    static_assert(kBlockBytesMin << (kOrders - 1) == kBlockBytesMax);
    SEINE_CHECK(slab_bytes_ / kBlockBytesMin < kNone);
    for (std::uint32_t& head : free_) head = kNone;
    constexpr std::uint32_t kStep = kBlockBytesMax / kBlockBytesMin;
    const auto units = static_cast<std::uint32_t>(slab_bytes_ / kBlockBytesMin);
    for (std::uint32_t unit = units; unit >= kStep; unit -= kStep)
        push_free(unit - kStep, kOrders - 1);
}

// A free block's first bytes hold its place in the list of its order.
HpackMemory::Link& HpackMemory::link(std::uint32_t unit) noexcept {
    return *std::launder(
        reinterpret_cast<Link*>(slab_.get() + unit * kBlockBytesMin));  // NOLINT: own slab
}

void HpackMemory::push_free(std::uint32_t unit, unsigned order) noexcept {
    new (slab_.get() + unit * kBlockBytesMin) Link{free_[order], kNone};
    if (free_[order] != kNone) link(free_[order]).last = unit;
    free_[order] = unit;
    order_[unit] = static_cast<std::uint8_t>(order | kFree);
}

void HpackMemory::drop_free(std::uint32_t unit, unsigned order) noexcept {
    const Link at = link(unit);
    if (at.last == kNone) {
        free_[order] = at.next;
    } else {
        link(at.last).next = at.next;
    }
    if (at.next != kNone) link(at.next).last = at.last;
    order_[unit] = static_cast<std::uint8_t>(order);
}

std::uint32_t HpackMemory::unit_of(const void* block) const noexcept {
    const auto offset =
        static_cast<std::size_t>(static_cast<const std::byte*>(block) - slab_.get());
    SEINE_ASSERT(offset < slab_bytes_ && offset % kBlockBytesMin == 0);
    return static_cast<std::uint32_t>(offset / kBlockBytesMin);
}

std::size_t HpackMemory::block_bytes(const void* block) const noexcept {
    return kBlockBytesMin << order_[unit_of(block)];
}

void* HpackMemory::take(std::size_t bytes) noexcept {
    if (bytes > kBlockBytesMax) return nullptr;
    const unsigned wanted = order_for(bytes);
    unsigned order = wanted;
    while (order < kOrders && free_[order] == kNone) ++order;
    if (order == kOrders) return nullptr;
    const std::uint32_t unit = free_[order];
    drop_free(unit, order);
    while (order > wanted) {
        --order;
        push_free(unit + (std::uint32_t{1} << order), order);
    }
    order_[unit] = static_cast<std::uint8_t>(wanted);
    used_bytes_ += kBlockBytesMin << wanted;
    return slab_.get() + unit * kBlockBytesMin;
}

void HpackMemory::give(void* block) noexcept {
    if (block == nullptr) return;
    std::uint32_t unit = unit_of(block);
    SEINE_ASSERT((order_[unit] & kFree) == 0);
    unsigned order = order_[unit];
    used_bytes_ -= kBlockBytesMin << order;
    while (order < kOrders - 1) {
        const std::uint32_t twin = unit ^ (std::uint32_t{1} << order);
        if (order_[twin] != (order | kFree)) break;
        drop_free(twin, order);
        unit = unit < twin ? unit : twin;
        ++order;
    }
    push_free(unit, order);
}

}  // namespace seine::http
