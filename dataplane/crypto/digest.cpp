// SHA-256 and MD5 through libcrypto's low-level functions.
//
// libcrypto 3 marks them deprecated in favour of EVP, and they still are its quickest way to a short
// digest: the state lives on our stack, nothing is fetched, locked or allocated. A reused EVP_MD_CTX with
// a fetched digest costs about 25 ns more for each of a hello's two lists (platform.md section 8).
#define OPENSSL_SUPPRESS_DEPRECATED  // NOLINT
#include "dataplane/crypto/digest.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

namespace seine::crypto {

static_assert(sizeof(Digester::Sha256) == SHA256_DIGEST_LENGTH);
static_assert(sizeof(Digester::Md5) == MD5_DIGEST_LENGTH);

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
