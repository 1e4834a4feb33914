// SHA-256 and MD5 through libcrypto's low-level functions.
//
// libcrypto 3 marks them deprecated in favour of EVP, and they still are its quickest way to a short
// digest: the state lives on our stack, nothing is fetched, locked or allocated. A reused EVP_MD_CTX with
// a fetched digest costs about 25 ns more for each of a hello's two lists (platform.md section 8).
#define OPENSSL_SUPPRESS_DEPRECATED  // NOLINT
#include "dataplane/crypto/digest.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <openssl/md5.h>
#include <openssl/sha.h>

#include "dataplane/base/hash.h"

namespace seine::crypto {

static_assert(sizeof(Digester::Sha256) == SHA256_DIGEST_LENGTH);
static_assert(sizeof(Digester::Md5) == MD5_DIGEST_LENGTH);

KnownTexts::KnownTexts(std::uint32_t count, std::uint64_t seed)
    : entries_(std::make_unique<Entry[]>(std::bit_ceil(std::max(count, 2u)))),
      latest_(std::make_unique<std::uint8_t[]>(std::bit_ceil(std::max(count, 2u)) / 2)),
      mask_(std::bit_ceil(std::max(count, 2u)) / 2 - 1),
      seed_(seed) {}

std::uint64_t KnownTexts::place_of(std::string_view text) const noexcept {
    return hash64(as_bytes(text), seed_) & mask_;
}

template <typename Make>
KnownTexts::Digest KnownTexts::find(std::string_view text, Make&& make) noexcept {
    Digest fresh;
    if (text.empty() || text.size() > kTextBytesMax) {
        ++made_;
        make(text, fresh);
        return fresh;
    }
    const std::uint64_t place = place_of(text);
    Entry* const pair = &entries_[2 * place];
    for (std::uint8_t i = 0; i < 2; ++i) {
        const Entry& entry = pair[i];
        if (entry.text_bytes != text.size() || std::memcmp(entry.text, text.data(), text.size()) != 0) continue;
        ++known_;
        latest_[place] = i;
        return entry.digest;
    }
    ++made_;
    make(text, fresh);
    latest_[place] ^= 1;
    Entry& entry = pair[latest_[place]];
    entry.digest = fresh;
    std::memcpy(entry.text, text.data(), text.size());
    entry.text_bytes = static_cast<std::uint16_t>(text.size());
    return fresh;
}

KnownTexts::Digest Digester::known_sha256(std::string_view text) noexcept {
    return sha256_texts_.find(text, [this](std::string_view whole, KnownTexts::Digest& out) {
        Sha256 digest;
        sha256(whole, digest);
        std::copy_n(digest.begin(), out.size(), out.begin());
    });
}

Digester::Md5 Digester::known_md5(std::string_view text) noexcept {
    return md5_texts_.find(text, [this](std::string_view whole, Md5& out) { md5(whole, out); });
}

// The functions below answer 1 always: they keep no state outside `hash` and have nothing to fail on.
void Digester::sha256(ByteView bytes, Sha256& out) noexcept {
    SHA256_CTX hash;
    SHA256_Init(&hash);
    SHA256_Update(&hash, bytes.data(), bytes.size());
    SHA256_Final(out.data(), &hash);
}

void Digester::sha256(std::span<const std::string_view> parts, Sha256& out) noexcept {
    SHA256_CTX hash;
    SHA256_Init(&hash);
    for (const std::string_view part : parts) SHA256_Update(&hash, part.data(), part.size());
    SHA256_Final(out.data(), &hash);
}

void Digester::md5(ByteView bytes, Md5& out) noexcept {
    MD5_CTX hash;
    MD5_Init(&hash);
    MD5_Update(&hash, bytes.data(), bytes.size());
    MD5_Final(out.data(), &hash);
}

void Digester::md5(std::span<const std::string_view> parts, Md5& out) noexcept {
    MD5_CTX hash;
    MD5_Init(&hash);
    for (const std::string_view part : parts) MD5_Update(&hash, part.data(), part.size());
    MD5_Final(out.data(), &hash);
}

}  // namespace seine::crypto
