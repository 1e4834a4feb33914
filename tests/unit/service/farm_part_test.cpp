// Detection inside the daemon: a sweep keeps no connection waiting, and neither a save nor the end of the
// daemon in the midst of one loses anything.
#include "control/service/farm_part.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/unit/detect/small_world.h"
#include "tests/unit/service/slow_store.h"

namespace seine::service {
namespace {

namespace fs = std::filesystem;
using detect::test::tag_of;
using detect::test::Town;

// A sweep that is about to think waits here for as long as it is held.
class Gate {
  public:
    void hold() { set(true); }
    void release() { set(false); }
    void pass() {
        std::unique_lock lock(mutex_);
        ++came_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !held_; });
    }
    // Waits for as many sweeps.
    void came(unsigned times) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this, times] { return came_ >= times; });
    }

  private:
    void set(bool held) {
        const std::lock_guard lock(mutex_);
        held_ = held;
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    bool held_ = false;
    unsigned came_ = 0;
};

template <typename Condition>
[[nodiscard]] bool comes_true(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

class FarmPartTest : public testing::Test {
  protected:
    FarmPartTest() {
        fs::create_directories(folder);
        config.state_folder = folder.string();
        config.detect_prefixes = (folder / "networks.csv").string();
        config.detect_sweep_seconds = 60;
        config.detect_threads = 1;
        std::ofstream(config.detect_prefixes) << "10.0.0.0/8,64000,residential\n40.0.0.0/8,64300,hosting\n";
    }
    ~FarmPartTest() override { fs::remove_all(folder); }
    std::unique_ptr<FarmPart> start(const Config& with) {
        auto made = FarmPart::make(with, store, findings, [this] { return Nanos{time.load()}; }, sections,
                                   [this] { gate.pass(); });
        return made ? std::move(*made) : nullptr;
    }
    // What a town's accounts did, as the thread that adds up tells it; waits until it is taken in.
    void feed(FarmPart& farms, const Town& town) {
        const std::uint64_t before = farms.status().taken;
        IngestPart part = farms.part();
        for (const detect::test::Visit& visit : town.visits) {
            part.sighting(detect::test::sighting(visit, ++flow, false), {});
            part.sighting(detect::test::sighting(visit, flow, true), {});
        }
        handed_over += kSecond;
        part.after_while({handed_over});
        ASSERT_TRUE(comes_true([&] { return farms.status().taken >= before + 2 * town.visits.size(); }));
    }
    // It has taken in 2,000 people and a farm of five, and has not swept.
    std::unique_ptr<FarmPart> start_with_a_farm() {
        auto farms = start(config);
        if (farms == nullptr) return farms;
        Town town;
        town.people(1, 2000);
        town.sharing_farm(200'000);
        feed(*farms, town);
        return farms;
    }
    void sweep(FarmPart& farms) {
        time += 100 * kSecond;
        const Nanos now{time.load()};
        ASSERT_TRUE(comes_true([&] { return farms.status().last_saved >= now; }));
    }
    static std::string words(const FarmPart& farms) {
        std::string out;
        const FarmPart::FarmsView view = farms.farms();
        for (const model::Farm& farm : *view) {
            out += "F-" + std::to_string(farm.id) + ":";
            for (const model::FarmMember& member : farm.members) out += " " + model::to_text(member.account);
            out += "\n";
        }
        return out;
    }

    fs::path folder = fs::temp_directory_path() / ("seine-farm-part-" + std::to_string(::getpid()));
    SlowStore store;
    Findings findings{store};
    std::atomic<std::int64_t> time{detect::test::kStart + 6 * detect::test::kDayNs + detect::test::kHourNs};
    DetectionSections sections{3, 5, [this] { return Nanos{time.load()}; }};
    Config config;
    Gate gate;
    std::uint64_t flow = 0;
    std::int64_t handed_over = 0;
};

TEST_F(FarmPartTest, ConnectionsAreTakenInWhileASweepThinks) {
    const auto farms = start_with_a_farm();
    ASSERT_NE(farms, nullptr);
    EXPECT_FALSE(farms->status().sweeping);
    gate.hold();
    time += 100 * kSecond;
    gate.came(1);
    Town late;
    late.people(300'000, 10);
    feed(*farms, late);
    EXPECT_TRUE(farms->status().sweeping);
    EXPECT_TRUE(farms->why(tag_of<model::AccountTag>(300'000)).known);
    EXPECT_TRUE(farms->farms()->empty());
    gate.release();
    ASSERT_TRUE(comes_true([&] { return farms->status().counters.sweeps == 1; }));
    EXPECT_EQ(farms->farms()->size(), 2u);  // a campaign and its cluster
    EXPECT_EQ(farms->status().accounts_in_farms, 5u);
    EXPECT_GT(farms->status().pause_us_longest, 0u);
    EXPECT_EQ(farms->status().shed, 0u);
}

TEST_F(FarmPartTest, WhatIsSavedDuringASweepRestartsToTheSameFarms) {
    const auto farms = start_with_a_farm();
    ASSERT_NE(farms, nullptr);
    sweep(*farms);
    const std::string before = words(*farms);
    ASSERT_FALSE(before.empty());
    gate.hold();
    time += 100 * kSecond;
    gate.came(2);
    const std::uint64_t id = farms->farms()->front().id;
    ASSERT_TRUE(farms->confirm(id, "seen before").ok());  // saves
    EXPECT_TRUE(farms->status().sweeping);
    Config other = config;
    other.state_folder = (folder / "other").string();
    fs::create_directories(other.state_folder);
    fs::copy(folder / "detect.state", folder / "other" / "detect.state");
    {
        DetectionSections own{3, 5, [this] { return Nanos{time.load()}; }};
        auto again = FarmPart::make(other, store, findings, [this] { return Nanos{time.load()}; }, own);
        ASSERT_TRUE(again.has_value());
        EXPECT_EQ((*again)->status().problem, "");
        EXPECT_EQ(words(**again), before);
    }
    gate.release();
    ASSERT_TRUE(comes_true([&] { return farms->status().counters.sweeps == 2; }));
    EXPECT_EQ(words(*farms), before);
}

TEST_F(FarmPartTest, TheEndInTheMidstOfASweepLosesNothing) {
    auto farms = start_with_a_farm();
    ASSERT_NE(farms, nullptr);
    sweep(*farms);
    const std::string before = words(*farms);
    gate.hold();
    time += 100 * kSecond;
    gate.came(2);
    Town late;
    late.people(300'000, 10);
    feed(*farms, late);
    std::thread ends([&] { farms.reset(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    gate.release();
    ends.join();
    farms = start(config);
    ASSERT_NE(farms, nullptr);
    EXPECT_EQ(farms->status().problem, "");
    EXPECT_EQ(words(*farms), before);
    EXPECT_TRUE(farms->why(tag_of<model::AccountTag>(300'009)).known);
}

// At any moment of a sweep: an end that comes while accounts are frozen gives that sweep up.
TEST_F(FarmPartTest, TheEndAtAnyMomentIsSoonOver) {
    for (int moment = 0; moment < 4; ++moment) {
        const auto farms = start_with_a_farm();
        ASSERT_NE(farms, nullptr);
        time += 100 * kSecond;
        std::this_thread::sleep_for(std::chrono::milliseconds(900 + 60 * moment));
    }
    const auto farms = start(config);
    ASSERT_NE(farms, nullptr);
    EXPECT_EQ(farms->status().problem, "");
    EXPECT_TRUE(farms->why(tag_of<model::AccountTag>(2000)).known);
}

}  // namespace
}  // namespace seine::service
