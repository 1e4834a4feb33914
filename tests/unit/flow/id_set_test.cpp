// IdSet against std::set.
#include "dataplane/flow/id_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace seine::flow {
namespace {

TEST(IdSet, AgreesWithASet) {
    for (const std::uint32_t capacity : {1u, 2u, 63u, 64u, 65u, 4096u, 4097u, 300000u}) {
        auto made = IdSet::make(capacity);
        ASSERT_TRUE(made.has_value());
        IdSet& ids = *made;
        std::set<std::uint32_t> model;
        std::mt19937 random(capacity);
        for (int step = 0; step < 5000; ++step) {
            const auto id = static_cast<std::uint32_t>(random() % capacity);
            if (random() % 2 == 0) {
                ids.insert(id);
                model.insert(id);
            } else {
                const auto gone = random() % 3 == 0 && !model.empty() ? *model.begin() : id;
                ids.erase(gone);
                model.erase(gone);
            }
            ASSERT_EQ(ids.size(), model.size());
            ASSERT_EQ(ids.has(id), model.count(id) == 1);
            const auto from = static_cast<std::uint32_t>(random() % (capacity + 1));
            auto next = model.lower_bound(from);
            if (next == model.end()) next = model.begin();
            ASSERT_EQ(ids.next_from(from), model.empty() ? IdSet::kNone : *next) << capacity << " from " << from;
        }
    }
}

TEST(IdSet, RefusesImpossibleCapacities) {
    EXPECT_FALSE(IdSet::make(0).has_value());
    EXPECT_FALSE(IdSet::make((1u << 30) + 1).has_value());
}

}  // namespace
}  // namespace seine::flow
