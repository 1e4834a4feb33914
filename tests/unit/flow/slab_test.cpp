// Pool<T>: fresh states, exhaustion, reuse.
#include "dataplane/flow/slab.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/support/counted_new.h"

namespace seine::flow {
namespace {

struct Cold {
    std::uint64_t number = 42;
    std::uint8_t bytes[100] = {};
};

TEST(Pool, HandsOutFreshStatesUntilExhausted) {
    auto made = Pool<Cold>::make(10, "test states");
    ASSERT_TRUE(made.has_value());
    Pool<Cold>& pool = **made;
    const std::size_t before = test::allocation_count();
    std::uint32_t ids[10];
    for (std::uint32_t& id : ids) {
        id = pool.take();
        ASSERT_NE(id, kNoState);
        EXPECT_EQ(pool[id].number, 42u);
        pool[id].number = id;
    }
    EXPECT_EQ(std::set<std::uint32_t>(ids, ids + 10).size(), 10u);
    EXPECT_EQ(pool.take(), kNoState);
    EXPECT_EQ(pool.used(), 10u);
    for (const std::uint32_t id : ids) EXPECT_EQ(pool[id].number, id);
    pool.give(ids[3]);
    pool.give(ids[7]);
    const std::uint32_t again = pool.take();
    EXPECT_EQ(again, ids[7]);  // warmest first
    EXPECT_EQ(pool[again].number, 42u);
    EXPECT_EQ(pool.take(), ids[3]);
    EXPECT_EQ(pool.take(), kNoState);
    EXPECT_LE(test::allocation_count(), before + 10);  // the std::set above
}

TEST(Pool, AllocatesNothingAfterMake) {
    auto made = Pool<Cold>::make(100, "test states");
    ASSERT_TRUE(made.has_value());
    const std::size_t before = test::allocation_count();
    for (int round = 0; round < 3; ++round) {
        for (std::uint32_t i = 0; i < 100; ++i) static_cast<void>((*made)->take());
        for (std::uint32_t i = 0; i < 100; ++i) (*made)->give(i);
    }
    EXPECT_EQ(test::allocation_count(), before);
    EXPECT_EQ((*made)->used(), 0u);
}

TEST(Pool, SmallTypesWorkToo) {
    auto made = Pool<std::uint32_t>::make(3, "test words");
    ASSERT_TRUE(made.has_value());
    const std::uint32_t a = (*made)->take();
    (**made)[a] = 9;
    (*made)->give(a);
    EXPECT_EQ((**made)[(*made)->take()], 0u);
}

TEST(MappedMemory, SaysWhoCouldNotHaveIt) {
    auto made = MappedMemory::make(std::size_t{1} << 62, "far too much");
    ASSERT_FALSE(made.has_value());
    EXPECT_NE(made.error().message().find("far too much"), std::string::npos);
}

}  // namespace
}  // namespace seine::flow
