// Tag keys for fuzz targets of account sources, in a file that lives as long as the process.
#pragma once
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "control/account/names.h"

namespace seine::account {

inline std::shared_ptr<const TagKeys> fuzz_keys() {
    const std::string path = "/tmp/seine-fuzz-keys-" + std::to_string(::getpid());
    std::ofstream(path) << "epoch 1 since 0 tag " << std::string(64, '1') << " key "
                        << std::string(32, '2') << "\nmac 3 000102030405060708090a0b0c0d0e0f\n";
    ::chmod(path.c_str(), 0600);
    auto keys = TagKeys::load(path);
    ::unlink(path.c_str());
    if (!keys) std::abort();
    return std::move(*keys);
}

}  // namespace seine::account
