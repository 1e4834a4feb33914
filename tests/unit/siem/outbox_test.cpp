// Outbox: in order, bounded, findings before flows, the same after a restart, and nothing made of
// torn ends.
#include "control/export/outbox.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>

#include "dataplane/base/hash.h"

namespace seine::siem {
namespace {

struct Folder {
    std::string path;
    Folder() {
        path = std::filesystem::temp_directory_path() /
               ("seine-outbox-" + std::to_string(::getpid()) + "-" +
                ::testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::remove_all(path);
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

std::unique_ptr<Outbox> opened(const std::string& path, OutboxLimits limits = {}) {
    auto made = Outbox::open(path, limits);
    EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message());
    return std::move(*made);
}

std::vector<std::string> take_all(Outbox& outbox, bool acknowledge = true) {
    std::vector<std::string> all;
    Outbox::Batch batch;
    while (outbox.take(batch, 100, 1 << 20)) {
        for (const auto message : batch.messages) all.emplace_back(message);
        if (!acknowledge) break;
        outbox.acknowledge(batch, batch.messages.size());
    }
    return all;
}

TEST(Outbox, GivesFindingsFirstAndEachLaneInOrder) {
    const Folder folder;
    const auto outbox = opened(folder.path);
    for (int i = 0; i < 500; ++i) {
        ASSERT_TRUE(outbox->append(Lane::flows, "flow " + std::to_string(i), i));
        ASSERT_TRUE(outbox->append(Lane::findings, "finding " + std::to_string(i), i));
    }
    const auto all = take_all(*outbox);
    ASSERT_EQ(all.size(), 1000u);
    for (int i = 0; i < 500; ++i) {
        EXPECT_EQ(all[static_cast<std::size_t>(i)], "finding " + std::to_string(i));
        EXPECT_EQ(all[static_cast<std::size_t>(500 + i)], "flow " + std::to_string(i));
    }
    EXPECT_EQ(outbox->counts().waiting[0] + outbox->counts().waiting[1], 0u);
}

TEST(Outbox, WhatIsNotAcknowledgedComesAgain) {
    const Folder folder;
    const auto outbox = opened(folder.path);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(outbox->append(Lane::findings, std::to_string(i), i));
    Outbox::Batch batch;
    ASSERT_TRUE(outbox->take(batch, 6, 1 << 20));
    EXPECT_EQ(batch.messages.size(), 6u);
    outbox->acknowledge(batch, 4);
    const auto rest = take_all(*outbox);
    EXPECT_EQ(rest, (std::vector<std::string>{"4", "5", "6", "7", "8", "9"}));
}

TEST(Outbox, IsTheSameAfterARestart) {
    const Folder folder;
    {
        const auto outbox = opened(folder.path);
        for (int i = 0; i < 5000; ++i)
            ASSERT_TRUE(outbox->append(i % 2 == 0 ? Lane::findings : Lane::flows,
                                       std::string(1000, 'x') + std::to_string(i), i));
        Outbox::Batch batch;
        ASSERT_TRUE(outbox->take(batch, 100, 1 << 20));
        outbox->acknowledge(batch, 50);
    }
    const auto outbox = opened(folder.path);
    EXPECT_EQ(outbox->counts().waiting[0], 2450u);
    EXPECT_EQ(outbox->counts().waiting[1], 2500u);
    EXPECT_EQ(outbox->counts().oldest_ns, 1);
    const auto all = take_all(*outbox);
    ASSERT_EQ(all.size(), 4950u);
    EXPECT_EQ(all[0].substr(1000), "100");
    EXPECT_EQ(all[2450].substr(1000), "1");
}

TEST(Outbox, ShedsOldestFlowsBeforeAnyFinding) {
    const Folder folder;
    OutboxLimits limits;
    limits.bytes_max = 16 << 20;
    const auto outbox = opened(folder.path, limits);
    const std::string text(4000, 'f');
    for (int i = 0; i < 1000; ++i)
        ASSERT_TRUE(outbox->append(Lane::findings, text + std::to_string(i), i));
    for (int i = 0; i < 20'000; ++i)
        static_cast<void>(outbox->append(Lane::flows, text + std::to_string(i), i));
    const OutboxCounts counts = outbox->counts();
    EXPECT_EQ(counts.shed[0], 0u);
    EXPECT_GT(counts.shed[1], 15'000u);
    EXPECT_LE(counts.file_bytes, limits.bytes_max);
    EXPECT_EQ(counts.waiting[0], 1000u);
    EXPECT_EQ(counts.shed[1] + counts.waiting[1], 20'000u);
    const auto all = take_all(*outbox);
    EXPECT_EQ(all.back().substr(4000), "19999");  // the newest are kept
    for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(outbox->append(Lane::findings, text, i));
    EXPECT_GT(outbox->counts().shed[0], 0u);  // even findings are bounded
    EXPECT_LE(outbox->counts().file_bytes, limits.bytes_max);
}

TEST(Outbox, AShedBatchInHandIsCountedOnce) {
    const Folder folder;
    OutboxLimits limits;
    limits.bytes_max = 16 << 20;
    const auto outbox = opened(folder.path, limits);
    const std::string text(4000, 'f');
    std::uint64_t appended = 0;
    const auto fill = [&](int count) {
        for (int i = 0; i < count; ++i) appended += outbox->append(Lane::flows, text, i) ? 1 : 0;
    };
    fill(100);
    Outbox::Batch batch;
    ASSERT_TRUE(outbox->take(batch, 60, 1 << 20));
    fill(20'000);
    EXPECT_EQ(batch.messages[0], text);  // still readable
    outbox->acknowledge(batch, 10);
    const OutboxCounts counts = outbox->counts();
    EXPECT_EQ(counts.acknowledged[1] + counts.shed[1] + counts.waiting[1], appended);
}

TEST(Outbox, TornAndForeignBytesAreTheEnd) {
    const Folder folder;
    std::string file;
    {
        const auto outbox = opened(folder.path);
        for (int i = 0; i < 20; ++i)
            ASSERT_TRUE(outbox->append(Lane::findings, "message " + std::to_string(i), i));
        for (const auto& entry : std::filesystem::directory_iterator(folder.path))
            file = entry.path();
    }
    std::ifstream in(file, std::ios::binary);
    std::string whole(64 + 20 * 32, '\0');
    in.read(whole.data(), static_cast<std::streamsize>(whole.size()));
    // Each byte behind the header flipped: what comes before the damage is there, nothing else is
    // made up.
    for (std::size_t at = 64; at < whole.size(); at += 11) {
        {
            std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
            out.write(whole.data(), static_cast<std::streamsize>(whole.size()));
            out.seekp(static_cast<std::streamoff>(at));
            out.put(static_cast<char>(whole[at] ^ 0x55));
        }
        const auto outbox = opened(folder.path);
        const auto all = take_all(*outbox, false);
        ASSERT_LE(all.size(), 20u);
        for (std::size_t i = 0; i < all.size(); ++i)
            ASSERT_EQ(all[i], "message " + std::to_string(i)) << at;
        ASSERT_GE(all.size() + 1, (at - 64) / 32) << at;
    }
}

TEST(Outbox, DamagedFilesAreSetAside) {
    const Folder folder;
    std::filesystem::create_directories(folder.path);
    std::ofstream(folder.path + "/flows-000000000007.outbox") << "not an outbox";
    const auto outbox = opened(folder.path);
    EXPECT_EQ(outbox->counts().damaged, 1u);
    EXPECT_TRUE(std::filesystem::exists(folder.path + "/flows-000000000007.outbox.damaged"));
    EXPECT_TRUE(outbox->append(Lane::flows, "x", 1));
}

TEST(Outbox, ReplaysWhatIsKept) {
    const Folder folder;
    const auto outbox = opened(folder.path);
    for (int i = 0; i < 100; ++i)
        ASSERT_TRUE(outbox->append(Lane::findings, std::to_string(i), 1000 + i));
    EXPECT_EQ(take_all(*outbox).size(), 100u);
    EXPECT_EQ(outbox->replay(1090), 10u);
    EXPECT_EQ(take_all(*outbox).front(), "90");
    EXPECT_EQ(outbox->replay(5000), 0u);
}

TEST(Outbox, FilesAreUsedAgainAndNothingOldComesBack) {
    const Folder folder;
    OutboxLimits limits;
    limits.bytes_max = 64 << 20;
    limits.keep_bytes = 8 << 20;
    limits.segment_bytes = 1 << 20;
    const std::string text(1000, 'x');
    int sent = 0;
    {
        const auto outbox = opened(folder.path, limits);
        for (int i = 0; i < 40'000; ++i) {
            ASSERT_TRUE(outbox->append(i % 4 == 0 ? Lane::findings : Lane::flows,
                                       text + std::to_string(i), i));
            if (i % 100 == 99) sent += static_cast<int>(take_all(*outbox).size());
        }
        ASSERT_EQ(sent, 40'000);
        EXPECT_LE(outbox->counts().file_bytes, (8u << 20) + (5u << 20));
        // What replay promises is still there.
        const auto again = outbox->replay(40'000 - 5000);
        EXPECT_EQ(again, 5000u);
        EXPECT_EQ(take_all(*outbox).size(), 5000u);
        for (int i = 0; i < 3; ++i) ASSERT_TRUE(outbox->append(Lane::findings, "last", 50'000));
    }
    for (int restart = 0; restart < 2; ++restart) {
        const auto outbox = opened(folder.path, limits);
        EXPECT_EQ(outbox->counts().damaged, 0u);
        EXPECT_EQ(outbox->counts().waiting[0], 3u);
        EXPECT_EQ(outbox->counts().waiting[1], 0u);
    }
    EXPECT_EQ(take_all(*opened(folder.path, limits)), std::vector<std::string>(3, "last"));
}

// A message of 100 bytes as version 1 wrote it: an upgrade delivers what waited.
TEST(Outbox, ReadsFilesOfTheVersionBefore) {
    const Folder folder;
    const std::string text(100, 'o');
    {
        const auto outbox = opened(folder.path);
        ASSERT_TRUE(outbox->append(Lane::findings, text, 7));
    }
    const std::string file = folder.path + "/findings-000000000001.outbox";
    std::vector<std::uint8_t> checked(8 + text.size());
    checked[0] = 7;
    std::copy(text.begin(), text.end(), checked.begin() + 8);
    const auto check = static_cast<std::uint32_t>(hash64(checked, 0x9e3779b97f4a7c15u + 64)) | 1u;
    {
        std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
        out.seekp(8).put(1);
        for (int i = 0; i < 4; ++i)
            out.seekp(68 + i).put(static_cast<char>(check >> (8 * i) & 0xff));
    }
    EXPECT_EQ(take_all(*opened(folder.path), false), std::vector<std::string>{text});
}

TEST(Outbox, KeepsNothingThatArrivedWhereNothingIsToBeKept) {
    const Folder folder;
    OutboxLimits limits;
    limits.keep_bytes = 0;
    limits.segment_bytes = 1 << 20;
    const auto outbox = opened(folder.path, limits);
    for (int i = 0; i < 10'000; ++i) {
        ASSERT_TRUE(outbox->append(Lane::flows, std::string(1000, 'x'), i));
        if (i % 100 == 99) static_cast<void>(take_all(*outbox));
    }
    EXPECT_LE(outbox->counts().file_bytes, 1u << 20);
}

TEST(Outbox, FilesOfAnySizeHoldTheSameAfterARestart) {
    // Above and below a huge page, and no multiple of any.
    for (const std::size_t bytes :
         {std::size_t{1} << 20, (std::size_t{2} << 20) + 8, (std::size_t{5} << 20) + 12'345}) {
        const Folder folder;
        OutboxLimits limits;
        limits.segment_bytes = bytes;
        std::vector<std::string> wanted;
        {
            const auto outbox = opened(folder.path, limits);
            for (int i = 0; i < 7000; ++i) {
                wanted.push_back(std::to_string(i) + std::string(1000, 'f'));
                ASSERT_TRUE(outbox->append(Lane::flows, wanted.back(), i));
            }
        }
        EXPECT_EQ(take_all(*opened(folder.path, limits)), wanted);
    }
}

TEST(Outbox, AFileIsSyncedOnceForWhatWasAppended) {
    const Folder folder;
    std::filesystem::create_directories(folder.path);
    const auto made = Segment::create(folder.path + "/one", 0, 1, 1 << 20);
    ASSERT_TRUE(made.has_value());
    Segment& segment = **made;
    EXPECT_FALSE(segment.mark_for_sync());
    ASSERT_TRUE(segment.append("a finding", 1));
    EXPECT_TRUE(segment.mark_for_sync());
    EXPECT_FALSE(segment.mark_for_sync());
    ASSERT_TRUE(segment.append("another", 2));
    EXPECT_TRUE(segment.mark_for_sync());
}

TEST(Outbox, RefusesAMessageThatNoFileHolds) {
    const Folder folder;
    const auto outbox = opened(folder.path);
    EXPECT_FALSE(outbox->append(Lane::flows, std::string(3 << 20, 'x'), 1));
    EXPECT_FALSE(outbox->append(Lane::flows, "", 1));
    EXPECT_EQ(outbox->counts().shed[1], 2u);
}

}  // namespace
}  // namespace seine::siem
