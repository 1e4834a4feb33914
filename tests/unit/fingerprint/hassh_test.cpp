// HASSH: the joined lists hashed with MD5.
#include "dataplane/fingerprint/hassh.h"

#include <gtest/gtest.h>

#include "dataplane/crypto/digest.h"

namespace {

using namespace seine;
using namespace seine::fingerprint;

// printf %s 'curve25519-sha256;aes128-ctr;hmac-sha2-256;none' | md5sum
TEST(Hassh, JoinsTheFourListsWithSemicolons) {
    crypto::Digester digester;
    FixedString<32> out;
    hassh({"curve25519-sha256", "aes128-ctr", "hmac-sha2-256", "none"}, digester, out);
    EXPECT_EQ(out.view(), "e97d07603350d1111ec2b64bf25413c9");
    hassh({"curve25519-sha256", "aes128-ctr", "hmac-sha2-256", ""}, digester, out);
    EXPECT_NE(out.view(), "e97d07603350d1111ec2b64bf25413c9");
    EXPECT_EQ(out.size(), 32u);
}

TEST(Hassh, EmptyListsStillHash) {
    crypto::Digester digester;
    FixedString<32> out;
    hassh({}, digester, out);
    EXPECT_EQ(out.view(), "95420f9d932ddd22833f17b96a80bedb");
}

}  // namespace
