// Tag keys of known bytes in a file of their own, for tests of whatever tags.
#pragma once
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "control/account/names.h"

namespace seine::account {

class KeyScene : public ::testing::Test {
  protected:
    KeyScene() {
        folder = std::filesystem::temp_directory_path() /
                 ("seine-account-" + std::to_string(::getpid()) + "-" +
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::create_directories(folder);
    }
    ~KeyScene() override { std::filesystem::remove_all(folder); }
    static std::string epoch(int number, long since) {
        std::string tag(64, static_cast<char>('0' + number));
        return "epoch " + std::to_string(number) + " since " + std::to_string(since) + " tag " +
               tag + " key " + tag.substr(32) + "\n";
    }
    std::shared_ptr<const TagKeys> keys(const std::string& text = epoch(1, 0)) const {
        const std::string path = folder / "tag.keys";
        std::ofstream(path) << text << "mac 3 000102030405060708090a0b0c0d0e0f\n";
        ::chmod(path.c_str(), 0600);
        auto loaded = TagKeys::load(path);
        EXPECT_TRUE(loaded.has_value()) << loaded.error().message();
        return std::move(*loaded);
    }
    std::filesystem::path folder;
    Directory directory;
};

}  // namespace seine::account
