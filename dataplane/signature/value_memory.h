// What the databases said of a value, for when the value comes again: agents, header orders and fingerprints repeat.
#pragma once
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/base/hash.h"

namespace seine::signature {

// One worker's. The text itself is kept and compared, so a value is never taken for another. A field whose values do
// not repeat is not looked up for a while, and costs a comparison. Allocates at start only.
class ValueMemory {
  public:
    static constexpr std::size_t kEntries = 512;
    static constexpr std::size_t kFactsMax = 7;
    static constexpr std::size_t kTextMax = 238;  // longer values are scanned each time
    static constexpr std::uint32_t kLooks = 1024;     // after so many looks of a field it is judged
    static constexpr std::uint32_t kFoundMin = 256;   // and rests when fewer than these were found
    static constexpr std::uint32_t kRest = 1u << 16;  // for so many values

    struct Entry {
        std::uint16_t slot = kNoSlot;
        std::uint8_t length = 0;
        std::uint8_t fact_count = 0;
        std::uint16_t facts[kFactsMax] = {};  // in the order they were found
        char text[kTextMax] = {};

        // False: more than fit, so the value cannot be remembered.
        bool add(std::uint16_t fact) noexcept {
            for (std::uint8_t i = 0; i < fact_count; ++i)
                if (facts[i] == fact) return true;
            if (fact_count == kFactsMax) return false;
            facts[fact_count++] = fact;
            return true;
        }
        void forget() noexcept { slot = kNoSlot; }
    };
    static_assert(sizeof(Entry) == 256);

    ValueMemory(std::size_t slots, std::uint64_t seed)
        : entries_(std::make_unique<Entry[]>(kEntries)), fields_(slots), seed_(seed) {}

    // No value is remembered: for measuring what a scan costs.
    void rest_for_good() noexcept {
        for (Field& field : fields_) field.rest = ~std::uint32_t{0};
    }

    // Where this value is or would be; nullptr: not remembered (too long, or its field rests).
    Entry* place(std::uint16_t slot, std::string_view value) noexcept {
        Field& field = fields_[slot];
        if (field.rest > 0) {
            --field.rest;
            return nullptr;
        }
        if (value.size() > kTextMax) return nullptr;
        return &entries_[hash64(as_bytes(value), seed_ + slot) % kEntries];
    }
    bool holds(const Entry& entry, std::uint16_t slot, std::string_view value) noexcept {
        Field& field = fields_[slot];
        const bool yes = entry.slot == slot && entry.length == value.size() &&
                         std::memcmp(entry.text, value.data(), value.size()) == 0;
        field.found += yes ? 1 : 0;
        found_ += yes ? 1 : 0;
        if (++field.looks == kLooks) {
            if (field.found < kFoundMin) field.rest = kRest;
            field.looks = field.found = 0;
        }
        return yes;
    }
    static void begin(Entry& entry, std::uint16_t slot, std::string_view value) noexcept {
        entry.slot = slot;
        entry.length = static_cast<std::uint8_t>(value.size());
        entry.fact_count = 0;
        std::memcpy(entry.text, value.data(), value.size());
    }

    // Values that needed no scan so far.
    [[nodiscard]] std::uint64_t found() const noexcept { return found_; }

  private:
    static constexpr std::uint16_t kNoSlot = 0xffff;
    struct Field {
        std::uint32_t looks = 0;
        std::uint32_t found = 0;
        std::uint32_t rest = 0;
    };
    std::unique_ptr<Entry[]> entries_;
    std::vector<Field> fields_;
    std::uint64_t seed_;
    std::uint64_t found_ = 0;
};

}  // namespace seine::signature
