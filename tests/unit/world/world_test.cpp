// Worlds: the same bytes again, no labels where a detector looks, and both forms say the same.
#include <algorithm>
#include <set>
#include <vector>

#include "tests/unit/world/world_folder.h"
#include "tools/world/pack.h"

namespace seine::world {
namespace {

const char* const kFiles[] = {"flows.jsonl", "accounts.jsonl",  "prefixes.csv",
                              "truth.jsonl", "truth_flows.csv", "truth_exchanges.csv",
                              "world.json"};

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++n;
    return n;
}
std::uint64_t number_after(const std::string& line, const std::string& key) {
    const std::size_t at = line.find(key);
    return at == std::string::npos ? 0 : std::strtoull(line.c_str() + at + key.size(), nullptr, 10);
}
std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

TEST(World, SameSeedSameBytesAtAnyThreadCount) {
    WorldFolder one, four, other;
    one.make("L4", 7, 1, false);
    four.make("L4", 7, 4, false);
    other.make("L4", 8, 2, false);
    for (const char* file : kFiles) {
        EXPECT_EQ(one.text(file), four.text(file)) << file;
        EXPECT_FALSE(one.text(file).empty()) << file;
    }
    EXPECT_NE(one.text("flows.jsonl"), other.text("flows.jsonl"));
    EXPECT_NE(one.text("truth.jsonl"), other.text("truth.jsonl"));
}

TEST(World, NoLabelWhereADetectorLooks) {
    WorldFolder world;
    world.make("L1", 3, 2, false);
    for (const char* file : {"flows.jsonl", "accounts.jsonl", "prefixes.csv"}) {
        const std::string text = world.text(file);
        for (const char* word :
             {"op-", "farm", "campaign", "confounder", "L1", "campus_", "cgnat", "replaces"})
            EXPECT_EQ(text.find(word), std::string::npos) << file << " holds " << word;
    }
    // Rows of the truth are in the order of tags, which know nothing.
    const std::vector<std::string> truth = lines_of(world.text("truth.jsonl"));
    EXPECT_TRUE(std::is_sorted(truth.begin(), truth.end()));
}

TEST(World, FlowsAreInOrderAndTruthNamesTheirAccounts) {
    WorldFolder world;
    const MakeCounts counts = world.make("L1", 5, 2, false);
    const std::vector<std::string> flows = lines_of(world.text("flows.jsonl")),
                                   owners = lines_of(world.text("truth_flows.csv"));
    ASSERT_EQ(flows.size(), counts.flows);
    ASSERT_EQ(owners.size(), counts.flows + 1);
    std::uint64_t last = 0;
    for (std::size_t i = 0; i < flows.size(); ++i) {
        const std::uint64_t open = number_after(flows[i], "\"t_open_ns\":");
        EXPECT_LE(last, open);
        EXPECT_LT(open, number_after(flows[i], "\"t_close_ns\":"));
        EXPECT_EQ(number_after(flows[i], "\"flow_id\":"),
                  std::strtoull(owners[i + 1].c_str(), nullptr, 10));
        last = open;
    }
    // L1 shares connections: some line of the truth names several accounts.
    EXPECT_TRUE(std::any_of(owners.begin() + 1, owners.end(), [](const std::string& o) {
        return std::count(o.begin(), o.end(), ',') > 1;
    }));
    std::uint64_t exchanges = 0;
    for (const std::string& line : lines_of(world.text("truth_exchanges.csv")))
        exchanges += std::strtoull(line.c_str() + line.rfind(',') + 1, nullptr, 10);
    EXPECT_EQ(exchanges, counts.farm_exchanges);
}

TEST(World, EveryConfounderIsThereAndFarmsHaveTheirShare) {
    WorldFolder world;
    const MakeCounts counts = world.make("L4", 11, 2, false, 8000, 1);
    const std::string truth = world.text("truth.jsonl");
    for (const char* name :
         {"cgnat",        "mobile",    "split_tcp",     "cloud",           "ci",
          "serverless",   "corp_nat",  "corp_relay",    "corp_inspection", "campus",
          "campus_burst", "vpn",       "saas",          "byok_declared",   "byok_undeclared",
          "satellite",    "household", "privacy_relay", "proxy_user",      "hackathon",
          "static_block", "launch"})
        EXPECT_GT(count_of(truth, std::string("\"confounder\":\"") + name + "\""), 0u) << name;
    for (const char* name : {"A", "B", "C"})
        EXPECT_GE(count_of(truth, std::string("\"campaign\":\"") + name + "\""), 30u);
    EXPECT_EQ(counts.accounts, lines_of(truth).size());
    EXPECT_NEAR(static_cast<double>(counts.accounts), 8000, 80);
}

TEST(World, PackedFormSaysTheSame) {
    WorldFolder lines, packed;
    const MakeCounts a = lines.make("L2", 9, 2, false);
    const MakeCounts b = packed.make("L2", 9, 2, true);
    EXPECT_EQ(a.flows, b.flows);
    EXPECT_EQ(a.records, b.records);
    EXPECT_EQ(lines.text("truth.jsonl"), packed.text("truth.jsonl"));
    auto reader = PackReader::open_flows(packed.path("flows.bin"));
    ASSERT_TRUE(reader.has_value()) << reader.error().message();
    std::vector<model::Flow> flows;
    for (std::size_t before = 1; before != flows.size();) {
        before = flows.size();
        ASSERT_TRUE((*reader)->next(flows).ok());
    }
    const std::vector<std::string> text = lines_of(lines.text("flows.jsonl"));
    ASSERT_EQ(flows.size(), text.size());
    for (std::size_t i = 0; i < flows.size(); ++i) {
        EXPECT_EQ(static_cast<std::uint64_t>(flows[i].t_open.count),
                  number_after(text[i], "\"t_open_ns\":"));
        EXPECT_EQ(static_cast<std::uint64_t>(flows[i].t_close.count),
                  number_after(text[i], "\"t_close_ns\":"));
        EXPECT_EQ(flows[i].rtt_tls_us, number_after(text[i], "\"rtt_tls_us\":"));
        EXPECT_NE(text[i].find("\"src\":\"" + model::to_text(flows[i].tuple.client) + "\""),
                  std::string::npos);
        EXPECT_EQ(flows[i].exchanges.size() + 1,
                  count_of(text[i].substr(text[i].find("\"exchanges\"")), "["));
    }
    auto records = PackReader::open_records(packed.path("accounts.bin"));
    ASSERT_TRUE(records.has_value()) << records.error().message();
    std::vector<PackedRecord> rows;
    for (std::size_t before = 1; before != rows.size();) {
        before = rows.size();
        ASSERT_TRUE((*records)->next(rows).ok());
    }
    const std::vector<std::string> record_text = lines_of(lines.text("accounts.jsonl"));
    ASSERT_EQ(rows.size(), record_text.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(rows[i].record.t_req_us, number_after(record_text[i], "\"t_req_us\":"));
        EXPECT_EQ(rows[i].record.seq, number_after(record_text[i], "\"seq\":"));
        EXPECT_EQ(rows[i].record.model_id, number_after(record_text[i], "\"model_id\":"));
        EXPECT_EQ(rows[i].signup, record_text[i].find("\"type\":\"signup\"") != std::string::npos);
    }
}

TEST(World, BenignDayHasNoFarms) {
    WorldFolder world;
    const MakeCounts counts = world.make("L4", 4, 2, false, 2000, 1, false);
    EXPECT_EQ(counts.farm_accounts, 0u);
    EXPECT_EQ(counts.accounts, lines_of(world.text("truth.jsonl")).size());
    EXPECT_EQ(lines_of(world.text("truth_exchanges.csv")).size(), 1u);
    EXPECT_GT(count_of(world.text("truth.jsonl"), "proxy_user"), 0u);
}

TEST(World, DamagedPackIsToldNotRead) {
    WorldFolder world;
    world.make("L3", 2, 2, true, 400, 0.2);
    const std::string whole = world.text("flows.bin");
    const auto fails = [&](std::string bytes) {
        std::ofstream(world.path("flows.bin"), std::ios::binary) << bytes;
        auto reader = PackReader::open_flows(world.path("flows.bin"));
        if (!reader) return true;
        std::vector<model::Flow> flows;
        for (std::size_t before = 1; before != flows.size();) {
            before = flows.size();
            if (!(*reader)->next(flows).ok()) return true;
        }
        return false;
    };
    EXPECT_FALSE(fails(whole));
    EXPECT_TRUE(fails(whole.substr(0, 10)));
    EXPECT_TRUE(fails(whole.substr(0, whole.size() - 1)));
    EXPECT_TRUE(fails("SEINEWR1" + whole.substr(8)));
    // A byte turned anywhere may give other values, but never a crash.
    for (std::size_t at = 8; at < whole.size(); at += 97) {
        std::string turned = whole;
        turned[at] = static_cast<char>(turned[at] ^ 0x80);
        (void)fails(turned);
    }
}

}  // namespace
}  // namespace seine::world
