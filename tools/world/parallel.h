// Pieces of work on several threads; what comes out must not depend on which thread took which.
#pragma once
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace seine::world {

template <typename Work>
void parallel_for(std::size_t count, unsigned threads, Work work) {
    std::atomic<std::size_t> next{0};
    const auto run = [&] {
        for (std::size_t i = next++; i < count; i = next++) work(i);
    };
    std::vector<std::thread> helpers;
    for (unsigned t = 1; t < threads && t < count; ++t) helpers.emplace_back(run);
    run();
    for (std::thread& helper : helpers) helper.join();
}

}  // namespace seine::world
