// Keys of QUIC Initial packets, header masks and AES-128-GCM opening; one QuicCrypto per worker.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"

namespace seine::crypto {

using Digest256 = std::array<std::uint8_t, 32>;

// HMAC-SHA256 (RFC 2104) with both halves of the key already hashed: two block functions less for
// every message under one key. The block function is libcrypto's, the composition is ours.
struct HmacKey {
    std::array<std::uint32_t, 8> inner;
    std::array<std::uint32_t, 8> outer;
};
[[nodiscard]] HmacKey hmac_key(ByteView key) noexcept;
[[nodiscard]] Digest256 hmac(const HmacKey& key, ByteView message) noexcept;

// HKDF-SHA256 (RFC 5869). `extract` is hmac() under the salt. `expand` fills `out`, at most 8,160
// bytes, from `info` of at most kHkdfInfoBytesMax; false, and `out` untouched, past either bound.
inline constexpr std::size_t kHkdfInfoBytesMax = 128;
[[nodiscard]] bool hkdf_expand(const HmacKey& secret, ByteView info,
                               std::span<std::uint8_t> out) noexcept;
// HKDF-Expand-Label with an empty context (RFC 8446 section 7.1): `label` without "tls13 ", at most
// 32 bytes; `out` at most 255 bytes.
[[nodiscard]] bool hkdf_expand_label(const HmacKey& secret, std::string_view label,
                                     std::span<std::uint8_t> out) noexcept;

// Which salt and labels the Initial keys of a version come from.
enum class QuicSalt : std::uint8_t {
    v1,        // RFC 9001 section 5.2; drafts 33 and 34 too
    v2,        // RFC 9369 section 3.3.1
    draft_29,  // drafts 29 to 32
    draft_23,  // drafts 23 to 28
};
inline constexpr std::size_t kQuicSaltCount = 4;

enum class QuicSide : std::uint8_t { client, server };

// What protects the packets of one side (RFC 9001 section 5.1). Initial keys are no secret: whoever
// sees the first packet can compute them.
struct QuicKeys {
    std::array<std::uint8_t, 16> key;
    std::array<std::uint8_t, 12> iv;
    std::array<std::uint8_t, 16> hp;
};

// Used by one thread. Allocates in make() and nowhere else.
class QuicCrypto {
  public:
    static constexpr std::size_t kTagBytes = 16;
    static constexpr std::size_t kSampleBytes = 16;

    // Fails when libipsec-mb cannot start.
    static Result<std::unique_ptr<QuicCrypto>> make();
    ~QuicCrypto();
    QuicCrypto(const QuicCrypto&) = delete;
    QuicCrypto& operator=(const QuicCrypto&) = delete;

    // Initial keys of one side. `client_id` is the Destination Connection ID of the client's first
    // Initial (or of its first after a Retry), of any length up to 255 bytes (RFC 9001
    // section 5.2).
    [[nodiscard]] QuicKeys initial_keys(QuicSalt salt, ByteView client_id,
                                        QuicSide side) const noexcept;

    // The five bytes that hide first byte and packet number (RFC 9001 section 5.4.3).
    [[nodiscard]] std::array<std::uint8_t, 5> header_mask(
        const QuicKeys& keys, std::span<const std::uint8_t, kSampleBytes> sample) noexcept;

    // Opens `sealed` (ciphertext and tag) into `plain`, which has room for sealed.size() -
    // kTagBytes; `header` is the unprotected header as sent. False when the tag is not right or
    // `sealed` is shorter than a tag; `plain` then holds rubbish. `sealed` and `plain` may be the
    // same memory.
    [[nodiscard]] bool open(const QuicKeys& keys, std::uint64_t packet_number, ByteView header,
                            ByteView sealed, std::uint8_t* plain) noexcept;

    // The other way, for generators: `sealed` has room for plain.size() + kTagBytes.
    void seal(const QuicKeys& keys, std::uint64_t packet_number, ByteView header, ByteView plain,
              std::uint8_t* sealed) noexcept;

  private:
    struct Rooms;
    explicit QuicCrypto(std::unique_ptr<Rooms> rooms) noexcept;
    std::unique_ptr<Rooms> rooms_;
};

}  // namespace seine::crypto
