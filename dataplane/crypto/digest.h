// SHA-256 and MD5 of short strings by libcrypto, without allocation per call.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "dataplane/base/bytes.h"

namespace seine::crypto {

// Digests of texts that come again and again, found by the whole text: what equals a remembered one byte for byte need not
// be hashed again. Two texts with the same keyed hash stay beside each other; of three, the one that was not used last goes.
class KnownTexts {
  public:
    static constexpr std::size_t kTextBytesMax = 302;  // longer ones are not remembered
    using Digest = std::array<std::uint8_t, 16>;       // the first bytes of it

    // Room for `count` texts, rounded up to a power of two.
    KnownTexts(std::uint32_t count, std::uint64_t seed);
    // The digest of `text`; `make(text, Digest&)` is called when it is not known.
    template <typename Make>
    [[nodiscard]] Digest find(std::string_view text, Make&& make) noexcept;
    [[nodiscard]] std::uint64_t known() const noexcept { return known_; }
    [[nodiscard]] std::uint64_t made() const noexcept { return made_; }

  private:
    struct Entry {
        std::uint16_t text_bytes;  // 0: none
        Digest digest;
        char text[kTextBytesMax];
    };
    static_assert(sizeof(Entry) == 320);
    [[nodiscard]] std::uint64_t place_of(std::string_view text) const noexcept;

    std::unique_ptr<Entry[]> entries_;        // pairs
    std::unique_ptr<std::uint8_t[]> latest_;  // which of a pair was used last
    std::uint64_t mask_;                      // of pairs
    std::uint64_t seed_;
    std::uint64_t known_ = 0;
    std::uint64_t made_ = 0;
};

// One per worker; used by one thread. Allocates when it is made, and nothing afterwards.
class Digester {
  public:
    // `known_count` texts of either digest are remembered, by a hash that `seed` keys.
    explicit Digester(std::uint32_t known_count = 512, std::uint64_t seed = 0)
        : sha256_texts_(known_count, seed), md5_texts_(known_count, seed) {}

    using Sha256 = std::array<std::uint8_t, 32>;
    using Md5 = std::array<std::uint8_t, 16>;

    void sha256(ByteView bytes, Sha256& out) noexcept;
    void sha256(std::string_view text, Sha256& out) noexcept { sha256(as_bytes(text), out); }
    void md5(ByteView bytes, Md5& out) noexcept;
    void md5(std::string_view text, Md5& out) noexcept { md5(as_bytes(text), out); }
    // The digest of the parts put behind each other.
    void sha256(std::span<const std::string_view> parts, Sha256& out) noexcept;
    void md5(std::span<const std::string_view> parts, Md5& out) noexcept;

    // The same of texts that come again and again: lists of code points, names of headers. Never for values: what is
    // remembered stays in memory. Of SHA-256 the first sixteen bytes.
    [[nodiscard]] KnownTexts::Digest known_sha256(std::string_view text) noexcept;
    [[nodiscard]] Md5 known_md5(std::string_view text) noexcept;
    // Of those two: texts that were remembered, and that were hashed.
    [[nodiscard]] std::uint64_t known() const noexcept { return sha256_texts_.known() + md5_texts_.known(); }
    [[nodiscard]] std::uint64_t hashed() const noexcept { return sha256_texts_.made() + md5_texts_.made(); }

  private:
    KnownTexts sha256_texts_;
    KnownTexts md5_texts_;
};

}  // namespace seine::crypto
