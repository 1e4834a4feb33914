// Known answers: the SipHash-2-4 test vectors of its authors (Aumasson and Bernstein, 2012, appendix A).
#include "dataplane/crypto/keyed_hash.h"

#include <gtest/gtest.h>

#include <vector>

namespace seine::crypto {
namespace {

std::array<std::uint8_t, 16> counting_key() {
    std::array<std::uint8_t, 16> key{};
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
    return key;
}

std::vector<std::uint8_t> counting(std::size_t count) {
    std::vector<std::uint8_t> out(count);
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint8_t>(i);
    return out;
}

TEST(KeyedHash, AnswersThePublishedVector) {
    const KeyedHash hash(counting_key());
    EXPECT_EQ(hash(counting(15)), 0xa129ca6149be45e5u);  // the paper's example
    EXPECT_EQ(hash({}), 0x726fdb47dd0e0e31u);            // first line of the reference vectors
}

TEST(KeyedHash, DependsOnTheKey) {
    auto other = counting_key();
    other[7] ^= 1;
    EXPECT_NE(KeyedHash(counting_key())(counting(15)), KeyedHash(other)(counting(15)));
}

TEST(KeyedHash, DependsOnEveryByte) {
    const KeyedHash hash(counting_key());
    const auto bytes = counting(40);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto flipped = bytes;
        flipped[i] ^= 0x80;
        EXPECT_NE(hash(bytes), hash(flipped)) << i;
    }
}

}  // namespace
}  // namespace seine::crypto
