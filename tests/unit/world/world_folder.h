// Worlds made into a folder that goes away with the test.
#pragma once
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tools/world/maker.h"

namespace seine::world {

class WorldFolder {
  public:
    WorldFolder() {
        static int count = 0;
        path_ = std::filesystem::temp_directory_path() /
                ("seine-world-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
    }
    ~WorldFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    WorldFolder(const WorldFolder&) = delete;
    WorldFolder& operator=(const WorldFolder&) = delete;

    MakeCounts make(const std::string& level, std::uint64_t seed, unsigned threads, bool packed,
                    std::int64_t accounts = 900, double days = 1, bool farms = true) {
        auto parameters = read_parameters("");
        EXPECT_TRUE(parameters.has_value());
        parameters->world.accounts = accounts;
        parameters->world.days = days;
        MakeOptions options;
        options.level = level;
        options.seed = seed;
        options.threads = threads;
        options.packed = packed;
        options.farms = farms;
        options.folder = path_.string();
        auto counts = make_world(*parameters, options);
        EXPECT_TRUE(counts.has_value()) << counts.error().message();
        return *counts;
    }
    [[nodiscard]] std::string path(const std::string& name) const {
        return (path_ / name).string();
    }
    [[nodiscard]] std::string text(const std::string& name) const {
        std::ifstream in(path_ / name, std::ios::binary);
        std::stringstream out;
        out << in.rdbuf();
        return out.str();
    }

  private:
    std::filesystem::path path_;
};

}  // namespace seine::world
