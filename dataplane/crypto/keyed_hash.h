// SipHash-2-4 by libsodium: session evidence and tags, which must tell nothing without the key.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "dataplane/base/bytes.h"

namespace seine::crypto {

// Equal bytes give equal values under one key; without the key a value tells nothing about them.
class KeyedHash {
  public:
    static constexpr std::size_t kKeyBytes = 16;

    explicit KeyedHash(std::span<const std::uint8_t, kKeyBytes> key) noexcept;
    // SipHash-2-4, its eight bytes read as a little-endian number. Allocates nothing; any thread.
    [[nodiscard]] std::uint64_t operator()(ByteView bytes) const noexcept;

  private:
    std::array<std::uint8_t, kKeyBytes> key_;
};

}  // namespace seine::crypto
