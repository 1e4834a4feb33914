// SHA-1 by libcrypto's compression function: all that is hashed fits into one block, and the general
// interface costs five times what the block does.
#include "control/export/community_id.h"

#include <algorithm>
#include <array>

// Said to be replaced by that interface.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>

namespace seine::siem {
namespace {

bool is_v4_mapped(ByteView address) noexcept {
    static constexpr std::array<std::uint8_t, 12> kPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::equal(kPrefix.begin(), kPrefix.end(), address.begin());
}

}  // namespace

std::string community_id(ByteView source, ByteView target, std::uint16_t source_port,
                         std::uint16_t target_port, std::uint8_t protocol) {
    if (source.size() != 16 || target.size() != 16) return {};
    if (is_v4_mapped(source) && is_v4_mapped(target)) {
        source = source.subspan(12);
        target = target.subspan(12);
    }
    const bool swap =
        std::lexicographical_compare(target.begin(), target.end(), source.begin(), source.end()) ||
        (std::equal(source.begin(), source.end(), target.begin()) && target_port < source_port);
    if (swap) {
        std::swap(source, target);
        std::swap(source_port, target_port);
    }
    std::array<std::uint8_t, SHA_CBLOCK> bytes{};
    static_assert(2 + 32 + 2 + 4 + 1 + 8 <= SHA_CBLOCK);
    std::size_t used = 2;  // the seed, zero
    const auto add = [&](ByteView part) {
        std::copy(part.begin(), part.end(), bytes.begin() + static_cast<std::ptrdiff_t>(used));
        used += part.size();
    };
    add(source);
    add(target);
    bytes[used] = protocol;
    used += 2;  // and a byte of padding
    for (const std::uint16_t port : {source_port, target_port}) {
        bytes[used++] = static_cast<std::uint8_t>(port >> 8);
        bytes[used++] = static_cast<std::uint8_t>(port);
    }
    // The end of a message of one block (FIPS 180-4, section 5.1.1): a bit that is one, and how many
    // bits there are.
    bytes[used] = 0x80;
    bytes[SHA_CBLOCK - 2] = static_cast<std::uint8_t>(used * 8 >> 8);
    bytes[SHA_CBLOCK - 1] = static_cast<std::uint8_t>(used * 8);
    SHA_CTX sha{};
    SHA1_Init(&sha);
    SHA1_Transform(&sha, bytes.data());
    std::array<std::uint8_t, SHA_DIGEST_LENGTH> digest{};
    std::size_t at = 0;
    for (const std::uint32_t word : {sha.h0, sha.h1, sha.h2, sha.h3, sha.h4}) {
        for (int shift = 24; shift >= 0; shift -= 8)
            digest[at++] = static_cast<std::uint8_t>(word >> shift);
    }
    std::array<unsigned char, 32> text{};
    const int count = EVP_EncodeBlock(text.data(), digest.data(), SHA_DIGEST_LENGTH);
    std::string out = "1:";
    out.append(text.begin(), text.begin() + count);
    return out;
}

}  // namespace seine::siem
