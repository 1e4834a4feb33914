// Configuration and audit: whole or not at all, back by itself, the same after any history, and a
// chain that tells.
#include <filesystem>
#include <fstream>
#include <random>
#include <unistd.h>

#include <gtest/gtest.h>

#include "control/config/audit.h"
#include "control/config/files.h"
#include "control/config/revisions.h"
#include "control/config/toml.h"

namespace seine::config {
namespace {

// In memory where that is possible: a thousand commits push a few thousand files to the disk.
struct Folder {
    std::string path;
    Folder() {
        const std::filesystem::path memory = "/dev/shm";
        path = (std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path()) /
               ("seine-config-" + std::to_string(::getpid()) + "-" +
                ::testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::remove_all(path);
        std::filesystem::create_directories(path);
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

constexpr Setting kSettings[] = {
    {.name = "name", .type = Node::Type::text, .meaning = "a name", .needed = true},
    {.name = "port",
     .type = Node::Type::integer,
     .meaning = "a port",
     .otherwise = "514",
     .least = 1,
     .most = 65535},
    {.name = "kinds", .type = Node::Type::array, .meaning = "kinds", .choices = "alert flow farm"},
    {.name = "share", .type = Node::Type::real, .meaning = "a share", .least = 0, .most = 1},
};

// Keeps what is in effect; fails to prepare when told to, or for a port of 13.
class Recorder : public Section {
  public:
    explicit Recorder(std::string name, bool list) : name_(std::move(name)), list_(list) {}
    [[nodiscard]] std::string_view name() const noexcept override { return name_; }
    [[nodiscard]] std::string_view meaning() const noexcept override {
        return "a section of a test";
    }
    [[nodiscard]] bool is_list() const noexcept override { return list_; }
    [[nodiscard]] std::span<const Setting> settings() const noexcept override { return kSettings; }
    void check(const Node& table, const std::string& path,
               std::vector<Fault>& faults) const override {
        if (table.integer_of("port") == 7)
            faults.push_back({path, table.line, table.column, "echo is no port for this"});
    }
    Result<std::unique_ptr<Change>> prepare(const Node& wanted) override {
        ++prepared;
        for (const Node& item : wanted.items) {
            const std::int64_t port = item.integer_of("port");
            if (port == 13 || (taken_port != 0 && port == taken_port))
                return failed(name_ + ": port " + std::to_string(port) + " cannot be opened");
        }
        struct Apply : Change {
            Recorder* owner;
            Node wanted;
            void apply() noexcept override {
                owner->in_effect = wanted;
                ++owner->applied;
            }
        };
        auto change = std::make_unique<Apply>();
        change->owner = this;
        change->wanted = wanted;
        return std::unique_ptr<Change>(std::move(change));
    }
    Node in_effect;
    std::int64_t taken_port = 0;
    int prepared = 0;
    int applied = 0;

  private:
    std::string name_;
    bool list_;
};

struct Router {
    Recorder first{"first", true};
    Recorder second{"second", true};
    std::unique_ptr<Revisions> revisions;
    Status open(const std::string& path, Nanos now = {}) {
        auto made = Revisions::open(path, {&first, &second}, now);
        if (!made) return made.error();
        revisions = std::move(*made);
        return {};
    }
    // Loads one table of `first` for each port, each as a revision of its own.
    void commit_ports(std::initializer_list<int> ports) const {
        for (const int port : ports) {
            const std::string text = "[[first]]\nname='a'\nport=" + std::to_string(port) + "\n";
            ASSERT_TRUE(revisions->load(text, "f").ok());
            ASSERT_TRUE(revisions->commit("ann", "", {1}).has_value());
        }
    }
};

TEST(Toml, ErrorsNameFileLineAndColumn) {
    const auto tree = read_toml("a = 1\nb = = 2\n", "seine.toml");
    ASSERT_FALSE(tree.has_value());
    EXPECT_EQ(tree.error().message().substr(0, 15), "seine.toml:2:5:");
}

TEST(Toml, CanonicalFormReadsToTheSame) {
    const auto tree =
        read_toml("z=1\na='x\"y'\n[t]\nf=1.0\n[[l]]\nname='b'\n[[l]]\nname='a'\nn={p=true}\n", "x");
    ASSERT_TRUE(tree.has_value());
    const std::string text = write_toml(*tree);
    EXPECT_EQ(text,
              "a = \"x\\\"y\"\nz = 1\n\n[[l]]\nname = \"b\"\n\n[[l]]\nname = \"a\"\n\n[l.n]\np = "
              "true\n\n[t]\nf = 1.0\n");
    const auto again = read_toml(text, "x");
    ASSERT_TRUE(again.has_value()) << again.error().message();
    EXPECT_TRUE(*again == *tree);
}

TEST(Check, NamesEveryFaultWithPlaceAndRemedy) {
    Recorder first("first", true);
    Section* sections[] = {&first};
    const auto tree = read_toml(
        "[[first]]\nname='a'\nprot=5\nport=70000\nkinds=['flwo']\nshare='x'\n[[first]]\nname='a'\n["
        "[first]]\nport=7\nkinds=[1]\n[frist]\n",
        "f.toml");
    ASSERT_TRUE(tree.has_value());
    std::vector<Fault> faults;
    check_all(*tree, sections, faults);
    std::string all;
    for (const Fault& fault : faults) all += to_text(fault, "f.toml") + "\n";
    EXPECT_NE(all.find("f.toml:3:6: first[a].prot: is no setting of first; did you mean `port`?"),
              std::string::npos)
        << all;
    EXPECT_NE(all.find("first[a].port: is out of range: 1 to 65535"), std::string::npos) << all;
    EXPECT_NE(all.find("`flwo` is none of: alert flow farm; did you mean `flow`?"),
              std::string::npos)
        << all;
    EXPECT_NE(all.find("first[a].share: is a text, a number is wanted"), std::string::npos) << all;
    EXPECT_NE(all.find("first[a]: comes twice"), std::string::npos) << all;
    EXPECT_NE(all.find("`name` is missing"), std::string::npos) << all;
    EXPECT_NE(all.find("first[].kinds: holds a whole number; write texts in quotes"),
              std::string::npos)
        << all;
    EXPECT_NE(all.find("frist: is no section; did you mean `first`?"), std::string::npos) << all;
}

TEST(Revisions, CommitDiffHistoryRollback) {
    const Folder folder;
    Router router;
    ASSERT_TRUE(router.open(folder.path).ok());
    EXPECT_FALSE(router.revisions->commit("ann", "", {1}).has_value());
    ASSERT_TRUE(router.revisions->load("[[first]]\nname='a'\nport=1\n", "f").ok());
    const auto lines = router.revisions->compare();
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_TRUE(lines[0].added);
    EXPECT_EQ(lines[0].path, "first[a].name");
    EXPECT_EQ(*router.revisions->commit("ann", "first", {1}), 1u);
    ASSERT_TRUE(router.revisions->load("[[first]]\nname='a'\nport=2\n", "f").ok());
    EXPECT_EQ(*router.revisions->commit("bob", "second", {2}), 2u);
    EXPECT_EQ(router.first.in_effect.items[0].integer_of("port"), 2);
    EXPECT_EQ(*router.revisions->rollback(1, "ann", "", {3}), 3u);
    EXPECT_EQ(router.first.in_effect.items[0].integer_of("port"), 1);
    const auto history = router.revisions->history();
    ASSERT_EQ(history.size(), 3u);
    EXPECT_EQ(history[0].reason, "back to revision 1");
    EXPECT_EQ(history[1].author, "bob");
    EXPECT_EQ(router.revisions->compare(1, 3)->size(), 0u);
    EXPECT_EQ(router.revisions->compare(1, 2)->size(), 2u);
    Router again;
    ASSERT_TRUE(again.open(folder.path).ok());
    EXPECT_EQ(again.revisions->running(), 3u);
    EXPECT_EQ(again.first.in_effect.items[0].integer_of("port"), 1);
}

TEST(Revisions, ABadCommitLeavesNothing) {
    const Folder folder;
    Router router;
    ASSERT_TRUE(router.open(folder.path).ok());
    router.commit_ports({1});
    // The second section fails to prepare after the first was ready.
    ASSERT_TRUE(
        router.revisions->load("[[first]]\nname='a'\nport=9\n[[second]]\nname='b'\nport=13\n", "f")
            .ok());
    const auto number = router.revisions->commit("ann", "", {2});
    ASSERT_FALSE(number.has_value());
    EXPECT_EQ(number.error().message(), "second: port 13 cannot be opened");
    EXPECT_EQ(router.revisions->running(), 1u);
    EXPECT_EQ(router.first.in_effect.items[0].integer_of("port"), 1);
    EXPECT_EQ(router.first.applied, 2);  // at start and at the first commit
    EXPECT_TRUE(router.revisions->is_editing());
    // So does one whose revision cannot be written.
    ASSERT_TRUE(router.revisions->load("[[first]]\nname='a'\nport=9\n", "f").ok());
    std::filesystem::create_directories(folder.path + "/000002.toml.new");
    EXPECT_FALSE(router.revisions->commit("ann", "", {3}).has_value());
    EXPECT_EQ(router.first.in_effect.items[0].integer_of("port"), 1);
    EXPECT_EQ(router.revisions->history().size(), 1u);
}

TEST(Revisions, CommitConfirmedGoesBackByItself) {
    const Folder folder;
    Router router;
    ASSERT_TRUE(router.open(folder.path).ok());
    const auto load = [&router](int port) {
        ASSERT_TRUE(
            router.revisions->load("[[first]]\nname='a'\nport=" + std::to_string(port) + "\n", "f")
                .ok());
    };
    load(1);
    ASSERT_TRUE(router.revisions->commit("ann", "", {1}).has_value());
    load(2);
    ASSERT_TRUE(router.revisions->commit_confirmed("ann", "", {10 * kSecond}, 60).has_value());
    EXPECT_FALSE(router.revisions->tick({69 * kSecond}).has_value());
    EXPECT_EQ(router.first.in_effect.items[0].integer_of("port"), 2);
    EXPECT_EQ(router.revisions->tick({70 * kSecond}), 3u);
    EXPECT_EQ(router.first.in_effect.items[0].integer_of("port"), 1);
    EXPECT_FALSE(router.revisions->confirm_by().has_value());
    load(4);
    ASSERT_TRUE(router.revisions->commit_confirmed("ann", "", {80 * kSecond}, 60).has_value());
    ASSERT_TRUE(router.revisions->confirm().ok());
    EXPECT_FALSE(router.revisions->tick({999 * kSecond}).has_value());
    EXPECT_EQ(router.first.in_effect.items[0].integer_of("port"), 4);
    // Across a restart, too.
    load(5);
    ASSERT_TRUE(router.revisions->commit_confirmed("ann", "", {1000 * kSecond}, 60).has_value());
    Router again;
    ASSERT_TRUE(again.open(folder.path, {1061 * kSecond}).ok());
    EXPECT_EQ(again.first.in_effect.items[0].integer_of("port"), 4);
}

TEST(Revisions, AClockThatIsSetBackLeavesWhatWasLeftOfTheTime) {
    const Folder folder;
    Router router;
    ASSERT_TRUE(router.open(folder.path).ok());
    ASSERT_TRUE(router.revisions->load("[[first]]\nname='a'\nport=2\n", "f").ok());
    ASSERT_TRUE(router.revisions->commit_confirmed("ann", "", {10'000 * kSecond}, 60).has_value());
    EXPECT_FALSE(router.revisions->tick({10'020 * kSecond}).has_value());
    EXPECT_FALSE(router.revisions->tick({100 * kSecond}).has_value());
    EXPECT_FALSE(router.revisions->tick({139 * kSecond}).has_value());
    // Written down, too.
    Router again;
    ASSERT_TRUE(again.open(folder.path, {139 * kSecond}).ok());
    EXPECT_EQ(again.revisions->confirm_by(), Nanos{140 * kSecond});
    EXPECT_EQ(router.revisions->tick({140 * kSecond}), 2u);
    // A commit made after the clock was set back has all of its time.
    ASSERT_TRUE(router.revisions->load("[[first]]\nname='a'\nport=3\n", "f").ok());
    ASSERT_TRUE(router.revisions->commit_confirmed("ann", "", {50 * kSecond}, 60).has_value());
    EXPECT_FALSE(router.revisions->tick({51 * kSecond}).has_value());
    EXPECT_FALSE(router.revisions->tick({109 * kSecond}).has_value());
    EXPECT_EQ(router.revisions->tick({110 * kSecond}), 4u);
}

TEST(Revisions, WhatCannotBeTakenBackIsTold) {
    const Folder folder;
    Router router;
    ASSERT_TRUE(router.open(folder.path).ok());
    for (const char* port : {"1", "2"}) {
        ASSERT_TRUE(
            router.revisions->load(std::string("[[first]]\nname='a'\nport=") + port + "\n", "f")
                .ok());
        ASSERT_TRUE(router.revisions->commit_confirmed("ann", "", {10 * kSecond}, 60).has_value());
        if (*port == '1') {
            ASSERT_TRUE(router.revisions->confirm().ok());
        }
    }
    const std::string first = folder.path + "/000001.toml";
    std::filesystem::rename(first, first + ".away");
    EXPECT_FALSE(router.revisions->tick({70 * kSecond}).has_value());
    EXPECT_NE(router.revisions->rollback_fault().find(
                  "revision 2 was not confirmed in time and cannot be taken back: " + first),
              std::string::npos)
        << router.revisions->rollback_fault();
    std::filesystem::rename(first + ".away", first);
    EXPECT_EQ(router.revisions->tick({71 * kSecond}), 3u);
    EXPECT_EQ(router.revisions->rollback_fault(), "");
}

TEST(Revisions, AThousandRandomCommitsEndAsAFreshStart) {
    const Folder folder;
    Router router;
    ASSERT_TRUE(router.open(folder.path).ok());
    std::mt19937_64 random(11);
    std::int64_t now = 1;
    for (int i = 0; i < 1000; ++i, now += kSecond) {
        const auto choice = random() % 10;
        if (choice < 6) {
            std::string text;
            for (const char* section : {"first", "second"}) {
                for (std::uint64_t n = random() % 3; n > 0; --n)
                    text += "[[" + std::string(section) + "]]\nname='n" + std::to_string(n) +
                            "'\nport=" + std::to_string(1 + random() % 16) + "\n";
            }
            ASSERT_TRUE(router.revisions->load(text, "f").ok());
            if (choice < 4) {
                static_cast<void>(router.revisions->commit("ann", "", {now})
                                      .has_value());  // ports 7 and 13 are refused
            } else {
                static_cast<void>(
                    router.revisions->commit_confirmed("ann", "", {now}, 5).has_value());
            }
        } else if (choice < 8) {
            static_cast<void>(
                router.revisions->rollback(1 + random() % 5, "bob", "", {now}).has_value());
        } else if (choice == 8) {
            static_cast<void>(router.revisions->confirm().ok());
        } else {
            router.revisions->tick({now + 10 * kSecond});
        }
        if (i % 100 != 99) continue;
        // What the commits came to is compared before anything starts anew.
        const std::string text = router.revisions->running_text();
        Router fresh;
        ASSERT_TRUE(fresh.open(folder.path + "/fresh" + std::to_string(i)).ok());
        ASSERT_TRUE(fresh.revisions->load(text, "f").ok());
        ASSERT_TRUE(fresh.revisions->commit("ann", "", {now}).has_value());
        EXPECT_EQ(fresh.revisions->running_text(), text);
        EXPECT_TRUE(fresh.first.in_effect == router.first.in_effect) << i;
        EXPECT_TRUE(fresh.second.in_effect == router.second.in_effect) << i;
        // And a restart with its own revisions changes nothing.
        if (i % 200 == 99) {
            const Node first = router.first.in_effect;
            const Node second = router.second.in_effect;
            ASSERT_TRUE(router.open(folder.path, {now}).ok());
            EXPECT_TRUE(router.first.in_effect == first) << i;
            EXPECT_TRUE(router.second.in_effect == second) << i;
        }
    }
    EXPECT_GT(router.revisions->running(), 300u);
    EXPECT_LE(router.revisions->history().size(), Revisions::kKeptMax);
}

// At a start nobody can be asked: the sound part runs, the rest is told and tried again.
TEST(Revisions, AStartLeavesOutWhatCannotBeApplied) {
    const Folder folder;
    {
        Router router;
        ASSERT_TRUE(router.open(folder.path).ok());
        ASSERT_TRUE(router.revisions
                        ->load("[[first]]\nname='a'\nport=1\n[[first]]\nname='b'\nport=5\n"
                               "[[second]]\nname='c'\nport=5\n",
                               "f")
                        .ok());
        ASSERT_TRUE(router.revisions->commit("ann", "", {1}).has_value());
        EXPECT_TRUE(router.revisions->left_out().empty());
    }
    Router router;
    router.first.taken_port = 5;
    ASSERT_TRUE(router.open(folder.path, {100 * kSecond}).ok());
    ASSERT_EQ(router.first.in_effect.items.size(), 1u);
    EXPECT_EQ(router.first.in_effect.items[0].text_of("name"), "a");
    EXPECT_EQ(router.second.in_effect.items.size(), 1u);
    const auto told = router.revisions->left_out();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].path, "first[b]");
    EXPECT_EQ(told[0].message, "first: port 5 cannot be opened");
    // The port is free again: at the next try all of it is in effect.
    router.first.taken_port = 0;
    static_cast<void>(router.revisions->tick({109 * kSecond}));
    EXPECT_EQ(router.revisions->left_out().size(), 1u);
    static_cast<void>(router.revisions->tick({110 * kSecond}));
    EXPECT_TRUE(router.revisions->left_out().empty());
    EXPECT_EQ(router.first.in_effect.items.size(), 2u);
    EXPECT_EQ(router.revisions->running(), 1u);
}

// A commit without the faulty part ends it; one with it is refused.
TEST(Revisions, ACommitEndsWhatWasLeftOut) {
    const Folder folder;
    {
        Router router;
        ASSERT_TRUE(router.open(folder.path).ok());
        ASSERT_TRUE(router.revisions->load("[[first]]\nname='b'\nport=5\n", "f").ok());
        ASSERT_TRUE(router.revisions->commit("ann", "", {1}).has_value());
    }
    Router router;
    router.first.taken_port = 5;
    ASSERT_TRUE(router.open(folder.path).ok());
    ASSERT_TRUE(router.revisions->load("[[first]]\nname='b'\nport=5\n[[first]]\nname='c'\n", "f").ok());
    EXPECT_FALSE(router.revisions->commit("ann", "", {2}).has_value());
    EXPECT_EQ(router.revisions->left_out().size(), 1u);
    ASSERT_TRUE(router.revisions->load("[[first]]\nname='c'\n", "f").ok());
    EXPECT_TRUE(router.revisions->commit("ann", "", {3}).has_value());
    EXPECT_TRUE(router.revisions->left_out().empty());
}

TEST(Revisions, ARevisionThatCannotBeReadGivesWayToTheOneBefore) {
    const Folder folder;
    {
        Router router;
        ASSERT_TRUE(router.open(folder.path).ok());
        router.commit_ports({1, 2});
    }
    std::ofstream(folder.path + "/000002.toml", std::ios::app) << "# by hand\nx = 1\n";
    Router router;
    ASSERT_TRUE(router.open(folder.path).ok());
    EXPECT_EQ(router.first.in_effect.items[0].integer_of("port"), 1);
    const auto told = router.revisions->left_out();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].path, "revision 2");
    EXPECT_NE(told[0].message.find("was changed by hand"), std::string::npos);
    EXPECT_NE(told[0].message.find("revision 1 is in effect in its place"), std::string::npos);
    EXPECT_EQ(*router.revisions->rollback(1, "ann", "", {3}), 3u);
    EXPECT_TRUE(router.revisions->left_out().empty());
}

TEST(Revisions, WhatAnotherVersionWroteIsTold) {
    const Folder folder;
    {
        Router router;
        Recorder third("third", true);
        auto made = Revisions::open(folder.path, {&router.first, &router.second, &third}, {});
        ASSERT_TRUE(made);
        ASSERT_TRUE((*made)->load("[[first]]\nname='a'\n[[third]]\nname='b'\n", "f").ok());
        ASSERT_TRUE((*made)->commit("ann", "", {1}).has_value());
    }
    Router router;
    ASSERT_TRUE(router.open(folder.path).ok());
    EXPECT_EQ(router.first.in_effect.items.size(), 1u);
    const auto told = router.revisions->left_out();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].path, "third");
}

TEST(Audit, TellsWhatWasChangedRemovedOrCut) {
    const Folder folder;
    const std::string path = folder.path + "/audit.jsonl";
    {
        auto audit = Audit::open(path);
        ASSERT_TRUE(audit.has_value());
        for (int i = 0; i < 5; ++i)
            ASSERT_TRUE((*audit)
                            ->append({i + 1}, "ann", "config commit",
                                     "line \"" + std::to_string(i) + "\"\n\xff")
                            .ok());
        const auto last = (*audit)->last(2);
        ASSERT_TRUE(last.has_value());
        ASSERT_EQ(last->size(), 2u);
        EXPECT_EQ((*last)[1].detail, "line \"4\"\n\xff");
        EXPECT_EQ((*last)[0].sequence, 4u);
    }
    EXPECT_TRUE(verify_audit(path)->sound);
    const std::string whole = *read_file(path);
    const auto verdict_of = [&path](const std::string& text) {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
        return *verify_audit(path);
    };
    for (std::size_t at = 0; at < whole.size(); at += 7) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        ASSERT_FALSE(verdict_of(changed).sound) << at;
    }
    const std::size_t second = whole.find('\n') + 1;
    const std::size_t third = whole.find('\n', second) + 1;
    EXPECT_NE(verdict_of(whole.substr(0, second) + whole.substr(third))
                  .fault.find("line 2: does not follow"),
              std::string::npos);
    EXPECT_NE(verdict_of(whole.substr(0, third)).fault.find("its end was cut off"),
              std::string::npos);
    EXPECT_FALSE(Audit::open(path).has_value());
    // Half a last line is what a kill leaves: it is mended.
    EXPECT_TRUE(verdict_of(whole).sound);
    std::ofstream(path, std::ios::binary | std::ios::app) << "{\"seq\":6,\"at";
    auto audit = Audit::open(path);
    ASSERT_TRUE(audit.has_value()) << audit.error().message();
    ASSERT_TRUE((*audit)->append({9}, "bob", "x", "").ok());
    EXPECT_EQ(verify_audit(path)->lines, 6u);
}

}  // namespace
}  // namespace seine::config
