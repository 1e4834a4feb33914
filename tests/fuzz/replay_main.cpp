// Runs seed files through a fuzz target without libFuzzer, each on a heap buffer of its exact size.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::size_t run_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::vector<char> read{std::istreambuf_iterator<char>(in), {}};
    const auto exact = std::make_unique<std::uint8_t[]>(read.size());
    std::copy(read.begin(), read.end(), exact.get());
    LLVMFuzzerTestOneInput(exact.get(), read.size());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t count = 0;
    for (int i = 1; i < argc; ++i) {
        if (std::string_view(argv[i]).starts_with("-")) continue;
        if (std::filesystem::is_directory(argv[i])) {
            for (const auto& entry : std::filesystem::directory_iterator(argv[i]))
                if (entry.is_regular_file()) count += run_file(entry.path());
        } else if (std::filesystem::exists(argv[i])) {
            count += run_file(argv[i]);
        }
    }
    std::printf("%zu seeds run\n", count);
    return count > 0 ? 0 : 1;
}
