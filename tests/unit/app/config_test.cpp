// Command line and bootstrap file: what is read, what is refused, and in which words.
#include "dataplane/app/config.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_folder.h"

namespace seine::app {
namespace {

Result<Config> read(std::vector<const char*> words) {
    words.insert(words.begin(), "seine-dataplane");
    return read_config(static_cast<int>(words.size()), words.data());
}

// The message of a refusal as wrong usage: exit 2, one line.
std::string refusal(const std::vector<const char*>& words) {
    const auto config = read(words);
    if (config) return "accepted";
    EXPECT_EQ(config.error().code(), Code::usage);
    EXPECT_EQ(config.error().message().find('\n'), std::string::npos);
    return config.error().message();
}

TEST(Config, KeyHeadersAreNamesOfHeaders) {
    const auto config = read({"--pcap", "x", "--key-header", "x-tenant-key", "--key-header", "X-Other"});
    ASSERT_TRUE(config);
    EXPECT_EQ(config->key_headers, (std::vector<std::string>{"x-tenant-key", "X-Other"}));
    EXPECT_NE(refusal({"--pcap", "x", "--key-header", "a b"}).find("name of a header"), std::string::npos);
    EXPECT_NE(refusal({"--af-packet", "x", "--bypass-mib", "63"}).find("a power of two"), std::string::npos);
    EXPECT_NE(refusal({"--inline", "a+b", "--bypass-mib", "64"}).find("would cut flows"), std::string::npos);
}

class ConfigFile : public ::testing::Test {
  protected:
    Result<Config> with(const std::string& text, std::vector<const char*> more = {}) {
        std::ofstream(path_) << text;
        more.insert(more.begin(), {"--config", path_.c_str()});
        return read(more);
    }
    std::string wrong(const std::string& text) {
        const auto config = with(text);
        if (config) return "accepted";
        EXPECT_EQ(config.error().code(), Code::usage);
        std::string message = config.error().message();
        EXPECT_EQ(message.find(path_), 0u) << message;
        return message.substr(std::min(path_.size(), message.size()));
    }
    test::TempFolder folder_{"app"};
    std::string path_ = folder_.file("seine.toml");
};

TEST(Config, TakesTheDocumentedOptions) {
    const auto config = read({"--pcap", "a.pcap", "--pcap=b.pcap", "--workers", "4", "--signatures", "s",
                              "--eal", "-m 256", "--records", "jsonl:out.jsonl", "--records",
                              "ring:/var/lib/seine/r", "--records-all", "--events", "--stats",
                              "json:stats.json", "--socket", "/run/s"});
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->pcap, (std::vector<std::string>{"a.pcap", "b.pcap"}));
    EXPECT_EQ(config->workers, 4u);
    EXPECT_EQ(config->eal, "-m 256");
    ASSERT_EQ(config->records.size(), 2u);
    EXPECT_EQ(config->records[0].path, "out.jsonl");
    EXPECT_EQ(config->records[1].form, RecordForm::ring);
    EXPECT_TRUE(config->records_all);
    EXPECT_TRUE(config->events);
    EXPECT_EQ(config->stats, "stats.json");
    EXPECT_EQ(config->socket, "/run/s");
    EXPECT_FALSE(config->live());
}

TEST(Config, WritesJsonLinesToStandardOutputByDefault) {
    const auto config = read({"--pcap", "a"});
    ASSERT_TRUE(config);
    ASSERT_EQ(config->records.size(), 1u);
    EXPECT_EQ(config->records[0].path, "-");
}

TEST(Config, PassesDashedWordsOnToDpdk) {
    const auto config = read({"--pcap", "a", "--eal", "--no-such-eal-option"});
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->eal, "--no-such-eal-option");
}

TEST(Config, SuggestsTheOptionThatWasMeant) {
    EXPECT_EQ(refusal({"--pcpa", "x"}), "unknown option --pcpa; did you mean --pcap?");
    EXPECT_EQ(refusal({"--record", "x"}), "unknown option --record; did you mean --records?");
    EXPECT_EQ(refusal({"--no-such-option"}), "unknown option --no-such-option; --help lists them");
    EXPECT_EQ(refusal({"-x"}), "unknown option -x; --help lists them");
}

TEST(Config, SaysWhatIsMissing) {
    EXPECT_EQ(refusal({}),
              "no input: give --pcap FILE, --af-packet IFACE, --af-xdp IFACE, --port ADDR or --inline A+B");
    EXPECT_NE(refusal({"--pcap"}).find("--pcap"), std::string::npos);
    EXPECT_EQ(refusal({"day.pcap"}),
              "day.pcap: an option is missing before it; for a capture write --pcap day.pcap");
}

TEST(Config, RefusesValuesOutOfRange) {
    EXPECT_NE(refusal({"--pcap", "a", "--workers", "none"}).find("--workers"), std::string::npos);
    EXPECT_EQ(refusal({"--pcap", "a", "--workers", "0"}), "--workers 0: give 1 to 64");
    EXPECT_EQ(refusal({"--pcap", "a", "--workers", "65"}), "--workers 65: give 1 to 64");
    EXPECT_NE(refusal({"--pcap", "a", "--workers", "-1"}), "accepted");
    EXPECT_NE(refusal({"--pcap", "a", "--workers", "99999999999999"}), "accepted");
    EXPECT_NE(refusal({"--pcap", "a", "--dataplane-id", "65536"}), "accepted");
    EXPECT_NE(refusal({"--pcap", "a", "--record-ring-bytes", "5"}), "accepted");
}

