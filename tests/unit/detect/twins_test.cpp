// Failover twins: what a rush of equal requests may not make, and what an evicted account leaves.
#include <gtest/gtest.h>

#include "control/detect/snapshot.h"
#include "tests/unit/detect/small_world.h"

namespace seine::detect {
namespace {

using test::kStart;
using test::Visit;

constexpr std::uint16_t kHourNow = 1;

// A request of `from` meets a short error, and comes back on `to` some time later.
void fail_over(Twins& twins, std::uint32_t from, std::uint32_t to, std::int64_t at,
               std::uint32_t request_bytes, Ending ending = Ending::limited) {
    twins.head({at - 20 * kMillisecond}, from, from, request_bytes);
    twins.tail({at}, from, from, request_bytes, ending);
    twins.head({at + 400 * kMillisecond}, to, to, request_bytes);
}

std::size_t strong_edges(const Twins& twins) {
    std::size_t n = 0;
    for (const auto& [key, edge] : twins.edges()) n += twins.nats(edge) >= Snapshot::kTwinNats ? 1 : 0;
    return n;
}

TEST(Twins, AFailedRequestThatComesBackElsewhereIsOne) {
    Twins twins({});
    fail_over(twins, 1, 2, kStart + 1800 * kSecond, 9'000);
    twins.match({kStart + 3600 * kSecond}, kHourNow);
    EXPECT_EQ(strong_edges(twins), 1u);
}

// Twenty clients start together, send one length twice and get short healthy answers.
TEST(Twins, ARushOfEqualRequestsMakesNone) {
    Twins twins({});
    twins.head({kStart}, 99, 99, 50'000);
    for (std::uint32_t n = 0; n < 40; ++n) {
        const std::uint32_t a = 1 + n % 20;
        const std::int64_t at = kStart + 1800 * kSecond + n * 200 * kMillisecond;
        twins.head({at}, a, a, 9'000);
        twins.tail({at + 50 * kMillisecond}, a, a, 9'000, Ending::short_answer);
    }
    // About the same length, all by itself.
    fail_over(twins, 50, 51, kStart + 2400 * kSecond, 9'100);
    fail_over(twins, 50, 51, kStart + 3000 * kSecond, 9'100);
    twins.match({kStart + 3600 * kSecond}, kHourNow);
    EXPECT_EQ(strong_edges(twins), 1u);
    EXPECT_TRUE(twins.edges().contains(50ull << 32 | 51));
}

// A thousand short answers are followed by a request as long as they are by a request at any other
// time: the one that fits says nothing. Of limits that were told, most come back: each one says much.
TEST(Twins, AreWeighedByHowManyChanceWouldMake) {
    Twins twins({});
    for (std::uint32_t n = 0; n < 1'000; ++n) {
        const std::int64_t at = kStart + n * 3 * kSecond;
        twins.head({at}, 1'000 + n, 1'000 + n, 3'000 + 40 * n);
        twins.tail({at + 50 * kMillisecond}, 1'000 + n, 1'000 + n, 3'000 + 40 * n,
                   Ending::short_answer);
    }
    fail_over(twins, 50, 51, kStart + 900 * kSecond, 9'020, Ending::short_answer);
    for (std::uint32_t n = 0; n < 10; ++n)
        fail_over(twins, 60 + 2 * n, 61 + 2 * n, kStart + (60 + 300 * n) * kSecond, 9'020 + 40 * n);
    twins.match({kStart + 3600 * kSecond}, kHourNow);
    EXPECT_LT(twins.nats(twins.edges().at(50ull << 32 | 51)), Snapshot::kTwinNats);
    EXPECT_EQ(strong_edges(twins), 10u);
    EXPECT_LT(twins.repeated(Ending::short_answer), twins.repeated(Ending::limited) / 10);
}

// What records say of a connection counts, not how short its last answer was.
TEST(Twins, ARequestThatWasAnsweredIsNoTail) {
    Observer observer{Options{}};
    std::uint64_t flow = 0;
    const auto ask = [&](std::uint64_t account, std::uint32_t limited) {
        Visit v;
        v.account = account;
        v.at = kStart + static_cast<std::int64_t>(account) * kSecond;
        v.request_bytes = 9'000;
        v.response_bytes = 280;
        model::Sighting opened = test::sighting(v, ++flow, false);
        opened.uses.front().limited = limited;
        observer.take(opened);
        observer.take(test::sighting(v, flow, true));
    };
    ask(1, 1);
    ask(2, 0);
    observer.twins.match({kStart + 60 * kSecond}, kHourNow);
    const auto& tallies = observer.twins.tallies();
    EXPECT_EQ(tallies[static_cast<std::size_t>(Ending::limited)].tails, 1);
    EXPECT_EQ(tallies[static_cast<std::size_t>(Ending::short_answer)].tails, 0);
}

TEST(Twins, NobodyInheritsThoseOfAnEvictedAccount) {
    Twins twins({});
    fail_over(twins, 1, 2, kStart + 600 * kSecond, 9'000);
    twins.match({kStart + 660 * kSecond}, kHourNow);
    ASSERT_TRUE(twins.edges().contains(1ull << 32 | 2));
    // A mark of the old holder of the slot waits for its twin; then the slot is another one's.
    twins.tail({kStart + 700 * kSecond}, 1, 1, 7'000, Ending::limited);
    twins.forget_account(1);
    EXPECT_TRUE(twins.forgotten_edge(1ull << 32 | 2));
    EXPECT_FALSE(twins.forgotten_edge(2ull << 32 | 3));
    twins.head({kStart + 700 * kSecond + 300 * kMillisecond}, 2, 2, 7'000);
    fail_over(twins, 1, 3, kStart + 705 * kSecond, 12'000);
    twins.match({kStart + 720 * kSecond}, kHourNow);
    EXPECT_FALSE(twins.forgotten(1));
    EXPECT_FALSE(twins.edges().contains(1ull << 32 | 2));
    EXPECT_TRUE(twins.edges().contains(1ull << 32 | 3));
}

TEST(Twins, AnObserverForgetsThoseOfWhomItEvicts) {
    Options options;
    options.accounts_max = 2;
    Observer observer(options);
    std::uint64_t flow = 0;
    const auto ask = [&](std::uint64_t account, std::int64_t at, std::uint32_t response_bytes) {
        Visit v;
        v.account = account;
        v.at = at;
        v.request_bytes = 9'000;
        v.response_bytes = response_bytes;
        observer.take(test::sighting(v, ++flow, true));
    };
    ask(1, kStart, 280);
    ask(2, kStart + 400 * kMillisecond, 5'000);
    observer.twins.match({kStart + 60 * kSecond}, kHourNow);
    ASSERT_EQ(observer.twins.edges().size(), 1u);
    ask(3, kStart + 70 * kSecond, 5'000);
    EXPECT_EQ(observer.accounts.evicted(), 1u);
    observer.twins.match({kStart + 120 * kSecond}, kHourNow);
    EXPECT_TRUE(observer.twins.edges().empty());
}

}  // namespace
}  // namespace seine::detect
