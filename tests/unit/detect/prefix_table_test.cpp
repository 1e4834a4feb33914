// Networks from CSV and MaxMind DB files.
#include "control/detect/prefix_table.h"

#include <cstdio>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <gtest/gtest.h>

namespace seine::detect {
namespace {

model::Address at(const char* text) {
    model::Address out{};
    EXPECT_TRUE(model::from_text(text, out)) << text;
    return out;
}

std::string database() { return SEINE_DETECT_FILES "/networks.mmdb"; }

class File {
  public:
    File(const char* suffix, const std::string& bytes)
        : path_("/tmp/seine-prefixes-" + std::to_string(::getpid()) + suffix) {
        std::ofstream(path_, std::ios::binary) << bytes;
    }
    ~File() { std::remove(path_.c_str()); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

void expect(const PrefixTable& table, const char* address, std::uint32_t asn, NetClass net) {
    const Network found = table.lookup(at(address));
    EXPECT_EQ(found.asn, asn) << address;
    EXPECT_EQ(found.net, net) << address;
}

TEST(PrefixTable, ReadsADatabase) {
    PrefixTable table;
    const Status status = table.load(database());
    ASSERT_TRUE(status.ok()) << status.message();
    expect(table, "192.0.2.1", 64496, NetClass::hosting);
    expect(table, "192.0.2.200", 64497, NetClass::mobile);
    expect(table, "2001:db8::7", 4'200'000'001, NetClass::education);
    expect(table, "198.51.100.1", 0, NetClass::unknown);
    expect(table, "203.0.113.1", 0, NetClass::unknown);
}

TEST(PrefixTable, ALineWinsAndADatabaseFillsWhatItLeavesOpen) {
    const File lines(".csv", "prefix,asn,class\n192.0.2.0/26,0,vpn\n198.51.100.0/24,64500,ci\n");
    PrefixTable table;
    const Status status = table.load(lines.path() + ", " + database());
    ASSERT_TRUE(status.ok()) << status.message();
    expect(table, "192.0.2.1", 64496, NetClass::vpn);
    expect(table, "192.0.2.100", 64496, NetClass::hosting);
    expect(table, "198.51.100.1", 64500, NetClass::ci);
}

TEST(PrefixTable, AFaultyFileIsToldAndNothingIsTakenOver) {
    std::ifstream in(database(), std::ios::binary);
    std::ostringstream whole;
    whole << in.rdbuf();
    const std::string bytes = whole.str();
    PrefixTable table;
    ASSERT_TRUE(table.load(database()).ok());
    for (const std::size_t size : {std::size_t{0}, std::size_t{20}, bytes.size() / 2}) {
        const File cut(".mmdb", bytes.substr(0, size));
        const Status status = table.load(cut.path());
        ASSERT_FALSE(status.ok()) << size;
        EXPECT_NE(status.message().find(cut.path()), std::string::npos);
    }
    EXPECT_FALSE(table.load(database() + ",/nonexistent.mmdb").ok());
    EXPECT_FALSE(table.load("/nonexistent.csv").ok());
    expect(table, "192.0.2.1", 64496, NetClass::hosting);
}

}  // namespace
}  // namespace seine::detect
