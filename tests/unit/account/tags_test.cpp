// Tags and the file of their keys: known answers, what is refused, rotation with overlap.
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "control/account/tag_keys.h"
#include "control/account/tagger.h"
#include "dataplane/contract/api_key.h"
#include "tests/support/temp_folder.h"

namespace seine::account {
namespace {

namespace fs = std::filesystem;

class TagKeyFile : public ::testing::Test {
  protected:
    void write(const std::string& text, mode_t mode = 0600) const {
        std::ofstream(path_) << text;
        ::chmod(path_.c_str(), mode);
    }
    [[nodiscard]] static std::string read(const fs::path& path) {
        std::ostringstream text;
        text << std::ifstream(path).rdbuf();
        return text.str();
    }
    [[nodiscard]] std::string fault() const {
        auto keys = TagKeys::load(path_);
        return keys ? "" : keys.error().message();
    }
    static constexpr const char* kEpochOne =
        "epoch 1 since 100 tag 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f "
        "key 000102030405060708090a0b0c0d0e0f\n";
    test::TempFolder folder_{"tags"};
    fs::path path_ = folder_.file("tag.keys");
};

TEST_F(TagKeyFile, TagsAreTheOnesOfTheStandards) {
    write(std::string("# comment\n\n") + kEpochOne +
          "mac 7 000102030405060708090a0b0c0d0e0f # x\n");
    auto keys = TagKeys::load(path_);
    ASSERT_TRUE(keys.has_value()) << keys.error().message();
    const std::shared_ptr<const TagKeys> shared = std::move(*keys);
    const Tagger tagger(shared, shared->at(100));
    // printf 'acct\0acme' | openssl dgst -sha256 -mac HMAC -macopt hexkey:00..1f, first 16 bytes.
    EXPECT_EQ(model::to_text(tagger.account("acme")), "5f491dbbee5bc36a92cb1a7b051332e1");
    EXPECT_EQ(model::to_text(tagger.organisation("acme")), "a3ebc5af0f644765b5ac4c57eb9baeb3");
    // SipHash-2-4 of 00..0e under 00..0f: the reference vector of its paper, appendix A.
    const char bytes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    EXPECT_EQ(tagger.key({bytes, sizeof bytes}), 0xa129ca6149be45e5u);
    EXPECT_TRUE(mac_fits(shared->mac(7), as_bytes({bytes, sizeof bytes}), 0xa129ca6149be45e5u));
    EXPECT_FALSE(mac_fits(shared->mac(7), as_bytes({bytes, sizeof bytes}), 0xa129ca6149be45e4u));
    EXPECT_EQ(shared->mac(6), nullptr);
    EXPECT_NE(tagger.account("acme").bytes, tagger.organisation("acme").bytes);
    EXPECT_NE(tagger.account(std::string(5000, 'a')), tagger.account(std::string(5001, 'a')));
    EXPECT_NE(tagger.account_of(1), tagger.account_of(2));
}

TEST_F(TagKeyFile, OneKeyHasOneTagWhateverCarriesIt) {
    for (const char* value : {"sk-1", " sk-1 ", "Bearer sk-1", "bearer  sk-1", "BEARER sk-1\t"}) {
        EXPECT_EQ(contract::bare_key(value), "sk-1") << value;
    }
    for (const char* value : {"", "-", "  ", "Bearer -"})
        EXPECT_EQ(contract::bare_key(value), "") << value;
    EXPECT_EQ(contract::bare_key("Bearer"), "Bearer");
}

TEST_F(TagKeyFile, OthersMayNotRead) {
    for (const mode_t mode : {0644, 0640, 0604, 0660, 0601}) {
        write(kEpochOne, mode);
        EXPECT_NE(fault().find("chmod 600"), std::string::npos) << mode;
    }
    write(kEpochOne, 0400);
    EXPECT_EQ(fault(), "");
}

TEST_F(TagKeyFile, DamageIsNamedByLineAndWithoutTheKey) {
    const std::string secret(64, 'a');
    const std::string cases[] = {
        "epoch 1 since 1 tag " + secret + " key 12\n",
        "epoch 1 since 1 tag " + secret + "\n",
        "epoch x since 1 tag " + secret + " key 000102030405060708090a0b0c0d0e0f\n",
        "epoch 1 since 1 tag " + secret.substr(1) + "g key 000102030405060708090a0b0c0d0e0f\n",
        std::string(kEpochOne) + kEpochOne,
        "mac 256 000102030405060708090a0b0c0d0e0f\n",
        "mac 1 00\n",
        "mac 1 000102030405060708090a0b0c0d0e0f more\n",
        "secret " + secret + "\n",
        ""};
    for (const std::string& text : cases) {
        write(text);
        const std::string message = fault();
        EXPECT_NE(message.find(path_.string()), std::string::npos) << text;
        EXPECT_EQ(message.find("aaaa"), std::string::npos) << message;
    }
    write(std::string("# one\n") + "mac 1 00\n");
    EXPECT_NE(fault().find(":2: "), std::string::npos);
    fs::remove(path_);
    EXPECT_NE(fault().find("seinectl account key new"), std::string::npos);
    fs::create_symlink("/dev/null", path_);
    EXPECT_NE(fault(), "");
}

TEST_F(TagKeyFile, MadeOnceWithItsMode) {
    ASSERT_TRUE(KeyFile::make(path_, 500).ok());
    struct stat about {};
    ASSERT_EQ(::stat(path_.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0600u);
    EXPECT_EQ(fault(), "");
    const std::string first = read(path_);
    EXPECT_FALSE(KeyFile::make(path_, 600).ok());
    EXPECT_EQ(read(path_), first);
    fs::remove(path_);
    ASSERT_TRUE(KeyFile::make(path_, 500).ok());
    EXPECT_NE(read(path_), first);
}

TEST_F(TagKeyFile, RotationOverlapsAndThenDestroys) {
    ASSERT_TRUE(KeyFile::make(path_, 500).ok());
    ASSERT_TRUE(KeyFile::add_mac(path_, 3, folder_.file("gateway.key")).ok());
    EXPECT_FALSE(KeyFile::add_mac(path_, 3, folder_.file("gateway.key")).ok());
    EXPECT_EQ(fs::file_size(folder_.file("gateway.key")), 16u);
    ASSERT_TRUE(KeyFile::rotate(path_, 1000, 2000).ok());
    EXPECT_FALSE(KeyFile::rotate(path_, 1500, 1500).ok());  // one at a time
    auto keys = TagKeys::load(path_);
    ASSERT_TRUE(keys.has_value());
    EXPECT_EQ((*keys)->at(1999).number, 1u);
    EXPECT_EQ((*keys)->before(1999), nullptr);
    EXPECT_EQ((*keys)->at(2000).number, 2u);
    ASSERT_NE((*keys)->before(2000), nullptr);
    EXPECT_EQ((*keys)->before(2000)->number, 1u);
    EXPECT_NE((*keys)->mac(3), nullptr);
    const std::string with_old = read(path_);
    EXPECT_FALSE(KeyFile::retire(path_, 1500, true).ok());  // the old one is in force still
    const Status early = KeyFile::retire(path_, 2000 + 86400, false);
    EXPECT_NE(early.message().find("13 days"), std::string::npos) << early.message();
    EXPECT_EQ(read(path_), with_old);
    ASSERT_TRUE(KeyFile::retire(path_, 2000 + KeyFile::kOverlapSeconds, false).ok());
    keys = TagKeys::load(path_);
    ASSERT_TRUE(keys.has_value());
    EXPECT_EQ((*keys)->epochs().size(), 1u);
    EXPECT_NE((*keys)->mac(3), nullptr);
}

TEST_F(TagKeyFile, TheDataplaneGetsTheKeyOfTheEpochInForce) {
    write(kEpochOne);
    ASSERT_TRUE(KeyFile::export_hash_key(path_, 100, folder_.file("hash.key")).ok());
    EXPECT_EQ(read(folder_.file("hash.key")),
              std::string("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16));
}

TEST(SecretMemory, IsKeptOutOfCoreDumpsAndWiped) {
    auto memory = SecretMemory::make(100);
    ASSERT_TRUE(memory.has_value());
    EXPECT_GE(memory->bytes().size(), 100u);
    memory->bytes()[0] = 42;
    // VmFlags: dd is "do not include in core dump", lo is "locked".
    std::ifstream maps("/proc/self/smaps");
    std::ostringstream start;
    start << std::hex << reinterpret_cast<std::uintptr_t>(memory->bytes().data()) << "-";  // NOLINT
    bool mine = false;
    std::string flags;
    for (std::string line; std::getline(maps, line);) {
        if (line.find("-") < 17 && line.find(start.str()) == 0) mine = true;
        if (mine && line.rfind("VmFlags:", 0) == 0) {
            flags = line;
            break;
        }
    }
    EXPECT_NE(flags.find(" dd"), std::string::npos) << flags;
#ifndef __SANITIZE_ADDRESS__  // its run time answers mlock() and does nothing
    EXPECT_EQ(flags.find(" lo") != std::string::npos, memory->locked()) << flags;
#endif
}

}  // namespace
}  // namespace seine::account
