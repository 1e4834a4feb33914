// Command lines: short forms, ambiguity, options, nouns that are not built, completion.
#include "control/cli/invocation.h"

#include <gtest/gtest.h>

#include "control/cli/commands.h"

namespace seine::cli {
namespace {

Result<Invocation> typed(std::vector<std::string> words) { return read_invocation(words); }

std::string complaint(std::vector<std::string> words) {
    const auto read = read_invocation(words);
    EXPECT_FALSE(read.has_value());
    if (read.has_value()) return "";
    EXPECT_EQ(read.error().code(), Code::usage);
    return read.error().message();
}

// interfaces.md section 2 fixes the nouns.
TEST(Invocation, HasTheNounsOfTheInterfaces) {
    std::string names;
    for (const Noun& noun : nouns()) names.append(noun.name).append(" ");
    EXPECT_EQ(names,
              "status flow signature fingerprint account farm alert export config audit doctor "
              "mitigation completion ");
}

TEST(Invocation, WordsMayBeShortenedWhileTheyAreUnambiguous) {
    for (const char* word : {"status", "statu", "st"}) {
        const auto read = typed({word});
        ASSERT_TRUE(read.has_value()) << word;
        EXPECT_EQ(read->noun->name, "status");
        EXPECT_EQ(read->verb, "show");
    }
    EXPECT_EQ(typed({"st", "sh"})->verb, "show");
    EXPECT_EQ(typed({"comp", "b"})->verb, "bash");
    EXPECT_NE(complaint({"a"}).find("account alert audit"), std::string::npos);
    EXPECT_NE(complaint({"s"}).find("status signature"), std::string::npos);
    EXPECT_NE(complaint({"bogus"}).find("status"), std::string::npos);
    EXPECT_NE(complaint({"status", "dance"}).find("show"), std::string::npos);
    EXPECT_NE(complaint({"status", "show", "more"}).find("more"), std::string::npos);
    EXPECT_NE(complaint({"completion"}).find("bash"), std::string::npos);
    EXPECT_NE(complaint({}).find("--help"), std::string::npos);
}

TEST(Invocation, OptionsStandAnywhereAndAreNotGuessed) {
    const auto read = typed({"--json", "status", "--socket", "/tmp/x.sock", "--timeout=7"});
    ASSERT_TRUE(read.has_value());
    EXPECT_TRUE(read->json);
    EXPECT_EQ(read->socket, "/tmp/x.sock");
    EXPECT_EQ(read->timeout_ms, 7000);
    EXPECT_EQ(typed({"status"})->socket, "/run/seine/dataplane.sock");
    EXPECT_FALSE(typed({"status"})->json);
    static_cast<void>(complaint({"status", "--jso"}));
    static_cast<void>(complaint({"status", "--socket"}));
    static_cast<void>(complaint({"status", "--timeout", "soon"}));
    static_cast<void>(complaint({"status", "--timeout", "0"}));
    static_cast<void>(complaint({"status", "--unknown"}));
}

TEST(Invocation, NounsNotBuiltSayWithTheirWordsAndFail) {
    for (const Noun& noun : nouns()) {
        if (!noun.verbs.empty()) continue;
        const auto read = typed({std::string(noun.name), "list", "anything"});
        ASSERT_TRUE(read.has_value()) << noun.name;
        std::string out;
        const Status status = run(*read, out);
        EXPECT_EQ(exit_code(status), kExitFailed);
        EXPECT_NE(status.message().find("not built yet"), std::string::npos);
        EXPECT_EQ(status.message().find(noun.name), 0u);
        EXPECT_EQ(out, "");
    }
}

TEST(Invocation, HelpNamesEveryNounAndOption) {
    std::string out;
    ASSERT_TRUE(run(*typed({"--help"}), out).ok());
    for (const Noun& noun : nouns()) EXPECT_NE(out.find(noun.name), std::string::npos) << noun.name;
    for (const char* option : {"--json", "--socket", "--timeout", "--version"})
        EXPECT_NE(out.find(option), std::string::npos);
    ASSERT_TRUE(run(*typed({"--version"}), out).ok());
    EXPECT_EQ(out.rfind("seinectl ", 0), 0u);
}

TEST(Invocation, EachCodeHasItsExit) {
    EXPECT_EQ(exit_code({}), 0);
    EXPECT_EQ(exit_code({Code::failed, ""}), 1);
    EXPECT_EQ(exit_code({Code::corrupt, ""}), 1);
    EXPECT_EQ(exit_code({Code::usage, ""}), 2);
    EXPECT_EQ(exit_code({Code::unreachable, ""}), 3);
}

}  // namespace
}  // namespace seine::cli
