// Values that come again: what is remembered, what is not, and when a field is left alone.
#include "dataplane/signature/value_memory.h"

#include <string>

#include <gtest/gtest.h>

namespace seine::signature {
namespace {

constexpr std::uint64_t kSeed = 7;

bool known(ValueMemory& memory, std::uint16_t slot, std::string_view value) {
    const ValueMemory::Entry* entry = memory.place(slot, value);
    return entry != nullptr && memory.holds(*entry, slot, value);
}
void learn(ValueMemory& memory, std::uint16_t slot, std::string_view value, std::uint16_t fact) {
    ValueMemory::Entry* entry = memory.place(slot, value);
    ASSERT_NE(entry, nullptr);
    ValueMemory::begin(*entry, slot, value);
    EXPECT_TRUE(entry->add(fact));
}

TEST(ValueMemory, KnowsAValueOfItsOwnFieldAlone) {
    ValueMemory memory(2, kSeed);
    EXPECT_FALSE(known(memory, 0, "curl/8"));
    learn(memory, 0, "curl/8", 3);
    EXPECT_TRUE(known(memory, 0, "curl/8"));
    EXPECT_EQ(memory.place(0, "curl/8")->facts[0], 3);
    EXPECT_FALSE(known(memory, 0, "curl/9"));
    EXPECT_FALSE(known(memory, 1, "curl/8"));
    EXPECT_EQ(memory.found(), 1u);
}

TEST(ValueMemory, AnEmptyValueIsAValue) {
    ValueMemory memory(1, kSeed);
    EXPECT_FALSE(known(memory, 0, ""));
    learn(memory, 0, "", 1);
    EXPECT_TRUE(known(memory, 0, ""));
}

TEST(ValueMemory, WhatIsTooLongIsNotKept) {
    ValueMemory memory(1, kSeed);
    EXPECT_NE(memory.place(0, std::string(ValueMemory::kTextMax, 'a')), nullptr);
    EXPECT_EQ(memory.place(0, std::string(ValueMemory::kTextMax + 1, 'a')), nullptr);
}

TEST(ValueMemory, AFactCountsOnceAndTooManyAreSaid) {
    ValueMemory::Entry entry;
    for (std::uint16_t i = 0; i < ValueMemory::kFactsMax; ++i) EXPECT_TRUE(entry.add(i));
    EXPECT_TRUE(entry.add(0));
    EXPECT_EQ(entry.fact_count, ValueMemory::kFactsMax);
    EXPECT_FALSE(entry.add(ValueMemory::kFactsMax));
}

TEST(ValueMemory, AFieldWhoseValuesDoNotRepeatRests) {
    ValueMemory memory(2, kSeed);
    for (std::uint32_t i = 0; i < ValueMemory::kLooks; ++i) EXPECT_FALSE(known(memory, 0, std::to_string(i)));
    for (std::uint32_t i = 0; i < ValueMemory::kRest; ++i) ASSERT_EQ(memory.place(0, "x"), nullptr);
    EXPECT_NE(memory.place(0, "x"), nullptr);
    EXPECT_NE(memory.place(1, "x"), nullptr);
}

}  // namespace
}  // namespace seine::signature
