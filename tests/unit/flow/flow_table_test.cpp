// FlowTable against std::unordered_map, and its promises: stable ids, no decay, stated eviction.
#include "dataplane/flow/flow_table.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <set>
#include <unordered_map>
#include <vector>

#include "tests/support/counted_new.h"

namespace seine::flow {
namespace {

struct Hot {
    std::uint64_t number = 7;
    std::uint32_t more[16] = {};
};
using Table = FlowTable<Hot>;

FlowKey key_of(std::uint64_t n) {
    return {{n, n * 3}, {n ^ 5, 1}, static_cast<std::uint16_t>(n), 443, static_cast<std::uint8_t>(n >> 16 & 1)};
}

std::unique_ptr<Table> make_table(std::uint32_t flows_max, std::uint64_t seed = 1) {
    auto table = Table::make(flows_max, seed);
    EXPECT_TRUE(table.has_value());
    return std::move(*table);
}

void no_eviction(FlowId) { FAIL() << "nothing may be evicted here"; }

FlowId insert(Table& table, const FlowKey& key, Ticks now = 0) {
    return table.insert(key, table.hash(key), now, no_eviction);
}
FlowId find(const Table& table, const FlowKey& key) { return table.find(key, table.hash(key)); }

TEST(FlowTable, AnEntryTakesTwoCacheLines) {
    EXPECT_EQ(Table::kEntryBytes, 128u);
    struct Small {
        std::uint64_t words[2];
    };
    EXPECT_EQ(FlowTable<Small>::kEntryBytes, 64u);
}

TEST(FlowTable, TenMillionFlowsFitInOneAndAHalfGigabytes) {
    const auto table = make_table(10'000'000);
    // And the timer wheel's eight bytes an id.
    EXPECT_LE(table->bytes() + 10'000'000u * 8, 1'500'000'000u);
}

TEST(FlowTable, FindsWhatWasInsertedUntilErased) {
    const auto table = make_table(100);
    const FlowKey key = key_of(5);
    EXPECT_EQ(find(*table, key), kNoFlow);
    const FlowId id = insert(*table, key, 33);
    ASSERT_NE(id, kNoFlow);
    EXPECT_EQ(find(*table, key), id);
    EXPECT_EQ((*table)[id].number, 7u);
    EXPECT_TRUE(table->key(id) == key);
    EXPECT_EQ(table->seen(id), 33u);
    EXPECT_TRUE(table->half_open(id));
    EXPECT_TRUE(table->live(id));
    table->erase(id);
    EXPECT_EQ(find(*table, key), kNoFlow);
    EXPECT_FALSE(table->live(id));
    EXPECT_EQ(table->size(), 0u);
    EXPECT_EQ(table->half_open_count(), 0u);
}

TEST(FlowTable, HotStateStartsAnewInAReusedEntry) {
    const auto table = make_table(4);
    const FlowId first = insert(*table, key_of(1));
    (*table)[first].number = 99;
    table->erase(first);
    const FlowId second = insert(*table, key_of(2));
    EXPECT_EQ(second, first);
    EXPECT_EQ((*table)[second].number, 7u);
}

TEST(FlowTable, AWrongGuessOnlyCostsTime) {
    const auto table = make_table(100);
    const FlowId a = insert(*table, key_of(1));
    const FlowId b = insert(*table, key_of(2));
    EXPECT_EQ(table->find(key_of(2), table->hash(key_of(2)), a), b);
    EXPECT_EQ(table->find(key_of(3), table->hash(key_of(3)), a), kNoFlow);
    EXPECT_EQ(table->find(key_of(2), table->hash(key_of(2)), 99), b);
    table->erase(b);
    EXPECT_EQ(table->find(key_of(2), table->hash(key_of(2)), b), kNoFlow);
}

TEST(FlowTable, BatchLookupAnswersLikeSingle) {
    const auto table = make_table(5000);
    for (std::uint64_t n = 0; n < 4000; ++n) ASSERT_NE(insert(*table, key_of(n)), kNoFlow);
    for (std::uint64_t first = 0; first < 8000; first += 32) {
        std::uint64_t hashes[32];
        FlowId guesses[32];
        for (unsigned i = 0; i < 32; ++i) {
            hashes[i] = table->hash(key_of(first + i));
            table->prefetch_index(hashes[i]);
        }
        for (unsigned i = 0; i < 32; ++i) guesses[i] = table->prefetch_entry(hashes[i]);
        for (unsigned i = 0; i < 32; ++i) {
            const FlowKey key = key_of(first + i);
            EXPECT_EQ(table->find(key, hashes[i], guesses[i]), find(*table, key));
            EXPECT_EQ(table->find(key, hashes[i], guesses[i]) != kNoFlow, first + i < 4000);
        }
    }
}

TEST(FlowTable, AgreesWithUnorderedMapThroughChurn) {
    constexpr std::uint32_t kFlows = 3000;
    const auto table = make_table(kFlows);
    std::unordered_map<std::uint64_t, FlowId> model;
    std::vector<std::uint64_t> live;
    std::mt19937_64 random(11);
    const auto forget = [&](std::uint64_t n) {
        model.erase(n);
        for (std::uint64_t& each : live) {
            if (each == n) {
                each = live.back();
                live.pop_back();
                return;
            }
        }
        FAIL() << "evicted a flow the model does not know";
    };
    int evictions = 0;
    for (int step = 0; step < 200000; ++step) {
        const std::uint64_t n = random() % 6000;
        const FlowKey key = key_of(n);
        const std::uint64_t hash = table->hash(key);
        const FlowId id = table->find(key, hash, table->prefetch_entry(hash));
        const auto known = model.find(n);
        ASSERT_EQ(id, known == model.end() ? kNoFlow : known->second);
        if (id == kNoFlow) {
            const FlowId fresh = table->insert(key, hash, static_cast<Ticks>(step), [&](FlowId gone) {
                ++evictions;
                forget((*table)[gone].number);  // the victim is intact
            });
            ASSERT_NE(fresh, kNoFlow);
            (*table)[fresh].number = n;
            model[n] = fresh;
            live.push_back(n);
            if (random() % 2 == 0) table->set_half_open(fresh, false);
        } else if (random() % 3 == 0) {
            ASSERT_EQ((*table)[id].number, n);
            table->erase(id);
            forget(n);
        } else {
            table->touch(id, static_cast<Ticks>(step));
        }
        ASSERT_EQ(table->size(), model.size());
    }
    EXPECT_GT(evictions, 100);
    for (const auto& [n, id] : model) ASSERT_EQ(find(*table, key_of(n)), id);
    std::size_t walked = 0;
    for (FlowId id = 0; id < table->ids_end(); ++id) walked += table->live(id) ? 1 : 0;
    EXPECT_EQ(walked, model.size());
}

TEST(FlowTable, EvictsHalfOpenFlowsOldestFirst) {
    constexpr std::uint32_t kFlows = 200;
    const auto table = make_table(kFlows);
    std::set<FlowId> established;
    for (std::uint64_t n = 0; n < kFlows; ++n) {
        const FlowId id = insert(*table, key_of(n), static_cast<Ticks>(n));
        if (n % 2 == 0) {
            table->set_half_open(id, false);
            established.insert(id);
        }
    }
    EXPECT_EQ(table->half_open_count(), kFlows / 2);
    // A flood of half-open flows ten times the table: no established flow goes, and among the half-open each
    // newcomer outlives those before it.
    std::deque<std::uint64_t> expected;
    for (std::uint64_t n = 1; n < kFlows; n += 2) expected.push_back(n);
    for (std::uint64_t n = kFlows; n < 11 * kFlows; ++n) {
        std::uint64_t gone = ~std::uint64_t{0};
        const FlowKey key = key_of(n);
        ASSERT_NE(table->insert(key, table->hash(key), static_cast<Ticks>(n),
                                [&](FlowId id) { gone = table->key(id).low[0]; }),
                  kNoFlow);
        ASSERT_EQ(gone, expected.front());
        expected.pop_front();
        expected.push_back(n);
    }
    for (const FlowId id : established) EXPECT_FALSE(table->half_open(id));
    EXPECT_EQ(table->half_open_count(), kFlows / 2);
}

TEST(FlowTable, WithoutHalfOpenFlowsTheLongestUnseenOfTheNextSixteenGoes) {
    constexpr std::uint32_t kFlows = 64;
    const auto table = make_table(kFlows);
    for (std::uint64_t n = 0; n < kFlows; ++n) {
        const FlowId id = insert(*table, key_of(n), 1000);
        table->set_half_open(id, false);
        table->touch(id, n == 9 ? 500 : 1000 + static_cast<Ticks>(n));
    }
    FlowId gone = kNoFlow;
    const auto evict = [&](FlowId id) { gone = id; };
    const FlowId fresh = table->insert(key_of(100), table->hash(key_of(100)), 2000, evict);
    EXPECT_EQ(gone, 9u);
    EXPECT_EQ(fresh, 9u);
    table->set_half_open(fresh, false);
    EXPECT_NE(table->insert(key_of(101), table->hash(key_of(101)), 2000, evict), kNoFlow);
    EXPECT_EQ(gone, 16u);
    EXPECT_EQ(find(*table, key_of(9)), kNoFlow);
    // Time wraps: a flow seen just before the wrap is younger than one seen long ago.
    const auto wrapped = make_table(2);
    const FlowId old_flow = insert(*wrapped, key_of(1), 0x80000000);
    const FlowId new_flow = insert(*wrapped, key_of(2), 0xfffffff0);
    wrapped->set_half_open(old_flow, false);
    wrapped->set_half_open(new_flow, false);
    EXPECT_NE(wrapped->insert(key_of(3), wrapped->hash(key_of(3)), 5, evict), kNoFlow);
    EXPECT_EQ(gone, old_flow);
}

TEST(FlowTable, ErasingLeavesNoTrace) {
    // A full table through two million erase-insert pairs: a lookup of an absent key still ends at once.
    constexpr std::uint32_t kFlows = 1000;
    const auto table = make_table(kFlows, 3);
    std::vector<FlowId> ids;
    std::uint64_t next = 0;
    for (; next < kFlows; ++next) ids.push_back(insert(*table, key_of(next)));
    std::mt19937 random(5);
    const std::size_t before = test::allocation_count();
    for (int i = 0; i < 200000; ++i) {
        FlowId& id = ids[random() % kFlows];
        table->erase(id);
        id = table->insert(key_of(next), table->hash(key_of(next)), 0, [](FlowId) {});
        ASSERT_NE(id, kNoFlow);
        ++next;
    }
    EXPECT_EQ(test::allocation_count(), before);
    for (const FlowId id : ids) ASSERT_EQ(find(*table, table->key(id)), id);
}

TEST(FlowTable, KeysOfOneBucketStillWork) {
    // All in the same bucket run: hashes chosen by hand, as an attacker with the seed could.
    auto index = FlowIndex::make(2000);
    ASSERT_TRUE(index.has_value());
    constexpr std::uint32_t kIds = 700;
    for (std::uint32_t id = 0; id < kIds; ++id) ASSERT_TRUE(index->insert(std::uint64_t{id} << 20 | 3, id));
    std::mt19937 random(2);
    std::vector<bool> present(kIds, true);
    for (int step = 0; step < 5000; ++step) {
        const auto id = static_cast<std::uint32_t>(random() % kIds);
        const std::uint64_t hash = std::uint64_t{id} << 20 | 3;
        if (present[id]) {
            index->erase(hash, id);
        } else {
            ASSERT_TRUE(index->insert(hash, id));
        }
        present[id] = !present[id];
        const auto asked = static_cast<std::uint32_t>(random() % kIds);
        const bool found = index->search(std::uint64_t{asked} << 20 | 3, [&](std::uint32_t each) { return each == asked; });
        ASSERT_EQ(found, present[asked]);
    }
    // Past the bound of a search an insertion is refused, not endless.
    auto full = FlowIndex::make(2000);
    std::uint32_t taken = 0;
    while (taken < 3000 && full->insert(std::uint64_t{taken} << 20 | 3, taken)) ++taken;
    EXPECT_EQ(taken, FlowIndex::kProbesMax * FlowIndex::kSlots);
}

TEST(FlowTable, TheIndexGrowsWithItsFlowsAndLosesNone) {
    constexpr std::uint32_t kIds = 40000;
    auto index = FlowIndex::make(kIds);
    ASSERT_TRUE(index.has_value());
    EXPECT_LT(index->width(), kIds / 64);
    std::mt19937_64 random(11);
    std::vector<std::uint64_t> hashes;
    const auto has = [&](std::uint32_t id) {
        return index->search(hashes[id], [&](std::uint32_t each) { return each == id; });
    };
    std::vector<bool> present;
    const std::size_t before = test::allocation_count();
    hashes.reserve(kIds);
    for (std::uint32_t id = 0; id < kIds; ++id) {
        // Some share their low bits, so that runs of full buckets are split too.
        hashes.push_back(id % 64 == 0 ? (random() & ~std::uint64_t{0xff0f}) | 0x30 : random());
        const std::uint32_t width = index->width();
        ASSERT_TRUE(index->insert(hashes[id], id)) << id;
        present.push_back(true);
        // While it grows, each step is asked for all so far in turn: the oldest, and one at random.
        if (width != index->width()) {
            ASSERT_EQ(has(id), true);
            const auto some = static_cast<std::uint32_t>(random() % (id + 1));
            ASSERT_EQ(has(some), present[some]);
        }
        if (id % 3 == 0) {
            const auto gone = static_cast<std::uint32_t>(random() % (id + 1));
            if (present[gone]) index->erase(hashes[gone], gone);
            present[gone] = false;
        }
    }
    EXPECT_GT(index->width(), kIds / 16);
    EXPECT_LE(test::allocation_count() - before, 64u);  // the two vectors of this test
    for (std::uint32_t id = 0; id < kIds; ++id) ASSERT_EQ(has(id), present[id]) << id;
}

TEST(FlowTable, OneFlowIsEnough) {
    const auto table = make_table(0);
    EXPECT_EQ(table->capacity(), 1u);
    insert(*table, key_of(1));
    FlowId gone = kNoFlow;
    EXPECT_NE(table->insert(key_of(2), table->hash(key_of(2)), 0, [&](FlowId id) { gone = id; }), kNoFlow);
    EXPECT_EQ(gone, 0u);
}

}  // namespace
}  // namespace seine::flow
