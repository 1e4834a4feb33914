// Known answers: HMAC (RFC 4231), HKDF (RFC 5869), QUIC keys (RFC 9001 and RFC 9369 appendix A).
#include "dataplane/crypto/quic_keys.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/hex.h"

namespace seine::crypto {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes counting(std::uint8_t first, std::uint8_t last) {
    Bytes out;
    for (unsigned b = first; b <= last; ++b) out.push_back(static_cast<std::uint8_t>(b));
    return out;
}
std::string expanded(const HmacKey& secret, ByteView info, std::size_t count) {
    Bytes out(count);
    EXPECT_TRUE(hkdf_expand(secret, info, out));
    return hex(out);
}
std::string labelled(ByteView secret, std::string_view label, std::size_t count) {
    Bytes out(count);
    EXPECT_TRUE(hkdf_expand_label(hmac_key(secret), label, out));
    return hex(out);
}

TEST(Hmac, AnswersAsInRfc4231) {
    EXPECT_EQ(hex(hmac(hmac_key(Bytes(20, 0x0b)), as_bytes("Hi There"))),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hex(hmac(hmac_key(as_bytes("Jefe")), as_bytes("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(
        hex(hmac(hmac_key(Bytes(131, 0xaa)),
                 as_bytes("This is a test using a larger than block-size key and a larger "
                          "than block-size data. The key needs to be hashed before being used "
                          "by the HMAC algorithm."))),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST(Hkdf, AnswersAsInRfc5869Case1) {
    const Digest256 secret = hmac(hmac_key(counting(0x00, 0x0c)), Bytes(22, 0x0b));
    EXPECT_EQ(hex(secret), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    EXPECT_EQ(
        expanded(hmac_key(secret), counting(0xf0, 0xf9), 42),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST(Hkdf, AnswersAsInRfc5869Case2WithLongInputs) {
    const Digest256 secret = hmac(hmac_key(counting(0x60, 0xaf)), counting(0x00, 0x4f));
    EXPECT_EQ(hex(secret), "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244");
    EXPECT_EQ(
        expanded(hmac_key(secret), counting(0xb0, 0xff), 82),
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41"
        "c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

TEST(Hkdf, AnswersAsInRfc5869Case3WithoutSaltAndInfo) {
    const Digest256 secret = hmac(hmac_key({}), Bytes(22, 0x0b));
    EXPECT_EQ(hex(secret), "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
    EXPECT_EQ(
        expanded(hmac_key(secret), {}, 42),
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, RefusesWhatIsPastItsBounds) {
    const HmacKey secret = hmac_key(as_bytes("secret"));
    Bytes out(255 * 32 + 1, 7);
    EXPECT_FALSE(hkdf_expand(secret, {}, out));
    EXPECT_EQ(out, Bytes(255 * 32 + 1, 7));
    EXPECT_TRUE(hkdf_expand(secret, {}, std::span(out).first(255 * 32)));
    EXPECT_FALSE(hkdf_expand(secret, Bytes(kHkdfInfoBytesMax + 1), std::span(out).first(1)));
    EXPECT_TRUE(hkdf_expand(secret, Bytes(kHkdfInfoBytesMax), std::span(out).first(33)));
    EXPECT_FALSE(hkdf_expand_label(secret, std::string(33, 'x'), std::span(out).first(1)));
    EXPECT_FALSE(hkdf_expand_label(secret, "x", std::span(out).first(256)));
}

// Lengths around each block's end, where the padding moves to a block of its own. Computed with
// Python's hmac module.
TEST(Hmac, PadsRightAroundTheEndOfABlock) {
    const std::pair<std::size_t, const char*> kKnown[] = {
        {0, "8bb990c40a7d61cb97597a942125025be50ac8beb74436e3735b98893a7f6620"},
        {55, "2cc44ce77061ae61e565e2ba633d3fb0c3f0a40d8183dc37eb47a18abda4baf2"},
        {56, "bc446082d08be8bf111c25f6b4d227bfbcc94721f7388c69fc93a6699de8ab3b"},
        {63, "3bcad76e5ef6f3b052d58db1a76b2f3dafe2d7bafda31193fde6c7ff10aa8e8e"},
        {64, "51dc6773c877547b2f5658b10ed96a5a72709ba469f445538da56af1b8ffb1cd"},
        {65, "1f3234a52908fc21bad504c0b3e438f081a590ba35ade1e004bd7a8b0de6a30f"},
        {119, "cf4a16a9fb2bd68c1a8a6c6031d71ccf825afaf2b4a9824fbcce733f072563e3"},
        {120, "265c5724e8e371067fb5913e233628f1373cecd93d4261a2e4822938037a781e"},
        {200, "31a43c4c4524ece5ff6fa0524dfe9e6429b899a981ebde096983941e099378f1"},
    };
    for (const auto& [size, answer] : kKnown) {
        EXPECT_EQ(hex(hmac(hmac_key(as_bytes("k")), Bytes(size, 'a'))), answer) << size << " bytes";
    }
}

TEST(QuicKeys, ExpandAsInRfc9001AppendixA1AndA5) {
    const Bytes initial = unhex("7db5df06e7a69e432496adedb00851923595221596ae2ae9fb8115c1e9ed0a44");
    const Bytes client = unhex("c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea");
    EXPECT_EQ(hex(hmac(hmac_key(unhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")),
                       unhex("8394c8f03e515708"))),
              hex(initial));
    EXPECT_EQ(labelled(initial, "client in", 32), hex(client));
    EXPECT_EQ(labelled(initial, "server in", 32),
              "3c199828fd139efd216c155ad844cc81fb82fa8d7446fa7d78be803acdda951b");
    EXPECT_EQ(labelled(client, "quic key", 16), "1f369613dd76d5467730efcbe3b1a22d");

    const Bytes traffic = unhex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
    EXPECT_EQ(labelled(traffic, "quic key", 32),
              "c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8");
    EXPECT_EQ(labelled(traffic, "quic iv", 12), "e0459b3474bdd0e44a41c144");
    EXPECT_EQ(labelled(traffic, "quic hp", 32),
              "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4");
    EXPECT_EQ(labelled(traffic, "quic ku", 32),
              "1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9");
}

TEST(QuicKeys, ExpandAsInRfc9369AppendixA5) {
    const Bytes traffic = unhex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
    EXPECT_EQ(labelled(traffic, "quicv2 key", 32),
              "3bfcddd72bcf02541d7fa0dd1f5f9eeea817e09a6963a0e6c7df0f9a1bab90f2");
    EXPECT_EQ(labelled(traffic, "quicv2 iv", 12), "a6b5bc6ab7dafce30ffff5dd");
    EXPECT_EQ(labelled(traffic, "quicv2 hp", 32),
              "d659760d2ba434a226fd37b35c69e2da8211d10c4f12538787d65645d5d1b8e2");
    EXPECT_EQ(labelled(traffic, "quicv2 ku", 32),
              "c69374c49e3d2a9466fa689e49d476db5d0dfbc87d32ceeaa6343fd0ae4c7d88");
}

class QuicCryptoTest : public ::testing::Test {
  protected:
    QuicCrypto& crypto() { return *made_.value(); }
    std::string keys(QuicSalt salt, QuicSide side) {
        const QuicKeys made = crypto().initial_keys(salt, unhex("8394c8f03e515708"), side);
        return hex(made.key) + " " + hex(made.iv) + " " + hex(made.hp);
    }
    Result<std::unique_ptr<QuicCrypto>> made_ = QuicCrypto::make();
};

TEST_F(QuicCryptoTest, DerivesTheKeysOfRfc9001AppendixA1) {
    EXPECT_EQ(keys(QuicSalt::v1, QuicSide::client),
              "1f369613dd76d5467730efcbe3b1a22d fa044b2f42a3fd3b46fb255c "
              "9f50449e04a0e810283a1e9933adedd2");
    EXPECT_EQ(keys(QuicSalt::v1, QuicSide::server),
              "cf3a5331653c364c88f0f379b6067e37 0ac1493ca1905853b0bba03e "
              "c206b8d9b9f0f37644430b490eeaa314");
}

TEST_F(QuicCryptoTest, DerivesTheKeysOfRfc9369AppendixA1) {
    EXPECT_EQ(keys(QuicSalt::v2, QuicSide::client),
              "8b1a0bc121284290a29e0971b5cd045d 91f73e2351d8fa91660e909f "
              "45b95e15235d6f45a6b19cbcb0294ba9");
    EXPECT_EQ(keys(QuicSalt::v2, QuicSide::server),
              "82db637861d55e1d011f19ea71d5d2a7 dd13c276499c0249d3310652 "
              "edf6d05c83121201b436e16877593c3a");
}

TEST_F(QuicCryptoTest, MasksHeadersAsInRfc9001AppendixA2AndA3) {
    const Bytes client_id = unhex("8394c8f03e515708");
    const auto client = crypto().initial_keys(QuicSalt::v1, client_id, QuicSide::client);
    const auto server = crypto().initial_keys(QuicSalt::v1, client_id, QuicSide::server);
    const Bytes client_sample = unhex("d1b1c98dd7689fb8ec11d242b123dc9b");
    const Bytes server_sample = unhex("2cd0991cd25b0aac406a5816b6394100");
    // Twice in turn: schedules kept from the other side must not answer.
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(hex(crypto().header_mask(
                      client, std::span<const std::uint8_t, 16>(client_sample.data(), 16))),
                  "437b9aec36");
        EXPECT_EQ(hex(crypto().header_mask(
                      server, std::span<const std::uint8_t, 16>(server_sample.data(), 16))),
                  "2ec0d8356a");
    }
}

// GCM test case 4 of the GCM specification (McGrew and Viega): data that ends inside a block.
TEST_F(QuicCryptoTest, OpensGcmTestCase4) {
    QuicKeys keys{};
    const Bytes key = unhex("feffe9928665731c6d6a8f9467308308");
    const Bytes iv = unhex("cafebabefacedbaddecaf888");
    std::copy(key.begin(), key.end(), keys.key.begin());
    std::copy(iv.begin(), iv.end(), keys.iv.begin());
    const Bytes header = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const Bytes sealed = unhex(
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac"
        "84aa05"
        "1ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47");
    Bytes plain(sealed.size() - QuicCrypto::kTagBytes);
    ASSERT_TRUE(crypto().open(keys, 0, header, sealed, plain.data()));
    EXPECT_EQ(hex(plain),
              "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf"
              "0e2449a6"
              "b525b16aedf5aa0de657ba637b39");
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        Bytes broken = sealed;
        broken[i] ^= 1;
        EXPECT_FALSE(crypto().open(keys, 0, header, broken, plain.data())) << "byte " << i;
    }
    EXPECT_FALSE(crypto().open(keys, 1, header, sealed, plain.data()));
    EXPECT_FALSE(crypto().open(keys, 0, {}, sealed, plain.data()));
    for (std::size_t size = 0; size < sealed.size(); ++size) {
        EXPECT_FALSE(crypto().open(keys, 0, header, ByteView(sealed).first(size), plain.data()));
    }
}

TEST_F(QuicCryptoTest, OpensInPlace) {
    const auto keys =
        crypto().initial_keys(QuicSalt::v1, unhex("8394c8f03e515708"), QuicSide::server);
    // RFC 9001 appendix A.3.
    Bytes packet = unhex(
        "5a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a18"
        "39b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795"
        "d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee");
    const Bytes header = unhex("c1000000010008f067a5502a4262b50040750001");
    ASSERT_TRUE(crypto().open(keys, 1, header, packet, packet.data()));
    EXPECT_EQ(hex(ByteView(packet).first(19)), "02000000000600405a020000560303eefce7f7");
}

}  // namespace
}  // namespace seine::crypto
