// Versions on disk, and what differs between two sets.
#include "control/signature/version_store.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "control/signature/difference.h"
#include "dataplane/signature/rule_file.h"

namespace seine::control_signature {
namespace {

namespace fs = std::filesystem;

class VersionStoreTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("seine-versions-" + std::to_string(::getpid()));
        fs::create_directories(folder_ / "rules");
        std::ofstream(folder_ / "rules/a.toml") << "[pack]\nname = \"a\"\n";
        std::ofstream(folder_ / "rules/list.txt") << "x\n";
    }
    void TearDown() override { fs::remove_all(folder_); }
    fs::path folder_;
};

TEST_F(VersionStoreTest, KeepsWhatWasPushedAndNeverWritesItTwice) {
    VersionStore store((folder_ / "state").string());
    EXPECT_TRUE(store.list().empty());
    const std::uint8_t blob[] = {1, 2, 3};
    ASSERT_TRUE(
        store.add({2, "me", "why\tnot\n", 5, 9, 1}, (folder_ / "rules").string(), blob).ok());
    ASSERT_TRUE(store.add({10, "me", "again", 6, 9, 0}, (folder_ / "rules").string(), blob).ok());
    EXPECT_FALSE(store.add({10, "me", "again", 6, 9, 0}, (folder_ / "rules").string(), blob).ok());
    const auto versions = store.list();
    ASSERT_EQ(versions.size(), 2u);
    EXPECT_EQ(versions[0].number, 2u);
    EXPECT_EQ(versions[0].reason, "why not ");
    EXPECT_EQ(versions[0].parent, 1u);
    EXPECT_EQ(versions[1].number, 10u);
    EXPECT_TRUE(fs::exists(store.rules_of(2) + "/list.txt"));
    EXPECT_EQ(fs::file_size(store.blob_of(2)), 3u);
    EXPECT_EQ(store.get(3).error().code(), Code::not_found);
    std::ofstream(folder_ / "state/versions/2/meta.tsv") << "number\tx\n";
    EXPECT_EQ(store.get(2).error().code(), Code::corrupt);
    EXPECT_EQ(store.list().size(), 1u);
}

TEST(Difference, NamesWhatChangedOfWhichRule) {
    const auto set = [](const std::string& id, const std::string& more) {
        return "[[rule]]\nid = \"" + id +
               "\"\ntitle = \"t\"\nclass = \"policy\"\nfield = \"http.method\"\n" + more +
               "\n[[rule.match]]\nhttp.method = \"GET\"\n[[rule.no_match]]\nhttp.method = "
               "\"PUT\"\n";
    };
    const auto before = signature::read_rules_text(
        "b", set("a", "equals = \"GET\"") + set("b", "equals = \"GET\""), "");
    const auto after = signature::read_rules_text(
        "b", set("a", "prefix = \"GET\"\nseverity = \"high\"") + set("c", "equals = \"GET\""), "");
    const auto changes = difference(before.set, after.set);
    ASSERT_EQ(changes.size(), 3u);
    EXPECT_EQ(changes[0].id, "a");
    EXPECT_EQ(changes[0].parts, (std::vector<std::string>{"severity medium -> high", "condition"}));
    EXPECT_EQ(changes[1].kind, RuleChange::Kind::removed);
    EXPECT_EQ(changes[2].kind, RuleChange::Kind::added);
    EXPECT_TRUE(difference(before.set, before.set).empty());
}

}  // namespace
}  // namespace seine::control_signature
