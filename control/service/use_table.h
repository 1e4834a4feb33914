// Items by key, looked up once or twice a flow and taken all together at a commit.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace seine::service {

// Open addressing beside one vector of items, so that an item costs no memory block of its own and
// all of them leave in one move. `Hash` spreads over all 64 bits; `KeyOf` reads an item's key.
template <typename Item, typename Key, typename Hash, typename KeyOf>
class UseTable {
  public:
    // Null when it is not here. Good until the next add() or take().
    [[nodiscard]] Item* find(const Key& key) {
        if (slots_.empty()) return nullptr;
        const std::uint64_t hash = Hash()(key);
        for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
            const Slot& slot = slots_[at];
            if (slot.item == 0) return nullptr;
            if (slot.check == check_of(hash) && KeyOf()(items_[slot.item - 1]) == key) return &items_[slot.item - 1];
        }
    }
    // In two steps before find(): its slot, then the item that is there, most likely the one; null: none.
    void fetch_slot(const Key& key) const noexcept {
        if (!slots_.empty()) __builtin_prefetch(&slots_[Hash()(key) & mask()]);
    }
    const Item* fetch_item(const Key& key) const noexcept {
        if (slots_.empty()) return nullptr;
        const std::uint32_t at = slots_[Hash()(key) & mask()].item;
        if (at == 0) return nullptr;
        const Item* const item = &items_[at - 1];
        const auto* const from = static_cast<const char*>(static_cast<const void*>(item));
        for (std::size_t byte = 0; byte < sizeof(Item); byte += 64) __builtin_prefetch(from + byte);
        return item;
    }
    // An item that is not here, whose key is `key`.
    Item& add(const Key& key, Item item) {
        if ((items_.size() + 1) * 2 > slots_.size()) grow();
        items_.push_back(std::move(item));
        put(Hash()(key), static_cast<std::uint32_t>(items_.size()));
        return items_.back();
    }
    [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
    // All items, in the order they came; the table is empty then, and goes on in the room that `out` had.
    void take_into(std::vector<Item>& out) {
        out.clear();
        items_.swap(out);
        slots_.assign(slots_.size(), Slot());
    }

  private:
    struct Slot {
        std::uint32_t check = 0;
        std::uint32_t item = 0;  // its place and one; 0: free
    };
    static std::uint32_t check_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }
    [[nodiscard]] std::size_t mask() const noexcept { return slots_.size() - 1; }
    void put(std::uint64_t hash, std::uint32_t item) {
        std::size_t at = hash & mask();
        while (slots_[at].item != 0) at = (at + 1) & mask();
        slots_[at] = {check_of(hash), item};
    }
    void grow() {
        slots_.assign(slots_.empty() ? 1024 : slots_.size() * 2, Slot());
        for (std::size_t i = 0; i < items_.size(); ++i) put(Hash()(KeyOf()(items_[i])), static_cast<std::uint32_t>(i + 1));
    }

    std::vector<Item> items_;
    std::vector<Slot> slots_;  // a power of two, at most half full
};

}  // namespace seine::service
