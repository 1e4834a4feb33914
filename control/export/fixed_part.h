// The numbers of a record, copied once so that each is one load and a mask.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>

#include "dataplane/base/bytes.h"
#include "dataplane/contract/frame.h"

namespace seine::siem {

struct FixedPlace {
    static constexpr std::uint16_t kAbsent = 128;  // a bit that is never set
    std::uint64_t mask = 0;
    std::uint16_t offset = 0;
    std::uint16_t bit = kAbsent;
};
inline constexpr auto kFixedPlaces = [] {
    std::array<FixedPlace, contract::kFieldCount> out{};
    for (std::size_t i = 0; i < out.size(); ++i) {
        const contract::Slot slot = contract::kFixedLayout.slots[i];
        const std::size_t bytes = contract::value_bytes(contract::kFields[i].type);
        if (slot.bit == contract::Slot::kNone || bytes > 8) continue;
        out[i] = {~std::uint64_t{0} >> (64 - 8 * bytes), slot.offset, slot.bit};
    }
    return out;
}();

// What RecordView says of fields of the fixed part, but for addresses.
class FixedPart {
  public:
    explicit FixedPart(const contract::RecordView& record) noexcept
        : presence_{record.presence[0], record.presence[1], 0} {
        // A record of an older writer ends sooner; the rest is zero.
        const std::size_t bytes = std::min(record.fixed.size(), contract::kFixedBytes);
        std::copy_n(record.fixed.begin(), bytes, bytes_.begin());
    }
    [[nodiscard]] bool has(contract::Field field) const noexcept {
        const FixedPlace at = place(field);
        return (presence_[at.bit / 64] >> (at.bit % 64) & 1) != 0;
    }
    // 0 when absent.
    [[nodiscard]] std::uint64_t get(contract::Field field) const noexcept {
        const FixedPlace at = place(field);
        return has(field) ? load_le64(bytes_.data() + at.offset) & at.mask : 0;
    }

  private:
    static constexpr const FixedPlace& place(contract::Field field) noexcept {
        return kFixedPlaces[static_cast<std::size_t>(field) - 1];
    }

    std::array<std::uint64_t, 3> presence_{};
    std::array<std::uint8_t, contract::kFixedBytes + 8> bytes_{};
};

}  // namespace seine::siem
