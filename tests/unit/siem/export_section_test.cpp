// [[export]]: what is refused, what a start without its files does, and that any history of commits
// ends as a fresh start.
#include "control/export/export_section.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sys/stat.h>
#include <thread>

#include <gtest/gtest.h>

#include "control/config/revisions.h"
#include "control/config/toml.h"
#include "tests/siem/sample_events.h"
#include "tests/support/temp_folder.h"

namespace seine::siem {
namespace {

std::unique_ptr<Exporter> exporter_in(const std::string& path) {
    auto made = Exporter::open({path + "/export", "seine"});
    EXPECT_TRUE(made) << (made ? "" : made.error().message());
    return std::move(*made);
}

TEST(ExportSection, TwoDestinationsOfOneFileAreRefused) {
    const test::TempFolder box("section");
    const auto exporter = exporter_in(box.path());
    ExportSection section(exporter.get());
    const auto prepared = [&](const std::string& second) {
        const auto tree =
            config::read_toml("[[export]]\nname='a'\ncarrier='file'\npath='" + box.path() +
                                  "/one'\n[[export]]\nname='b'\n" + "carrier='file'\npath='" +
                                  box.path() + second + "'\n",
                              "f.toml");
        return section.prepare(*tree->find("export"));
    };
    EXPECT_TRUE(prepared("/two"));
    const auto refused = prepared("/one");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("export[b].path: " + box.path() +
                                             "/one is written by export[a], too"),
              std::string::npos)
        << refused.error().message();
}

TEST(ExportSection, FilesThatWouldBlockAreRefusedAtCheck) {
    const test::TempFolder box("section");
    ASSERT_EQ(::mkfifo((box.path() + "/pipe").c_str(), 0600), 0);
    const ExportSection section(nullptr);
    const auto fault_of = [&section](const std::string& settings) {
        const auto tree = config::read_toml("name='a'\n" + settings, "f.toml");
        std::vector<config::Fault> faults;
        section.check(*tree, "export[a]", faults);
        return faults.empty() ? std::string() : to_text(faults.front(), "f.toml");
    };
    const std::string pipe = box.path() + "/pipe";
    EXPECT_EQ(fault_of("carrier='file'\npath='" + pipe + "'\n"),
              "f.toml:3:6: export[a].path: " + pipe +
                  ": is a named pipe, a plain file is wanted; name another path, or take it away");
    for (const std::string key : {"secret_file", "ca_file", "cert_file", "key_file"}) {
        const std::string told =
            fault_of("carrier='webhook'\nurl='https://h:1'\n" + key + "='" + pipe + "'\n");
        EXPECT_NE(told.find("f.toml:4:"), std::string::npos) << told;
        EXPECT_NE(told.find(key + ": " + pipe + ": is a named pipe"), std::string::npos) << told;
    }
}

config::Node exports_of(const std::string& toml) {
    const auto tree = config::read_toml(toml, "f.toml");
    EXPECT_TRUE(tree);
    return *tree->find("export");
}

DestinationStatus state_of(const Exporter& exporter, const std::string& name) {
    for (const DestinationStatus& at : exporter.status()) {
        if (at.name == name) return at;
    }
    ADD_FAILURE() << "no destination " << name;
    return {};
}

// A certificate or token that is gone at a start: that destination alone is down, says what it
// lacks, keeps its events, and goes on by itself once it is there.
TEST(ExportSection, WhatLacksAFileAtAStartWaitsForIt) {
    const test::TempFolder box("section");
    const std::string token = box.path() + "/token";
    const auto wanted = exports_of(
        "[[export]]\nname='good'\ncarrier='file'\npath='" + box.path() +
        "/good'\n[[export]]\nname='late'\ncarrier='file'\npath='" + box.path() +
        "/late'\nsecret_file='" + token + "'\n");
    const auto exporter = exporter_in(box.path());
    ExportSection section(exporter.get());
    EXPECT_FALSE(section.prepare(wanted));  // a commit is refused
    {
        auto change = section.prepare_at_start(wanted);
        ASSERT_TRUE(change) << change.error().message();
        (*change)->apply();
    }
    for (std::uint64_t i = 0; i < 100; ++i) {
        model::Event event = tests::load_event(i);
        event.kind = model::EventKind::account_evidence;
        exporter->submit(std::move(event));
    }
    EXPECT_FALSE(exporter->drain(1000));
    EXPECT_TRUE(state_of(*exporter, "good").up);
    const DestinationStatus late = state_of(*exporter, "late");
    EXPECT_FALSE(late.up);
    EXPECT_EQ(late.error, token + ": cannot be read or is empty; write the token into it");
    EXPECT_GE(late.outbox.waiting[0], 100u);
    EXPECT_FALSE(exporter->probe("late").ok());
    std::ofstream(token) << "secret\n";
    EXPECT_TRUE(exporter->drain(10'000));
    EXPECT_TRUE(state_of(*exporter, "late").up);
    EXPECT_TRUE(exporter->probe("late").ok());
    // The health event that tells of it went to the other one, too.
    std::ifstream in(box.path() + "/good");
    const std::string good{std::istreambuf_iterator<char>(in), {}};
    EXPECT_NE(good.find("destination late takes no events"), std::string::npos);
    EXPECT_NE(good.find("destination late takes events again"), std::string::npos);
}

// With nothing to send, too.
TEST(ExportSection, AFileThatComesBackIsNoticedWithoutEvents) {
    const test::TempFolder box("section");
    const std::string file = box.path() + "/ca.pem";
    const auto wanted = exports_of("[[export]]\nname='late'\ncarrier='webhook'\nurl='https://h:1'\n"
                                   "ca_file='" + file + "'\nkinds=['farm']\n");
    const auto exporter = exporter_in(box.path());
    ExportSection section(exporter.get());
    auto change = section.prepare_at_start(wanted);
    ASSERT_TRUE(change) << change.error().message();
    (*change)->apply();
    const DestinationStatus late = state_of(*exporter, "late");
    EXPECT_FALSE(late.up);
    EXPECT_NE(late.error.find(file + ": cannot be read"), std::string::npos) << late.error;
    std::ofstream(file) << "certificates\n";
    bool up = false;
    for (int i = 0; i < 100 && !up; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        up = state_of(*exporter, "late").up;
    }
    EXPECT_TRUE(up);
}

// Destinations with what they are configured to, as far as it shows.
std::vector<std::string> in_effect(const Exporter& exporter) {
    std::vector<std::string> out;
    for (const DestinationStatus& at : exporter.status())
        out.push_back(at.name + " " + at.carrier + " " + at.format + " " + at.target +
                      (at.paused ? " paused" : "") + (at.up ? "" : " down"));
    std::sort(out.begin(), out.end());
    return out;
}

std::string random_exports(std::mt19937_64& random, const std::string& folder) {
    constexpr const char* kFormats[] = {"ecs", "cef", "eve"};
    std::string out;
    for (const char* name : {"a", "b", "c"}) {
        if (random() % 3 == 0) continue;
        // Every eighth path is a folder, which is refused.
        const std::string path = random() % 8 == 0 ? folder : folder + "/" + std::to_string(random() % 4);
        out += "[[export]]\nname='" + std::string(name) + "'\ncarrier='file'\npath='" + path +
               "'\nformat='" + kFormats[random() % 3] + "'\npaused=" +
               (random() % 2 == 0 ? "true" : "false") + "\n";
    }
    return out;
}

// The section that the daemon has, outboxes and threads and all: after any history what runs is
// what a start from the same file brings.
TEST(ExportSection, AnyHistoryOfCommitsEndsAsAFreshStart) {
    const test::TempFolder box("section");
    const char* rounds = std::getenv("SEINE_RANDOM_COMMITS");
    const int commits = rounds == nullptr ? 100 : std::atoi(rounds);
    const auto exporter = exporter_in(box.path());
    ExportSection section(exporter.get());
    auto made = config::Revisions::open(box.path() + "/config", {&section}, {1});
    ASSERT_TRUE(made);
    config::Revisions& revisions = **made;
    std::mt19937_64 random(7);
    int refused = 0;
    for (int i = 1; i <= commits; ++i) {
        const Nanos now{i * kSecond};
        const auto choice = random() % 8;
        bool done = true;
        if (choice < 5) {
            ASSERT_TRUE(revisions.load(random_exports(random, box.path()), "f").ok());
            done = choice < 4 ? revisions.commit("ann", "", now).has_value()
                              : revisions.commit_confirmed("ann", "", now, 3).has_value();
        } else if (choice < 7) {
            done = revisions.rollback(1 + random() % 4, "bob", "", now).has_value();
        } else {
            static_cast<void>(revisions.tick(now));
        }
        refused += done ? 0 : 1;
    }
    static_cast<void>(revisions.confirm().ok());
    EXPECT_GT(refused, commits / 10);
    EXPECT_GT(revisions.running(), static_cast<std::uint64_t>(commits) / 4);
    const test::TempFolder other("section");
    const auto fresh = exporter_in(other.path());
    ExportSection fresh_section(fresh.get());
    auto begun = config::Revisions::open(other.path() + "/config", {&fresh_section}, {1});
    ASSERT_TRUE(begun);
    ASSERT_TRUE((*begun)->load(revisions.running_text(), "f").ok());
    const auto number = (*begun)->commit("ann", "", {2});
    ASSERT_TRUE(number) << number.error().message();
    EXPECT_EQ(in_effect(*exporter), in_effect(*fresh));
    EXPECT_FALSE(in_effect(*fresh).empty()) << "choose another seed";
}

TEST(ExportSection, AnotherTokenInTheSameFileIsAChange) {
    const test::TempFolder box("section");
    const std::string file = box.path() + "/token";
    const auto fingerprint = [&](const std::string& token) {
        std::ofstream(file) << token << "\n";
        const auto tree = config::read_toml(
            "name='a'\ncarrier='hec'\nurl='https://h:1'\nsecret_file='" + file + "'\n", "f.toml");
        const auto settings = destination_settings(*tree);
        EXPECT_TRUE(settings);
        EXPECT_EQ(settings->fingerprint.find(token), std::string::npos);
        return settings->fingerprint;
    };
    const std::string first = fingerprint("one-token");
    EXPECT_EQ(fingerprint("one-token"), first);
    EXPECT_NE(fingerprint("two-token"), first);
}

}  // namespace
}  // namespace seine::siem
