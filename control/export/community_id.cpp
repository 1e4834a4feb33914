// SHA-1 by libcrypto with a digest that is fetched once.
#include "control/export/community_id.h"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

namespace seine::siem {
namespace {

const EVP_MD* sha1() {
    static EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA1", nullptr);
    return digest;
}

struct Context {
    EVP_MD_CTX* held = EVP_MD_CTX_new();
    Context() = default;
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    ~Context() { EVP_MD_CTX_free(held); }
};

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
    std::array<std::uint8_t, 2 + 32 + 2 + 4> bytes{};
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
    thread_local Context context;
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned digest_bytes = 0;
    if (context.held == nullptr || sha1() == nullptr ||
        EVP_DigestInit_ex2(context.held, sha1(), nullptr) != 1 ||
        EVP_DigestUpdate(context.held, bytes.data(), used) != 1 ||
        EVP_DigestFinal_ex(context.held, digest.data(), &digest_bytes) != 1) {
        return {};
    }
    std::array<unsigned char, 32> text{};
    const int count = EVP_EncodeBlock(text.data(), digest.data(), 20);
    std::string out = "1:";
    for (int i = 0; i < count; ++i)
        out.push_back(static_cast<char>(text[static_cast<std::size_t>(i)]));
    return out;
}

}  // namespace seine::siem
