// Dealing packets: flows by hash, fragments to the owner of their first one, bounds kept.
#include "dataplane/runtime/distributor.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace seine::runtime {
namespace {

using wire::SteerBy;
using wire::Steering;

// Packets are numbers; remembers where each went, in order.
struct Log final : Distributor::Target {
    void deliver(void* packet, unsigned worker) noexcept override {
        order.push_back(number(packet));
        worker_of[number(packet)] = worker;
    }
    static std::uintptr_t number(const void* packet) {
        return reinterpret_cast<std::uintptr_t>(packet);  // NOLINT: a number in a pointer's place
    }
    std::vector<std::uintptr_t> order;
    std::map<std::uintptr_t, unsigned> worker_of;
};
void* packet(std::uintptr_t number) { return reinterpret_cast<void*>(number); }  // NOLINT

// Hashes whose owners among four workers are 0, 1, 2, 3.
constexpr std::uint64_t owned_by(unsigned worker) { return (std::uint64_t{worker} << 62) | 7; }
constexpr Steering flow(unsigned worker) { return {SteerBy::flow, owned_by(worker), 0}; }
constexpr Steering first(unsigned worker, std::uint64_t key) {
    return {SteerBy::first_fragment, owned_by(worker), key};
}
constexpr Steering later(std::uint64_t key, unsigned fallback = 0) {
    return {SteerBy::later_fragment, owned_by(fallback), key};
}

TEST(Distributor, DealsByFlowHash) {
    Distributor distributor(4, {});
    Log log;
    for (unsigned i = 0; i < 4; ++i) distributor.offer(packet(i + 1), flow(i), {1}, log);
    distributor.offer(packet(5), {SteerBy::none, 0, 0}, {1}, log);
    distributor.offer(packet(6), {SteerBy::addresses, owned_by(3), 0}, {1}, log);
    EXPECT_EQ(log.worker_of, (std::map<std::uintptr_t, unsigned>{
                                 {1, 0}, {2, 1}, {3, 2}, {4, 3}, {5, 0}, {6, 3}}));
    EXPECT_EQ(log.order.size(), 6u);
}

TEST(Distributor, SpreadsHashesEvenly) {
    const Distributor distributor(3, {});
    unsigned counts[3] = {};
    std::uint64_t hash = 1;
    for (int i = 0; i < 3000; ++i) {
        hash = hash * 6364136223846793005u + 1442695040888963407u;
        ++counts[distributor.owner_of(hash)];
    }
    for (const unsigned count : counts) EXPECT_NEAR(count, 1000, 150);
    EXPECT_EQ(distributor.owner_of(UINT64_MAX), 2u);
}

TEST(Distributor, SendsLaterFragmentsWhereTheFirstWent) {
    Distributor distributor(4, {});
    Log log;
    distributor.offer(packet(1), first(2, 77), {1}, log);
    distributor.offer(packet(2), later(77), {2}, log);
    distributor.offer(packet(3), later(77), {3}, log);
    EXPECT_EQ(log.order, (std::vector<std::uintptr_t>{1, 2, 3}));
    EXPECT_EQ(log.worker_of[3], 2u);
    EXPECT_EQ(distributor.held_ever(), 0u);
}

TEST(Distributor, HoldsLaterFragmentsUntilTheFirstAndKeepsTheirOrder) {
    Distributor distributor(4, {});
    Log log;
    distributor.offer(packet(1), later(77), {1}, log);
    distributor.offer(packet(2), later(77), {2}, log);
    distributor.offer(packet(9), later(78), {2}, log);
    distributor.offer(packet(3), flow(1), {3}, log);
    EXPECT_EQ(log.order, (std::vector<std::uintptr_t>{3}));
    distributor.offer(packet(4), first(1, 77), {4}, log);
    EXPECT_EQ(log.order, (std::vector<std::uintptr_t>{3, 1, 2, 4}));
    EXPECT_EQ(log.worker_of[1], 1u);
    EXPECT_EQ(distributor.held_ever(), 3u);
    distributor.offer(packet(5), later(77), {5}, log);
    EXPECT_EQ(log.worker_of[5], 1u);
}

TEST(Distributor, LetsFragmentsGoWhenTheirFirstDoesNotComeInTime) {
    DistributorLimits limits;
    limits.remember_ns = 30 * kSecond;
    Distributor distributor(4, limits);
    Log log;
    distributor.offer(packet(1), later(77, 3), {0}, log);
    distributor.offer(packet(2), flow(0), {30 * kSecond}, log);
    EXPECT_EQ(log.order, (std::vector<std::uintptr_t>{2}));
    distributor.offer(packet(3), flow(0), {30 * kSecond + 1}, log);
    EXPECT_EQ(log.order, (std::vector<std::uintptr_t>{2, 1, 3}));
    EXPECT_EQ(log.worker_of[1], 3u) << "the worker of its address pair counts it";
    EXPECT_EQ(distributor.unowned_ever(), 1u);
}

TEST(Distributor, RemembersADatagramAnewWhenItsIdIsUsedAgain) {
    Distributor distributor(4, {});
    Log log;
    distributor.offer(packet(1), first(1, 77), {0}, log);
    distributor.offer(packet(2), first(2, 77), {29 * kSecond}, log);
    distributor.offer(packet(3), later(77), {31 * kSecond}, log);
    EXPECT_EQ(log.worker_of[3], 2u);
    EXPECT_EQ(log.order.size(), 3u);
}

TEST(Distributor, ForgetsTheOldestDatagramAtItsBound) {
    DistributorLimits limits;
    limits.datagrams_max = 3;
    limits.held_max = 100;
    Distributor distributor(4, limits);
    Log log;
    for (std::uint64_t key = 1; key <= 4; ++key) distributor.offer(packet(key), later(key), {1}, log);
    EXPECT_EQ(log.order, (std::vector<std::uintptr_t>{1}));
    distributor.flush(log);
    EXPECT_EQ(log.order, (std::vector<std::uintptr_t>{1, 2, 3, 4}));
}

TEST(Distributor, LetsTheOldestGoWhenTooManyAreHeld) {
    DistributorLimits limits;
    limits.held_max = 2;
    Distributor distributor(4, limits);
    Log log;
    distributor.offer(packet(1), later(5), {1}, log);
    distributor.offer(packet(2), later(5), {1}, log);
    distributor.offer(packet(3), later(5), {1}, log);  // its own datagram is the oldest
    EXPECT_EQ(log.order, (std::vector<std::uintptr_t>{1, 2}));
    distributor.offer(packet(4), first(3, 5), {1}, log);
    EXPECT_EQ(log.order, (std::vector<std::uintptr_t>{1, 2, 3, 4}));
    EXPECT_EQ(log.worker_of[3], 3u);
}

TEST(Distributor, RelievesOneDatagramAtATime) {
    Distributor distributor(4, {});
    Log log;
    distributor.relieve(log);
    distributor.offer(packet(1), later(5), {1}, log);
    distributor.offer(packet(2), later(6), {1}, log);
    distributor.relieve(log);
    EXPECT_EQ(log.order, (std::vector<std::uintptr_t>{1}));
}

TEST(Distributor, LosesNothingUnderARandomMixOfFragments) {
    DistributorLimits limits;
    limits.datagrams_max = 16;
    limits.held_max = 8;
    Distributor distributor(4, limits);
    Log log;
    std::uint64_t random = 42;
    for (std::uintptr_t i = 1; i <= 20000; ++i) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const std::uint64_t key = (random >> 40) % 40;
        const auto owner = static_cast<unsigned>(key % 4);
        const Nanos time{static_cast<std::int64_t>(i) * kMillisecond * 20};
        switch ((random >> 33) % 4) {
            case 0:
                distributor.offer(packet(i), first(owner, key), time, log);
                break;
            case 1:
                distributor.offer(packet(i), flow(owner), time, log);
                break;
            default:
                distributor.offer(packet(i), later(key, owner), time, log);
        }
    }
    distributor.flush(log);
    EXPECT_EQ(log.order.size(), 20000u);
    EXPECT_EQ(std::set<std::uintptr_t>(log.order.begin(), log.order.end()).size(), 20000u);
}

}  // namespace
}  // namespace seine::runtime
