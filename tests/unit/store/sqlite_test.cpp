// The embedded backend: the conformance suite on it, a store that others have, damage, a full disk.
#include <filesystem>
#include <fstream>
#include <sqlite3.h>
#include <sys/mount.h>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"
#include "tests/unit/store/conformance.h"

namespace seine::store {
namespace {

namespace fs = std::filesystem;

class SqlitePlace final : public StorePlace {
  public:
    SqlitePlace() {
        keeping.folder = folder_.path();
        keeping.free_bytes = 0;
    }
    std::unique_ptr<Store> open() override {
        auto store = open_sqlite(keeping);
        EXPECT_TRUE(store.has_value()) << store.error().message();
        return store ? std::move(*store) : nullptr;
    }
    std::string refused() {
        const auto store = open_sqlite(keeping);
        EXPECT_FALSE(store.has_value());
        return store ? std::string() : store.error().message();
    }
    Keeping keeping;

  private:
    test::TempFolder folder_{"store"};
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance,
                         testing::Values(MakePlace([] { return std::make_unique<SqlitePlace>(); })));

TEST(SqliteStore, IsForOneProcess) {
    SqlitePlace place;
    const auto store = place.open();
    EXPECT_NE(place.refused().find("another seine-control has this store"), std::string::npos);
}

TEST(SqliteStore, RefusesANewerVersionAndDamageWithWhatToDo) {
    SqlitePlace place;
    place.open().reset();
    const std::string path = place.keeping.folder + "/seine.db";
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, "PRAGMA user_version=7", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
    EXPECT_NE(place.refused().find("version 7"), std::string::npos);
    {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.write("garbage garbage garbage", 20);
    }
    EXPECT_NE(place.refused().find("put a copy back"), std::string::npos);
}

// On a file system of 40 MB of its own.
TEST(SqliteStore, AFullDiskShedsFlowsKeepsFindingsAndRecovers) {
    SqlitePlace place;
    if (::mount("tmpfs", place.keeping.folder.c_str(), "tmpfs", 0, "size=40m") != 0)
        GTEST_SKIP() << "a file system of its own needs root";
    place.keeping.free_bytes = 2'000'000;
    auto store = place.open();
    const Nanos now{20000 * 86400 * kSecond};
    std::uint64_t counter = 0;
    const auto write_flows = [&](Nanos at) {
        Batch batch;
        batch.at = at;
        for (int i = 0; i < 200; ++i) {
            FlowRow row;
            row.id = {1, 1, ++counter};
            row.frame.assign(4000, 7);
            batch.flows.push_back(std::move(row));
        }
        batch.documents = {{"ring", "place", std::to_string(counter)}};
        return store->write(batch);
    };
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(write_flows(now).ok());
    EXPECT_GT(store->health().flows_shed, 0u);
    EXPECT_GT(store->health().flows_kept, 0u);
    EXPECT_TRUE(store->health().full);
    EXPECT_EQ(store->kept("ring", "place").value(), std::to_string(counter));
    // Somebody else takes the rest.
    {
        std::ofstream rest(place.keeping.folder + "/other", std::ios::binary);
        const std::string block(65536, 'x');
        while (rest.write(block.data(), 65536).flush()) {
        }
    }
    Finding finding;
    finding.at = now;
    finding.document = std::string(100'000, 'f');
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(store->add_finding(finding).has_value()) << i;
    EXPECT_EQ(store->findings({})->size(), 20u);
    // Room again, and an hour later: it goes on by itself.
    fs::remove(place.keeping.folder + "/other");
    ASSERT_TRUE(store->sweep(now + 3601 * kSecond).ok());
    const std::uint64_t kept = store->health().flows_kept;
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(write_flows(now + 3601 * kSecond).ok());
        ASSERT_TRUE(store->sweep(now + 3601 * kSecond).ok());
    }
    EXPECT_GT(store->health().flows_kept, kept);
    store.reset();
    ASSERT_EQ(::umount2(place.keeping.folder.c_str(), MNT_DETACH), 0);
}

}  // namespace
}  // namespace seine::store
