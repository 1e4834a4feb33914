// What a flow has learned and not yet told: typed strings in wire form, kept until the next record.
#pragma once
#include <memory>
#include <span>

#include "dataplane/base/bytes.h"
#include "dataplane/base/mapped_memory.h"
#include "dataplane/base/status.h"
#include "dataplane/contract/frame.h"

namespace seine::pipeline {

// Fixed buffers for facts, all reserved at start; the kernel backs a page when it is first written. Nearly all flows stay
// within a small slab, the last given back first again; one that outgrows it moves to one of the few large slabs.
class FactsPool {
  public:
    static constexpr std::uint32_t kNone = 0xffffffff;
    // `bytes` each for `count` flows at a time.
    struct Plan {
        std::size_t bytes = 0;
        std::uint32_t count = 0;
    };
    static Result<std::unique_ptr<FactsPool>> make(const Plan& small, const Plan& large);

    // kNone when all are in use.
    std::uint32_t take() noexcept { return small_.take(); }
    // A large slab that begins with the first `used` bytes of a small one, which is given back; kNone, and nothing changed,
    // when it is large already or no large one is left.
    std::uint32_t enlarge(std::uint32_t slab, std::size_t used) noexcept;
    void give_back(std::uint32_t slab) noexcept;
    [[nodiscard]] std::span<std::uint8_t> at(std::uint32_t slab) const noexcept {
        return (slab & kLarge) == 0 ? small_.at(slab) : large_.at(slab & ~kLarge);
    }
    // Asks for bytes `first` to `end` of a slab, kNone or not, as far as is reasonable.
    void prefetch(std::uint32_t slab, std::size_t first, std::size_t end) const noexcept {
        if (slab == kNone) return;
        constexpr std::size_t kLine = 64;
        constexpr std::size_t kAheadMax = 1024;
        end = end - first > kAheadMax ? first + kAheadMax : end;
        const std::uint8_t* bytes = at(slab).data();
        for (std::size_t line = first / kLine * kLine; line < end; line += kLine) __builtin_prefetch(bytes + line);
    }

  private:
    static constexpr std::uint32_t kLarge = 0x80000000;

    // Slabs of one size.
    struct Slabs {
        MappedMemory memory;
        std::size_t bytes = 0;
        std::uint32_t count = 0;
        std::uint32_t fresh = 0;     // slabs never used yet begin here
        std::uint32_t free = kNone;  // a list through the first four bytes of returned slabs

        std::uint32_t take() noexcept;
        void give_back(std::uint32_t slab) noexcept;
        [[nodiscard]] std::span<std::uint8_t> at(std::uint32_t slab) const noexcept {
            return {memory.data() + std::size_t{slab} * bytes, bytes};
        }
    };
    FactsPool() = default;
    static Status make(const Plan& plan, Slabs& out);

    Slabs small_;
    Slabs large_;
};

// One flow's facts. The slab is taken with the first fact; a fact that finds no room is refused.
struct Facts {
    std::uint32_t slab = FactsPool::kNone;
    std::uint32_t used = 0;

    [[nodiscard]] bool text(FactsPool& pool, contract::Field field, std::string_view value) noexcept {
        return put(pool, [&](std::span<std::uint8_t> room, std::size_t& end) {
            return contract::encode_text(room, end, field, value);
        });
    }
    [[nodiscard]] bool hex64(FactsPool& pool, contract::Field field, std::uint64_t value) noexcept {
        return put(pool, [&](std::span<std::uint8_t> room, std::size_t& end) {
            return contract::encode_hex64(room, end, field, value);
        });
    }
    [[nodiscard]] bool u16(FactsPool& pool, contract::Field field, std::uint16_t value) noexcept {
        return put(pool, [&](std::span<std::uint8_t> room, std::size_t& end) {
            return contract::encode_u16(room, end, field, value);
        });
    }
    [[nodiscard]] ByteView view(const FactsPool& pool) const noexcept {
        return used == 0 ? ByteView{} : ByteView(pool.at(slab).first(used));
    }
    // Told: the slab goes back.
    void clear(FactsPool& pool) noexcept {
        if (slab != FactsPool::kNone) pool.give_back(slab);
        slab = FactsPool::kNone;
        used = 0;
    }

  private:
    template <typename Encode>
    bool put(FactsPool& pool, Encode&& encode) noexcept {
        if (slab == FactsPool::kNone) slab = pool.take();
        if (slab == FactsPool::kNone) return false;
        std::size_t end = used;
        if (!encode(pool.at(slab), end)) [[unlikely]] {
            const std::uint32_t larger = pool.enlarge(slab, used);
            if (larger == FactsPool::kNone) return false;
            slab = larger;
            if (!encode(pool.at(slab), end)) return false;
        }
        used = static_cast<std::uint32_t>(end);
        return true;
    }
};

}  // namespace seine::pipeline
