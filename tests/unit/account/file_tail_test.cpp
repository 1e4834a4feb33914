// Logs that grow, are renamed, cut and read on after a restart: no line lost, none twice.
#include "control/account/file_tail.h"

#include <chrono>
#include <thread>

#include "tests/unit/account/key_scene.h"

namespace seine::account {
namespace {

namespace fs = std::filesystem;

class Tail : public KeyScene {
  protected:
    Tail() : path(folder / "access.log") {}
    void write(const std::string& text, const fs::path& to) const {
        std::ofstream(to, std::ios::app) << text;
    }
    void write(const std::string& text) const { write(text, path); }
    std::string read(FileTail& tail) {
        std::string got;
        // Twice: one poll reads, the next looks at the path.
        for (int i = 0; i < 6; ++i) {
            now = now + 300 * kMillisecond;
            static_cast<void>(tail.poll(
                now, 1 << 20, [&got](std::string_view line) { got += std::string(line) + ";"; }));
        }
        return got;
    }
    fs::path path;
    Nanos now{kSecond};
};

TEST_F(Tail, WholeLinesOnce) {
    FileTail tail(path, false);
    EXPECT_EQ(read(tail), "");
    EXPECT_NE(tail.problem().find("waited for"), std::string::npos);
    write("one\ntwo\r\nthr");
    EXPECT_EQ(read(tail), "one;two;");
    EXPECT_EQ(tail.problem(), "");
    write("ee\n\nfour\n");
    EXPECT_EQ(read(tail), "three;four;");
    EXPECT_EQ(read(tail), "");
}

TEST_F(Tail, AFileThatIsThereBeginsAtItsEndUnlessAsked) {
    write("old\n");
    FileTail tail(path, false);
    EXPECT_EQ(read(tail), "");
    write("new\n");
    EXPECT_EQ(read(tail), "new;");
    FileTail whole(path, true);
    EXPECT_EQ(read(whole), "old;new;");
}

TEST_F(Tail, RotationByRenaming) {
    FileTail tail(path, true);
    write("a1\na2\n");
    EXPECT_EQ(read(tail), "a1;a2;");
    fs::rename(path, folder / "access.log.1");
    // The writer has the old file open for a while.
    write("a3\n", folder / "access.log.1");
    write("b1\n");
    EXPECT_EQ(read(tail), "a3;b1;");
    write("a4\n", folder / "access.log.1");
    write("b2\n");
    EXPECT_EQ(read(tail), "a4;b2;");
    EXPECT_EQ(tail.counters().rotated, 1u);
}

TEST_F(Tail, RotationByTruncation) {
    FileTail tail(path, true);
    write("a1\na2\n");
    EXPECT_EQ(read(tail), "a1;a2;");
    fs::resize_file(path, 0);
    EXPECT_EQ(read(tail), "");
    write("b1\n");
    EXPECT_EQ(read(tail), "b1;");
    EXPECT_EQ(tail.counters().truncated, 1u);
}

TEST_F(Tail, GoesOnWhereItStood) {
    const std::string first(70, 'x');
    write(first + "\ntwo\nhal");
    TailPlace place;
    {
        FileTail tail(path, true);
        EXPECT_EQ(read(tail), first + ";two;");
        place = place_from(to_text(tail.place()));
    }
    write("f\nfour\n");
    FileTail again(path, true);
    again.begin_at(place);
    EXPECT_EQ(read(again), "half;four;");
}

TEST_F(Tail, RotatedWhileAway) {
    write("one\ntwo\n");
    TailPlace place;
    {
        FileTail tail(path, true);
        read(tail);
        place = tail.place();
    }
    write("three\n");
    fs::rename(path, folder / "access.log.1");
    write("four\n");
    FileTail again(path, true);
    again.begin_at(place);
    EXPECT_EQ(read(again), "three;four;");
    EXPECT_EQ(again.counters().missed, 0u);
    // Gone for good: what stands at the path now is read whole, and the gap is told.
    fs::remove(folder / "access.log.1");
    FileTail third(path, false);
    third.begin_at(place);
    EXPECT_EQ(read(third), "four;");
    EXPECT_EQ(third.counters().missed, 1u);
}

// Long enough to be told apart by their beginnings.
std::string file_of(char name) { return std::string(70, name) + "\n"; }

TEST_F(Tail, AKillWhileTwoFilesAreReadRepeatsNothing) {
    write(file_of('a') + "a2\n");
    TailPlace place;
    {
        FileTail tail(path, true);
        read(tail);
        fs::rename(path, folder / "access.log.1");
        write(file_of('b') + "b2\n");
        EXPECT_EQ(read(tail), std::string(70, 'b') + ";b2;");
        place = place_from(to_text(tail.place()));
        EXPECT_TRUE(place.next_known);
    }
    write("a3\n", folder / "access.log.1");
    write("b3\n");
    FileTail again(path, true);
    again.begin_at(place);
    EXPECT_EQ(read(again), "a3;b3;");
    EXPECT_EQ(again.counters().missed, 0u);
    EXPECT_EQ(again.unread(), 0u);
    write("b4\n");
    EXPECT_EQ(again.unread(), 3u);
}

TEST_F(Tail, RotatedTwiceBetweenTwoLooks) {
    for (const bool away : {false, true}) {
        fs::remove_all(folder);
        fs::create_directories(folder);
        write("older\n", folder / "access.log.9");
        write("no log\n", folder / "access.log.lock");
        write(file_of('a'));
        auto tail = std::make_unique<FileTail>(path, true);
        read(*tail);
        const TailPlace place = tail->place();
        const auto rotate = [this](char name, const std::string& to) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));  // times of files go by the kernel's tick
            write(std::string(1, name) + "2\n");
            fs::rename(path, folder / to);
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            write(file_of(static_cast<char>(name + 1)));
        };
        rotate('a', "access.log.1");
        rotate('b', "access-2026-11-29T01-02-03.000.log");
        rotate('c', "access.log-20261129");
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        fs::copy_file(path, folder / "access.log.2");  // somebody's copy
        if (away) {
            tail = std::make_unique<FileTail>(path, true);
            tail->begin_at(place);
        }
        const std::string b(70, 'b'), c(70, 'c'), d(70, 'd');
        std::string got = read(*tail);  // two polls a rotation
        got += read(*tail);
        EXPECT_EQ(got, "a2;" + b + ";b2;" + c + ";c2;" + d + ";") << away;
        EXPECT_EQ(tail->counters().rotated, 3u);
        EXPECT_EQ(tail->counters().missed, 0u);
    }
}

TEST_F(Tail, WhatWasCompressedBeforeItWasReadIsMissed) {
    write(file_of('a'));
    FileTail tail(path, true);
    read(tail);
    fs::rename(path, folder / "access.log.2");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    write("not really gzip\n", folder / "access.log.1.gz");
    write(file_of('c'));
    EXPECT_EQ(read(tail), std::string(70, 'c') + ";");
    EXPECT_EQ(tail.counters().missed, 1u);
}

TEST_F(Tail, CutAndWrittenPastWhereItStood) {
    FileTail tail(path, true);
    write(file_of('a') + "a2\n");
    read(tail);
    fs::resize_file(path, 0);
    write(file_of('b') + "b2\nb3\n");
    EXPECT_EQ(read(tail), std::string(70, 'b') + ";b2;b3;");
    EXPECT_EQ(tail.counters().truncated, 1u);
    EXPECT_EQ(tail.counters().missed, 1u);
}

TEST_F(Tail, OverlongLinesAreLeftOut) {
    FileTail tail(path, true);
    write(std::string(3'000'000, 'x') + "\nafter\n");
    EXPECT_EQ(read(tail), "after;");
    EXPECT_EQ(tail.counters().too_long, 1u);
}

}  // namespace
}  // namespace seine::account
