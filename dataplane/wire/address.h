// An IP address of either version in sixteen bytes.
#pragma once
#include <cstdint>
#include <cstring>

#include "dataplane/base/bytes.h"

namespace seine::wire {

// IPv4 is kept mapped, ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), so keys have one size. An IPv6
// packet may itself carry a mapped address: where that matters, compare ip_version as well.
struct Address {
    std::uint64_t words[2];  // the bytes in network order, as loaded

    // Borrows from this address.
    [[nodiscard]] ByteView bytes() const noexcept {
        // Any object may be read as bytes.
        return {reinterpret_cast<const std::uint8_t*>(words), sizeof words};  // NOLINT
    }
    [[nodiscard]] bool is_mapped_v4() const noexcept {
        return words[0] == 0 && static_cast<std::uint32_t>(words[1]) == kMappedLow;
    }
    // The four bytes of the IPv4 address, in network order; meaningful when is_mapped_v4().
    [[nodiscard]] ByteView v4_bytes() const noexcept { return bytes().subspan(12); }

    static Address from_v4(const std::uint8_t* four) noexcept {
        return {{0, kMappedLow | (std::uint64_t{load_le32(four)} << 32)}};
    }
    static Address from_v6(const std::uint8_t* sixteen) noexcept {
        return {{load_le64(sixteen), load_le64(sixteen + 8)}};
    }
    friend bool operator==(const Address&, const Address&) = default;

  private:
    static constexpr std::uint32_t kMappedLow = 0xffff0000;  // bytes 00 00 ff ff
};
static_assert(sizeof(Address) == 16);

}  // namespace seine::wire
