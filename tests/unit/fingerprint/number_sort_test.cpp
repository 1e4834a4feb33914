// Sorting of 16-bit numbers against std::sort.
#include "dataplane/fingerprint/number_sort.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace seine::fingerprint {
namespace {

TEST(NumberSort, SortsAsTheLibraryDoes) {
    std::mt19937 random(11);
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::uint16_t> numbers(random() % (round % 10 == 0 ? 2048 : 100));
        // Narrow ranges bring repeats, wide ones every high byte.
        const unsigned spread = round % 3 == 0 ? 64 : round % 3 == 1 ? 4096 : 65536;
        for (auto& number : numbers) number = static_cast<std::uint16_t>(random() % spread);
        std::vector<std::uint16_t> expected = numbers;
        std::sort(expected.begin(), expected.end());
        sort_numbers(numbers);
        ASSERT_EQ(numbers, expected) << round;
    }
}

TEST(NumberSort, SortsDistinctNumbersOfEveryHighByte) {
    std::vector<std::uint16_t> numbers;
    for (int i = 0; i < 1024; ++i) numbers.push_back(static_cast<std::uint16_t>(i * 40503));
    std::vector<std::uint16_t> expected = numbers;
    std::sort(expected.begin(), expected.end());
    NumberSets sets;
    ASSERT_TRUE(sets.sort(numbers));
    EXPECT_EQ(numbers, expected);
}

TEST(NumberSort, SetsRefuseRepeatsAndLeaveTheNumbers) {
    std::vector<std::uint16_t> numbers = {5, 3, 5};
    NumberSets sets;
    EXPECT_FALSE(sets.sort(numbers));
    EXPECT_EQ(numbers, (std::vector<std::uint16_t>{5, 3, 5}));
}

}  // namespace
}  // namespace seine::fingerprint