TEST(Config, RefusesTargetsItCannotRead) {
    for (const char* text : {"nonsense", "jsonl", "jsonl:", "ring:", "json:x", ":x", ""}) {
        EXPECT_NE(refusal({"--pcap", "a", "--records", text}).find("--records"), std::string::npos) << text;
    }
    EXPECT_NE(refusal({"--pcap", "a", "--records", "ring:-"}).find("ring:PATH"), std::string::npos);
    EXPECT_NE(refusal({"--pcap", "a", "--stats", "x"}).find("json:PATH"), std::string::npos);
    EXPECT_NE(refusal({"--pcap", "a", "--records", "jsonl:x", "--records", "ring:x"}).find("twice"),
              std::string::npos);
    EXPECT_NE(refusal({"--pcap", "a", "--records", "jsonl:x", "--stats", "json:x"}).find("two files"),
              std::string::npos);
}

TEST(Config, LetsAnythingGoToTheNullDevice) {
    EXPECT_TRUE(read({"--pcap", "a", "--records", "jsonl:/dev/null", "--stats", "json:/dev/null"}));
}

TEST(Config, KeepsCapturesAndLiveInputApart) {
    EXPECT_NE(refusal({"--pcap", "a", "--af-packet", "eth0"}).find("--pcap"), std::string::npos);
    const auto config = read({"--af-packet", "eth0", "--af-packet", "eth1"});
    ASSERT_TRUE(config);
    EXPECT_TRUE(config->live());
}

TEST(Config, HelpAndVersionNeedNoInput) {
    EXPECT_EQ(read({"--help"})->action, Action::help);
    EXPECT_EQ(read({"--version"})->action, Action::version);
    EXPECT_NE(version_text().find("JA4+"), std::string::npos);
    EXPECT_NE(version_text().find("DPDK"), std::string::npos);
    for (const std::string& name : option_names()) {
        EXPECT_NE(help_text().find("--" + name), std::string::npos) << name;
    }
}

TEST_F(ConfigFile, SetsWhatTheOptionsSet) {
    const auto config = with(R"(
pcap = ["a.pcap", "b.pcap"]
workers = 3
records = "jsonl:-"
stats = "json:s.json"
records-all = true
dataplane-id = 7
busy = true
[limits]
flows_max = 5000
)");
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->pcap.size(), 2u);
    EXPECT_EQ(config->workers, 3u);
    EXPECT_EQ(config->stats, "s.json");
    EXPECT_TRUE(config->records_all);
    EXPECT_EQ(config->dataplane_id, 7u);
    EXPECT_FALSE(config->idle_sleep);
    EXPECT_EQ(config->flows_max, 5000u);
}

TEST_F(ConfigFile, GivesWayToTheCommandLine) {
    const auto config = with("pcap = \"a\"\nworkers = 3\nrecords = [\"jsonl:x\", \"ring:y\"]\n",
                             {"--workers", "2", "--pcap", "b", "--records", "jsonl:z"});
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->workers, 2u);
    EXPECT_EQ(config->pcap, std::vector<std::string>{"b"});
    ASSERT_EQ(config->records.size(), 1u);
    EXPECT_EQ(config->records[0].path, "z");
}

TEST_F(ConfigFile, ErrorsCarryLineAndColumn) {
    EXPECT_EQ(wrong("pcap = \"a\"\nworkrs = 3\n"), ":2:1: unknown key workrs; did you mean workers?");
    EXPECT_EQ(wrong("pcap = \"a\"\nworkers = \"3\"\n"), ":2:11: workers wants a whole number, 0 or more");
    EXPECT_EQ(wrong("pcap = \"a\"\nworkers = -3\n"), ":2:11: workers wants a whole number, 0 or more");
    EXPECT_EQ(wrong("pcap = [\"a\", 5]\n").find(":1:14: pcap wants only texts"), 0u);
    EXPECT_EQ(wrong("[limits]\nflow_max = 5\n"),
              ":2:1: unknown key flow_max; did you mean flows_max?");
    EXPECT_EQ(wrong("pcap = \"a\"\nrecords = \"nonsense\"\n").find(":2:11: --records nonsense"), 0u);
    EXPECT_EQ(wrong("pcap = \"a\"\nstats = \"x\"\n").find(":2:9: --stats x"), 0u);
    EXPECT_EQ(wrong("pcap = \n").find(":1:8: "), 0u);
    EXPECT_EQ(wrong("limits = 3\n"), ":1:10: limits wants a table");
}

TEST_F(ConfigFile, SaysWhenItIsNotThere) {
    const auto config = read({"--config", "/nowhere/seine.toml"});
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().message().find("/nowhere/seine.toml: cannot be read"), 0u);
}

TEST(Closest, FindsSlipsButNotStrangers) {
    const std::vector<std::string> names = {"pcap", "port", "workers", "records-all"};
    EXPECT_EQ(closest("pacp", names), "pcap");
    EXPECT_EQ(closest("worker", names), "workers");
    EXPECT_EQ(closest("record-all", names), "records-all");
    EXPECT_EQ(closest("zzzzzz", names), "");
    EXPECT_EQ(closest("", names), "");
}

}  // namespace
}  // namespace seine::app
