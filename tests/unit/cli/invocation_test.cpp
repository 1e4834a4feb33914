// Command lines: short forms, ambiguity, arguments, options, nouns that are not built, help.
#include "control/cli/invocation.h"

#include <map>

#include <gtest/gtest.h>

#include "control/cli/commands.h"
#include "control/cli/help.h"
#include "control/cli/nouns.h"

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

std::string printed(std::vector<std::string> words) {
    std::string out;
    const auto read = read_invocation(words);
    EXPECT_TRUE(read.has_value());
    if (!read) return out;
    EXPECT_TRUE(run(*read, [&out](std::string_view text) {
                    out.append(text);
                    return true;
                }).ok());
    return out;
}

// interfaces.md section 2 fixes the nouns.
TEST(Invocation, HasTheNounsOfTheInterfaces) {
    std::string names;
    for (const Noun* noun : nouns()) names.append(noun->name).append(" ");
    EXPECT_EQ(names,
              "status flow signature fingerprint account farm alert export config audit doctor "
              "mitigation completion ");
}

TEST(Invocation, WordsMayBeShortenedWhileTheyAreUnambiguous) {
    for (const char* word : {"status", "statu", "st"}) {
        const auto read = typed({word});
        ASSERT_TRUE(read.has_value()) << word;
        EXPECT_EQ(read->noun->name, "status");
        EXPECT_EQ(read->verb->name, "show");
    }
    EXPECT_EQ(typed({"st", "sh"})->verb->name, "show");
    EXPECT_EQ(typed({"comp", "b"})->verb->name, "bash");
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
    EXPECT_EQ(typed({"status"})->socket, "/run/seine/control.sock");
    EXPECT_EQ(typed({"status"})->watch_seconds, 0u);
    EXPECT_EQ(typed({"status", "--watch"})->watch_seconds, 2u);
    EXPECT_EQ(typed({"status", "--watch=9"})->watch_seconds, 9u);
    EXPECT_FALSE(typed({"status"})->json);
    static_cast<void>(complaint({"status", "--jso"}));
    static_cast<void>(complaint({"status", "--socket"}));
    static_cast<void>(complaint({"status", "--timeout", "soon"}));
    static_cast<void>(complaint({"status", "--timeout", "0"}));
    static_cast<void>(complaint({"status", "--unknown"}));
}

// One parse reads the options of all verbs, so a name may not take a value here and none there.
TEST(Invocation, AnOptionTakesAValueInAllVerbsOrInNone) {
    std::map<std::string_view, bool> takes;
    for (const Option& option : common_options()) takes[option.name] = !option.value.empty();
    for (const Noun* noun : nouns()) {
        for (const Verb& verb : noun->verbs) {
            for (const Option& option : verb.options) {
                const auto [at, fresh] = takes.emplace(option.name, !option.value.empty());
                EXPECT_EQ(at->second, !option.value.empty()) << noun->name << " " << verb.name << " --" << option.name;
                for (const Option& common : common_options()) EXPECT_NE(option.name, common.name);
            }
            bool last_was_open = false;
            for (const Positional& each : verb.positionals) {
                EXPECT_FALSE(last_was_open && !each.optional) << verb.name;
                last_was_open = each.optional || each.repeats;
            }
        }
    }
}

TEST(Invocation, NounsNotBuiltSayWithTheirWordsAndFail) {
    for (const Noun* noun : nouns()) {
        if (!noun->verbs.empty()) continue;
        const auto read = typed({std::string(noun->name), "list", "anything"});
        ASSERT_TRUE(read.has_value()) << noun->name;
        const Status status = run(*read, [](std::string_view) { return true; });
        EXPECT_EQ(exit_code(status), kExitFailed);
        EXPECT_NE(status.message().find("not built yet"), std::string::npos);
        EXPECT_EQ(status.message().find(noun->name), 0u);
    }
}

TEST(Invocation, HelpAndManNameEveryNounVerbAndOption) {
    const std::string help = printed({"--help"});
    for (const Noun* noun : nouns()) {
        EXPECT_NE(help.find(noun->name), std::string::npos) << noun->name;
        const std::string name(noun->name);
        const std::string of_noun = printed({name, "--help"});
        const std::string man = printed({name, "--man"});
        EXPECT_EQ(man.rfind(".\\\"", 0), 0u);
        for (const Verb& verb : noun->verbs) {
            EXPECT_NE(of_noun.find(verb.name), std::string::npos) << verb.name;
            const std::string of_verb = help_text(noun, &verb);
            for (const Option& option : verb.options)
                EXPECT_NE(of_verb.find("--" + std::string(option.name)), std::string::npos) << option.name;
        }
    }
    for (const char* option : {"--json", "--socket", "--timeout", "--version", "--watch"})
        EXPECT_NE(help.find(option), std::string::npos);
    EXPECT_EQ(printed({"--version"}).rfind("seinectl ", 0), 0u);
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
