// Known answers: SHA-256 (FIPS 180-4 examples by NIST), MD5 (RFC 1321 appendix A.5); no allocation.
#include "dataplane/crypto/digest.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "tests/unit/hex.h"

namespace seine::crypto {
namespace {

// What is remembered is the same as what is computed, whoever comes in between.
TEST(Digester, RemembersTextsAndNeverAnotherOnesDigest) {
    for (const std::uint32_t known_count : {1u, 4u, 512u}) {
        Digester digester(known_count, 7);
        std::uint64_t asked = 0;
        for (int round = 0; round < 3; ++round) {
            for (std::size_t bytes = 0; bytes < 340; bytes += 7) {
                for (const char letter : {'a', 'b'}) {
                    std::string text(bytes, letter);
                    if (bytes > 0) text.back() = static_cast<char>('0' + bytes % 10);
                    Digester::Sha256 whole;
                    digester.sha256(text, whole);
                    const auto front = digester.known_sha256(text);
                    Digester::Md5 md5;
                    digester.md5(text, md5);
                    asked += 2;
                    ASSERT_TRUE(std::equal(front.begin(), front.end(), whole.begin())) << text;
                    ASSERT_EQ(digester.known_md5(text), md5) << text;
                }
            }
        }
        EXPECT_EQ(digester.known() + digester.hashed(), asked);
        if (known_count == 1) {
            EXPECT_LT(digester.known(), 32u);
        }
        if (known_count == 512) {
            EXPECT_GT(digester.known(), asked / 2);
        }
    }
}

std::atomic<long> allocation_count{0};

void* counted_malloc(std::size_t bytes, const char*, int) {
    ++allocation_count;
    return std::malloc(bytes);
}
void* counted_realloc(void* old, std::size_t bytes, const char*, int) {
    ++allocation_count;
    return std::realloc(old, bytes);
}
void counted_free(void* old, const char*, int) { std::free(old); }

// libcrypto takes other allocators only before it has used its own, so this stands before main().
const bool counting_installed =
    CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) == 1;

std::string sha256(std::string_view text) {
    Digester digester;
    Digester::Sha256 digest{};
    digester.sha256(text, digest);
    return hex(digest);
}

std::string md5(std::string_view text) {
    Digester digester;
    Digester::Md5 digest{};
    digester.md5(text, digest);
    return hex(digest);
}

TEST(Digest, Sha256AnswersTheExamplesOfNist) {
    EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256(std::string(1'000'000, 'a')),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, Md5AnswersTheSuiteOfRfc1321) {
    EXPECT_EQ(md5(""), "d41d8cd98f00b204e9800998ecf8427e");
    EXPECT_EQ(md5("a"), "0cc175b9c0f1b6a831c399e269772661");
    EXPECT_EQ(md5("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
    EXPECT_EQ(md5("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
              "57edf4a22be3c955ac49da2e2107b67a");
}

TEST(Digest, PartsHashLikeTheWhole) {
    const std::string_view parts[] = {"mess", "", "age", " digest"};
    Digester digester;
    Digester::Sha256 sha{};
    Digester::Md5 md{};
    digester.sha256(parts, sha);
    digester.md5(parts, md);
    EXPECT_EQ(hex(sha), sha256("message digest"));
    EXPECT_EQ(hex(md), md5("message digest"));
}

TEST(Digest, AllocatesNothing) {
    ASSERT_TRUE(counting_installed);
    // The counter counts: an allocation of libcrypto's is seen.
    const long before_control = allocation_count;
    void* control = OPENSSL_malloc(8);
    OPENSSL_free(control);
    ASSERT_EQ(allocation_count, before_control + 1);

    Digester digester;
    Digester::Sha256 sha{};
    Digester::Md5 md{};
    const std::string text(200, 'x');
    const long before = allocation_count;
    for (int i = 0; i < 100; ++i) {
        digester.sha256(text, sha);
        digester.md5(text, md);
    }
    EXPECT_EQ(allocation_count, before);
}

}  // namespace
}  // namespace seine::crypto
