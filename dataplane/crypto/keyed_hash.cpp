// SipHash-2-4 through libsodium's crypto_shorthash.
#include "dataplane/crypto/keyed_hash.h"

#include <sodium/crypto_shorthash.h>

#include <algorithm>

namespace seine::crypto {

static_assert(KeyedHash::kKeyBytes == crypto_shorthash_KEYBYTES);
static_assert(crypto_shorthash_BYTES == 8);

KeyedHash::KeyedHash(std::span<const std::uint8_t, kKeyBytes> key) noexcept {
    std::copy(key.begin(), key.end(), key_.begin());
}

std::uint64_t KeyedHash::operator()(ByteView bytes) const noexcept {
    std::uint8_t hash[crypto_shorthash_BYTES];
    // Fails never: it is arithmetic over `bytes`.
    crypto_shorthash(hash, bytes.data(), bytes.size(), key_.data());
    return load_le64(hash);
}

}  // namespace seine::crypto
