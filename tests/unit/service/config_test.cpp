// The bootstrap file: the shipped example, every kind of mistake, and where it is told.
#include "control/service/config.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace seine::service {
namespace {

class ConfigFile : public testing::Test {
  protected:
    Result<Config> read(const std::string& text) {
        std::ofstream(path) << text;
        return read_config(path);
    }
    // What is said of a file; its place and words.
    std::string said(const std::string& text) {
        const auto config = read(text);
        EXPECT_FALSE(config.has_value()) << text;
        if (config) return "";
        EXPECT_EQ(config.error().code(), Code::usage);
        return config.error().message().substr(path.size());
    }
    test::TempFolder folder{"config"};
    std::string path = folder.file("control.toml");
};

TEST_F(ConfigFile, TheShippedExampleIsWhatTheProgramPrintsAndChangesNothing) {
    std::ifstream file(SEINE_SOURCE_DIR "/packaging/seine-control.toml");
    std::stringstream shipped;
    shipped << file.rdbuf();
    EXPECT_EQ(shipped.str(), example_config()) << "seine-control --example-config >packaging/seine-control.toml";
    ASSERT_TRUE(read(example_config()).has_value());
    // With the comment signs of keys taken away it still reads, to the same values.
    std::string open;
    std::stringstream lines(example_config());
    for (std::string line; std::getline(lines, line);)
        open += (line.size() > 1 && line[0] == '#' && line[1] != ' ' ? line.substr(1) : line) + "\n";
    const auto config = read(open);
    ASSERT_TRUE(config.has_value()) << config.error().message();
    EXPECT_EQ(config->socket, Config().socket);
    EXPECT_EQ(config->rings, Config().rings);
    EXPECT_EQ(config->flow_bytes, Config().flow_bytes);
}

TEST_F(ConfigFile, ReadsEveryKindOfValue) {
    const auto config = read("rings = ['/a', '/b']\nsocket = '/s'\n[store]\nflow-hours = 3\nfolder = '/f'\n");
    ASSERT_TRUE(config.has_value()) << config.error().message();
    EXPECT_EQ(config->rings, (std::vector<std::string>{"/a", "/b"}));
    EXPECT_EQ(config->socket, "/s");
    EXPECT_EQ(config->flow_hours, 3u);
    EXPECT_EQ(config->state_folder, "/f");
    EXPECT_EQ(read("[limits]\nlive-flows = 0\n")->live_flows, 0u);
    EXPECT_EQ(read("rings = '/one'\n")->rings, std::vector<std::string>{"/one"});
}

TEST_F(ConfigFile, AMistakeIsToldWithItsPlaceAndTheRemedy) {
    EXPECT_EQ(said("\nsokcet = '/s'\n"), ":2:1: unknown key sokcet; did you mean socket?");
    EXPECT_EQ(said("[store]\nflow-hour = 1\n"), ":2:1: unknown key flow-hour in [store]; did you mean flow-hours?");
    EXPECT_EQ(said("[stoer]\n"), ":1:2: unknown key stoer; did you mean store?");
    EXPECT_EQ(said("zzzzzz = 1\n"), ":1:1: unknown key zzzzzz; seine-control --example-config prints all keys");
    EXPECT_EQ(said("socket = 1\n"), ":1:10: socket wants a text in quotes");
    EXPECT_EQ(said("store = 1\n"), ":1:9: store wants a table: [store]");
    EXPECT_EQ(said("[store]\nflow-rate = 0\n"), ":2:13: flow-rate wants a whole number from 1 to 1000000");
    EXPECT_EQ(said("[store]\nflow-rate = -1\n"), ":2:13: flow-rate wants a whole number from 1 to 1000000");
    EXPECT_EQ(said("[limits]\nlive-flows = 999\n"), ":2:14: live-flows wants a whole number from 1000 to 100000000, or 0");
    EXPECT_EQ(said("rings = [1]\n"), ":1:9: rings wants a list of texts in quotes");
    EXPECT_EQ(said("log-level = 'loud'\n"), ":1:13: log-level wants one of: debug info warning error");
    EXPECT_EQ(said("socket = \n").substr(0, 3), ":1:");
    EXPECT_NE(read_config(folder.file("none")).error().message().find("check the path"), std::string::npos);
}

TEST(ConfigKeys, EveryKeyHasOneMemberAndAMeaning) {
    for (const ConfigKey& key : config_keys()) {
        EXPECT_EQ((key.text != nullptr) + (key.number != nullptr) + (key.flag != nullptr) + (key.texts != nullptr), 1)
            << key.name;
        EXPECT_FALSE(key.meaning.empty()) << key.name;
        EXPECT_NE(man_page().find(std::string(key.meaning.substr(0, 10))), std::string::npos) << key.name;
    }
}

}  // namespace
}  // namespace seine::service
