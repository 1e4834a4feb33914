// Account records of sockets are stored, or counted: whatever the store does, however the daemon ends.
#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <sstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>

#include <gtest/gtest.h>

#include "control/service/account_part.h"
#include "dataplane/contract/frame.h"
#include "dataplane/export/ring_file.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/service/slow_store.h"

namespace seine::service {
namespace {

class AccountUnstored : public testing::Test {
  protected:
    AccountUnstored() {
        config.rings = {folder.file("ring")};
        config.state_folder = folder.path();
        config.commit_ms = 50;
        config.live_flows = 1000;
        config.tag_keys = folder.file("tag.keys");
        config.account_sources = {"gw unix " + folder.file("gw.sock")};
        std::ofstream(config.tag_keys) << "epoch 1 since 0 tag " << std::string(64, '1') << " key " << std::string(32, '1') << "\n";
        ::chmod(config.tag_keys.c_str(), 0600);
    }
    // False: nobody takes it now.
    bool try_to_send(unsigned number) const {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, folder.file("gw.sock").c_str(), sizeof address.sun_path - 1);
        const void* generic = &address;
        const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
        const std::string record = R"({"gateway_id":5,"boot_epoch":1,"seq":)" + std::to_string(number) +
                                   R"(,"t_req_us":1,"client_ip":"192.0.2.1","client_port":99,"proto":"tcp","account":"a"})";
        const ssize_t sent = ::sendto(fd, record.data(), record.size(), 0, static_cast<const sockaddr*>(generic), sizeof address);
        ::close(fd);
        return sent == static_cast<ssize_t>(record.size());
    }
    void send(unsigned from, unsigned to) const {
        for (unsigned i = from; i < to; ++i) EXPECT_TRUE(try_to_send(i));
    }
    // A control's life; `during` sees it run.
    template <typename During>
    void live(During&& during) {
        auto part = AccountPart::make(config, store);
        ASSERT_TRUE(part.has_value()) << part.error().message();
        Ingest ingest(config, store, [] {
            return Nanos{std::chrono::duration_cast<std::chrono::nanoseconds>(
                             std::chrono::system_clock::now().time_since_epoch()).count()};
        });
        ingest.add((*part)->part());
        ASSERT_TRUE(ingest.start().ok());
        during(**part);
        ingest.stop();
        for (const RingStatus& ring : ingest.status().rings) ring_records += ring.counters.records;
    }
    template <typename Enough>
    static void until(Enough&& enough) {
        for (int i = 0; i < 1000 && !enough(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        EXPECT_TRUE(enough());
    }
    // Of all lives, as the store has it: "FILE TAKEN LOST".
    std::string stored(unsigned word) const {
        std::istringstream in(*store.kept("account-sockets", "taken"));
        std::string out;
        for (unsigned i = 0; i <= word; ++i) in >> out;
        return out;
    }
    std::uint64_t lost_so_far() {
        std::uint64_t lost = 0;
        live([&](const AccountPart& part) {
            until([&] { return !part.status().sources.empty(); });
            lost = part.status().unstored;
        });
        return lost;
    }
    SlowStore store;
    test::TempFolder folder{"unstored"};
    Config config;
    std::uint64_t ring_records = 0;  // of all lives
};

TEST_F(AccountUnstored, NothingIsLostOfAnOrderlyEnd) {
    live([this](const AccountPart&) { send(0, 300); });  // in whatever state of being read
    EXPECT_EQ(stored(1), "300");
    EXPECT_EQ(lost_so_far(), 0u);
}

TEST_F(AccountUnstored, WhatAStoreRefusesToTheEndIsCountedAtTheNextStart) {
    live([this](const AccountPart&) {
        send(0, 10);
        until([this] { return stored(1) == "10"; });
        store.fail(1'000'000);
        send(10, 15);
        until([this] { return store.told().back().starts_with("full"); });
        send(15, 40);  // while nothing is taken in any more
    });
    EXPECT_EQ(stored(1), "10");
    store.fail(0);
    EXPECT_EQ(lost_so_far(), 30u);
    EXPECT_EQ(lost_so_far(), 30u) << "once";
    live([this](const AccountPart&) { send(40, 41); });
    EXPECT_EQ(lost_so_far(), 30u);
}

TEST_F(AccountUnstored, AStoreThatIsWellAgainAtTheEndGetsAll) {
    live([this](const AccountPart&) {
        send(0, 1);
        until([this] { return stored(1) == "1"; });
        store.fail(1'000'000);
        send(1, 2);
        until([this] { return store.told().back().starts_with("full"); });
        send(2, 50);
        store.fail(0);
    });
    EXPECT_EQ(stored(1), "50");
    EXPECT_EQ(lost_so_far(), 0u);
}

// Flows by a ring and records by a socket come as fast as they can while it is told to end.
TEST_F(AccountUnstored, EndsWhileRingAndSocketAreBusy) {
    exporting::RingWriterConfig ring;
    ring.path = config.rings.front();
    ring.data_bytes = exporting::kRingDataBytesMin;
    ring.dataplane_id = 1;
    auto flows = exporting::RingWriter::open(ring);
    ASSERT_TRUE(flows.has_value());
    std::atomic<bool> over{false};
    std::uint64_t written = 0;
    std::thread writes([&] {
        std::vector<std::uint8_t> buffer(4096);
        for (std::uint64_t i = 1; !over; ++i) {
            contract::FrameWriter frame(buffer);
            frame.begin(contract::Kind::open, {1, 1, i});
            const std::uint8_t address[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
            frame.set_ip(contract::Field::src, address);
            frame.set_ip(contract::Field::dst, address);
            frame.set(contract::Field::sport, 1024 + i % 60'000);
            frame.set(contract::Field::proto, 6);
            frame.set(contract::Field::t_first_ns, i);
            if ((*flows)->write({buffer.data(), frame.finish()}, 0)) ++written;
            else std::this_thread::yield();
        }
    });
    std::thread sends([&] {
        for (unsigned i = 0; !over; ++i) try_to_send(i);
    });
    for (int life = 0; life < 3; ++life) {
        live([](const AccountPart& part) {
            until([&part] { return !part.status().sources.empty() && part.status().sources[0].records > 100; });
        });
    }
    over = true;
    writes.join();
    sends.join();
    EXPECT_EQ(lost_so_far(), 0u) << "all that was taken is stored";
    EXPECT_GT(written, 0u);
    EXPECT_EQ(ring_records, written) << "and all that the ring took, once";
}

TEST_F(AccountUnstored, ACountOfAnotherFileSaysNothing) {
    live([this](const AccountPart&) { send(0, 5); });
    std::ofstream(folder.file("ring.taken"), std::ios::trunc) << "torn";
    EXPECT_EQ(lost_so_far(), 0u);
}

}  // namespace
}  // namespace seine::service
