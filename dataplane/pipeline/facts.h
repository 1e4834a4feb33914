// What a flow has learned and not yet told: typed strings in wire form, kept until the next record.
#pragma once
#include <memory>
#include <span>

#include "dataplane/base/bytes.h"
#include "dataplane/base/mapped_memory.h"
#include "dataplane/base/status.h"
#include "dataplane/contract/frame.h"

namespace seine::pipeline {

// Fixed buffers for facts, all reserved at start; the kernel backs a page when it is first written.
class FactsPool {
  public:
    static constexpr std::uint32_t kNone = 0xffffffff;
    // `slab_bytes` each for `slab_count` flows at a time.
    static Result<std::unique_ptr<FactsPool>> make(std::size_t slab_bytes, std::uint32_t slab_count);

    // kNone when all are in use.
    std::uint32_t take() noexcept;
    void give_back(std::uint32_t slab) noexcept;
    [[nodiscard]] std::span<std::uint8_t> at(std::uint32_t slab) const noexcept {
        return {memory_.data() + std::size_t{slab} * slab_bytes_, slab_bytes_};
    }

  private:
    FactsPool(MappedMemory memory, std::size_t slab_bytes, std::uint32_t slab_count) noexcept
        : memory_(std::move(memory)), slab_bytes_(slab_bytes), slab_count_(slab_count) {}

    MappedMemory memory_;
    std::size_t slab_bytes_;
    std::uint32_t slab_count_;
    std::uint32_t fresh_ = 0;       // slabs never used yet begin here
    std::uint32_t free_ = kNone;    // a list through the first four bytes of returned slabs
};

// One flow's facts. The slab is taken with the first fact; a fact that finds no room is refused.
struct Facts {
    std::uint32_t slab = FactsPool::kNone;
    std::uint32_t used = 0;

    [[nodiscard]] bool text(FactsPool& pool, contract::Field field, std::string_view value) noexcept {
        std::size_t end = used;
        if (!ready(pool) || !contract::encode_text(pool.at(slab), end, field, value)) return false;
        used = static_cast<std::uint32_t>(end);
        return true;
    }
    [[nodiscard]] bool hex64(FactsPool& pool, contract::Field field, std::uint64_t value) noexcept {
        std::size_t end = used;
        if (!ready(pool) || !contract::encode_hex64(pool.at(slab), end, field, value)) return false;
        used = static_cast<std::uint32_t>(end);
        return true;
    }
    [[nodiscard]] bool u16(FactsPool& pool, contract::Field field, std::uint16_t value) noexcept {
        std::size_t end = used;
        if (!ready(pool) || !contract::encode_u16(pool.at(slab), end, field, value)) return false;
        used = static_cast<std::uint32_t>(end);
        return true;
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
    bool ready(FactsPool& pool) noexcept {
        if (slab == FactsPool::kNone) slab = pool.take();
        return slab != FactsPool::kNone;
    }
};

}  // namespace seine::pipeline
