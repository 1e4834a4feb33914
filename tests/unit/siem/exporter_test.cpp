// Exporter: what an estimate promises is what a destination then gets, and destinations do not
// disturb each other.
#include "control/export/exporter.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>

#include "control/export/stream.h"
#include "tests/siem/sample_events.h"

namespace seine::siem {
namespace {

struct Box {
    std::string path =
        (std::filesystem::temp_directory_path() / ("seine-exporter-" + std::to_string(::getpid())))
            .string();
    Box() {
        std::filesystem::remove_all(path);
        std::filesystem::create_directories(path);
    }
    ~Box() { std::filesystem::remove_all(path); }
};

DestinationSettings to_file(const std::string& path, Kinds kinds) {
    DestinationSettings settings;
    settings.carrier.name = "archive";
    settings.carrier.carrier = "file";
    settings.carrier.path = path;
    settings.filter.kinds = kinds;
    settings.render.bytes_max = 0;
    settings.format = "ecs";
    return settings;
}

std::unique_ptr<Exporter> opened(const std::string& path) {
    auto made = Exporter::open({path + "/export", "seine"});
    EXPECT_TRUE(made) << (made ? "" : made.error().message());
    return std::move(*made);
}

TEST(Exporter, AnEstimateIsWhatTheDestinationThenGets) {
    const Box box;
    const auto exporter = opened(box.path);
    const auto submit_all = [&exporter] {
        for (std::uint64_t i = 0; i < 2000; ++i) {
            exporter->submit(tests::load_event(i));
            if (i % 10 == 0) exporter->submit(tests::sample_event(model::EventKind::farm));
        }
    };
    submit_all();
    const DestinationSettings settings = to_file(box.path + "/out.json", kFlow | kFarm);
    const auto estimate = exporter->estimate(settings);
    ASSERT_TRUE(estimate);
    // What was submitted in the seconds since start, as events and bytes of one such span.
    const double spans = 86400 / estimate->observed_seconds;
    EXPECT_NEAR(estimate->events_per_day / spans, 2200, 1);
    EXPECT_NEAR(estimate->events_per_day_by_kind[2] / spans, 200, 1);
    EXPECT_EQ(estimate->events_per_day_by_kind[0], 0);

    auto change = exporter->prepare({settings});
    ASSERT_TRUE(change) << change.error().message();
    exporter->apply(std::move(*change));
    submit_all();
    ASSERT_TRUE(exporter->drain(10'000));
    const auto bytes = static_cast<double>(std::filesystem::file_size(box.path + "/out.json"));
    // A line end an event comes on top, and numbers grow.
    EXPECT_NEAR(estimate->bytes_per_day / spans, bytes, 0.02 * bytes);
    EXPECT_EQ(exporter->status().front().outbox.acknowledged[0] +
                  exporter->status().front().outbox.acknowledged[1],
              2200u);
}

TEST(Exporter, AnEstimateKnowsFiltersAndSums) {
    const Box box;
    const auto exporter = opened(box.path);
    for (std::uint64_t i = 0; i < 1000; ++i) exporter->submit(tests::load_event(i));
    DestinationSettings settings = to_file(box.path + "/out.json", kFlow);
    const double spans = 86400 / exporter->estimate(settings)->observed_seconds;
    settings.filter.flow_sample = 0.1;
    const double sampled = exporter->estimate(settings)->events_per_day / spans;
    EXPECT_GT(sampled, 20);
    EXPECT_LT(sampled, 300);
    settings.filter.flow_sample = 1;
    settings.filter.kinds = kAlert;
    EXPECT_EQ(exporter->estimate(settings)->events_per_day, 0);
    settings.format = "xml";
    EXPECT_FALSE(exporter->estimate(settings));
}

// After an outage: what waited goes first and at the rate that was asked for, then what is new.
TEST(Destination, WhatWaitedIsSentInOrderAtItsRate) {
    const Box box;
    DestinationSettings settings = to_file(box.path + "/out.json", kAnyKind);
    settings.backfill_per_second = 1000;
    auto made = Destination::make(settings, box.path, nullptr);
    ASSERT_TRUE(made) << made.error().message();
    const std::int64_t now_ns = wall_ns();
    for (std::uint64_t i = 0; i < 2600; ++i) {
        model::Event event = tests::load_event(i);
        event.title = "event " + std::to_string(i);
        (*made)->offer(event, i < 2500 ? now_ns - 60 * kSecond : now_ns);
    }
    const std::int64_t begun = steady_ms();
    (*made)->start();
    while (!(*made)->drained() && steady_ms() - begun < 30'000) nap_ms(10);
    // The first second's worth goes at once.
    EXPECT_GE(steady_ms() - begun, 1400);
    std::ifstream in(box.path + "/out.json");
    std::uint64_t next = 0;
    for (std::string line; std::getline(in, line); ++next)
        ASSERT_NE(line.find("\"event " + std::to_string(next) + "\""), std::string::npos) << line;
    EXPECT_EQ(next, 2600u);
}

TEST(Exporter, ADestinationThatCannotWriteDisturbsNoOther) {
    const Box box;
    const auto exporter = opened(box.path);
    DestinationSettings good = to_file(box.path + "/good.json", kAnyKind);
    DestinationSettings bad = to_file(box.path + "/nowhere/bad.json", kAnyKind);
    bad.carrier.name = "broken";
    auto change = exporter->prepare({bad, good});
    ASSERT_TRUE(change) << change.error().message();
    exporter->apply(std::move(*change));
    for (std::uint64_t i = 0; i < 500; ++i) exporter->submit(tests::load_event(i));
    EXPECT_FALSE(exporter->drain(1000));
    for (const DestinationStatus& at : exporter->status()) {
        const bool is_bad = at.name == "broken";
        EXPECT_EQ(at.up, !is_bad);
        // The broken one's own fault is an event for both.
        EXPECT_EQ(at.outbox.waiting[1], is_bad ? 500u : 0u);
        EXPECT_NE(at.error.find(is_bad ? "cannot be opened" : ""), std::string::npos);
    }
}

}  // namespace
}  // namespace seine::siem
