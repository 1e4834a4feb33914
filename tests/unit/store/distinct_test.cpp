// Counting different hashes: exact, estimated, merged, encoded.
#include "control/store/distinct.h"

#include <gtest/gtest.h>

#include "dataplane/base/hash.h"

namespace seine::store {
namespace {

std::uint64_t hash(std::uint64_t number) { return mix64(number * 0x9e3779b97f4a7c15u + 1, 0xd6e8feb86659fd93u); }

Distinct counted(std::uint64_t from, std::uint64_t count) {
    Distinct out;
    for (std::uint64_t i = 0; i < count; ++i) out.add(hash(from + i));
    return out;
}

TEST(Distinct, IsExactWhileFewAndCloseAfterwards) {
    for (const std::uint64_t count : {0u, 1u, 31u, 32u}) {
        EXPECT_EQ(counted(0, count).count(), count);
        EXPECT_TRUE(counted(0, count).exact());
    }
    for (const std::uint64_t count : {33u, 100u, 1000u, 5000u, 20000u, 200000u, 1000000u}) {
        const Distinct set = counted(7, count);
        EXPECT_FALSE(set.exact());
        EXPECT_NEAR(static_cast<double>(set.count()), static_cast<double>(count), 0.05 * static_cast<double>(count));
    }
}

TEST(Distinct, MergingIsAsIfAllHadBeenAddedToOne) {
    for (const std::uint64_t a : {5u, 20u, 40u, 3000u}) {
        for (const std::uint64_t b : {0u, 5u, 31u, 50u, 9000u}) {
            Distinct left = counted(0, a);
            left.merge(counted(a / 2, b));
            const std::uint64_t all = std::max(a, a / 2 + b);
            EXPECT_EQ(left.encode(), counted(0, all).encode()) << a << " " << b;
        }
    }
}

TEST(Distinct, SurvivesItsBytesAndRefusesOthers) {
    for (const std::uint64_t count : {0u, 3u, 32u, 33u, 900u, 5000u, 100000u}) {
        const Distinct set = counted(1, count);
        const std::string bytes = set.encode();
        EXPECT_LE(bytes.size(), Distinct::kBytesMax);
        Distinct back;
        ASSERT_TRUE(Distinct::decode(bytes, back));
        EXPECT_EQ(back.encode(), bytes);
        for (std::size_t cut = 0; cut < std::min<std::size_t>(bytes.size(), 300); ++cut)
            static_cast<void>(Distinct::decode(std::string_view(bytes).substr(0, cut), back));
    }
    Distinct none;
    EXPECT_FALSE(Distinct::decode("", none));
    EXPECT_FALSE(Distinct::decode("\x09", none));
    EXPECT_FALSE(Distinct::decode(std::string(1, '\x03') + std::string(4096, '\x7f'), none));
    EXPECT_FALSE(Distinct::decode(std::string("\x02\xff\xff\x01", 4), none));
}

}  // namespace
}  // namespace seine::store
