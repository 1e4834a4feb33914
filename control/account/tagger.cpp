#include "control/account/tagger.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "dataplane/base/assert.h"
#include "dataplane/crypto/keyed_hash.h"

namespace seine::account {
namespace {

constexpr std::size_t kNameBytesMax = 1024;

// Longer names are told apart by their first kNameBytesMax bytes and their length.
std::array<std::uint8_t, 16> hmac(const std::uint8_t* key, std::string_view domain,
                                  std::string_view name) {
    std::array<std::uint8_t, 16 + kNameBytesMax> message;
    std::size_t bytes = domain.size();
    std::memcpy(message.data(), domain.data(), bytes);
    message[bytes++] = 0;
    const std::size_t taken = std::min(name.size(), kNameBytesMax);
    std::memcpy(message.data() + bytes, name.data(), taken);
    bytes += taken;
    if (taken != name.size()) {
        const std::uint32_t length = static_cast<std::uint32_t>(name.size());
        std::memcpy(message.data() + bytes - sizeof length, &length, sizeof length);
    }
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned digest_bytes = 0;
    // libcrypto wipes its own copies.
    const auto* made = HMAC(EVP_sha256(), key, static_cast<int>(TagKeys::kTagKeyBytes),
                            message.data(), bytes, digest.data(), &digest_bytes);
    wipe(message.data(), message.size());
    SEINE_CHECK(made != nullptr && digest_bytes == 32);
    std::array<std::uint8_t, 16> tag{};
    std::copy_n(digest.begin(), tag.size(), tag.begin());
    return tag;
}

std::uint64_t siphash(const std::uint8_t* key, ByteView bytes) noexcept {
    // A KeyedHash is its key: it is wiped like one.
    crypto::KeyedHash hash{std::span<const std::uint8_t, crypto::KeyedHash::kKeyBytes>(
        key, crypto::KeyedHash::kKeyBytes)};
    const std::uint64_t value = hash(bytes);
    static_assert(std::is_trivially_destructible_v<crypto::KeyedHash>);
    wipe(static_cast<void*>(&hash), sizeof hash);
    return value;
}

}  // namespace

model::AccountTag Tagger::account(std::string_view name) const {
    return {hmac(epoch_->tag_key, "acct", name)};
}
model::OrgTag Tagger::organisation(std::string_view name) const {
    return {hmac(epoch_->tag_key, "org", name)};
}
model::KeyTag Tagger::key(std::string_view key) const noexcept {
    return std::max<std::uint64_t>(1, siphash(epoch_->sip_key, as_bytes(key)));
}
model::AccountTag Tagger::account_of(model::KeyTag key) const {
    std::array<char, 8> bytes{};
    std::memcpy(bytes.data(), &key, sizeof key);
    return {hmac(epoch_->tag_key, "key", {bytes.data(), bytes.size()})};
}

std::uint64_t mac_of(const std::uint8_t* key, ByteView bytes) noexcept {
    return siphash(key, bytes);
}

bool mac_fits(const std::uint8_t* key, ByteView bytes, std::uint64_t mac) noexcept {
    // One comparison of words: nothing to time.
    return (mac_of(key, bytes) ^ mac) == 0;
}

}  // namespace seine::account
