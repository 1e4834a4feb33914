// SHA-256 and MD5 of short strings by libcrypto, without allocation per call.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "dataplane/base/bytes.h"

namespace seine::crypto {

// One per worker; used by one thread. Allocates nothing.
class Digester {
  public:
    using Sha256 = std::array<std::uint8_t, 32>;
    using Md5 = std::array<std::uint8_t, 16>;

    void sha256(ByteView bytes, Sha256& out) noexcept;
    void sha256(std::string_view text, Sha256& out) noexcept { sha256(as_bytes(text), out); }
    void md5(ByteView bytes, Md5& out) noexcept;
    void md5(std::string_view text, Md5& out) noexcept { md5(as_bytes(text), out); }
    // The digest of the parts put behind each other.
    void sha256(std::span<const std::string_view> parts, Sha256& out) noexcept;
    void md5(std::span<const std::string_view> parts, Md5& out) noexcept;
};

}  // namespace seine::crypto
