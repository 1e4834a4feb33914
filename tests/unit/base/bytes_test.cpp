// Loads, the cursor over borrowed bytes, and the bounded values.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "dataplane/base/byte_reader.h"
#include "dataplane/base/fixed_string.h"
#include "dataplane/base/fixed_vector.h"
#include "dataplane/base/hash.h"

namespace seine {
namespace {

constexpr std::uint8_t kBytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09};

TEST(Loads, ReadNumbersInBothOrders) {
    EXPECT_EQ(load_be16(kBytes), 0x0102);
    EXPECT_EQ(load_be24(kBytes), 0x010203u);
    EXPECT_EQ(load_be32(kBytes), 0x01020304u);
    EXPECT_EQ(load_be64(kBytes), 0x0102030405060708u);
    EXPECT_EQ(load_le16(kBytes), 0x0201);
    EXPECT_EQ(load_le32(kBytes), 0x04030201u);
    EXPECT_EQ(load_le64(kBytes), 0x0807060504030201u);
}

TEST(ByteReader, ReadsInOrderAndKnowsWhatIsLeft) {
    ByteReader in(kBytes);
    EXPECT_EQ(in.u8(), 0x01);
    EXPECT_EQ(in.be16(), 0x0203);
    EXPECT_EQ(in.be24(), 0x040506u);
    EXPECT_EQ(in.left(), 3u);
    EXPECT_EQ(in.take(2).size(), 2u);
    EXPECT_EQ(in.rest().size(), 1u);
    EXPECT_FALSE(in.failed());
}

TEST(ByteReader, FailsAtEveryLengthThatIsTooShortAndStaysFailed) {
    for (std::size_t size = 0; size < 8; ++size) {
        const auto exact = std::make_unique<std::uint8_t[]>(size);
        ByteReader in(ByteView(exact.get(), size));
        EXPECT_EQ(in.be64(), 0u);
        EXPECT_TRUE(in.failed());
        EXPECT_TRUE(in.empty());
        EXPECT_EQ(in.u8(), 0);
        EXPECT_EQ(in.take(0).size(), 0u);
        EXPECT_TRUE(in.failed());
    }
}

TEST(ByteReader, AVectorLongerThanTheBytesFails) {
    const std::uint8_t bytes[] = {4, 1, 2, 3};
    ByteReader in(bytes);
    EXPECT_TRUE(in.vec8().empty());
    EXPECT_TRUE(in.failed());
    const std::uint8_t sound[] = {0, 2, 7, 8, 9};
    ByteReader vector(sound);
    EXPECT_EQ(vector.vec16().size(), 2u);
    EXPECT_EQ(vector.left(), 1u);
}

TEST(FixedVector, RefusesTheItemThatHasNoRoom) {
    FixedVector<int, 2> items;
    EXPECT_TRUE(items.push(1));
    EXPECT_TRUE(items.push(2));
    EXPECT_FALSE(items.push(3));
    EXPECT_EQ(items.size(), 2u);
    EXPECT_EQ(items.back(), 2);
    items.pop();
    EXPECT_FALSE(items.full());
}

TEST(FixedString, CutsAtItsCapAndSaysSo) {
    FixedString<8> text;
    text.append("abc");
    text.append_decimal(42);
    text.append_hex4(0xfe0d);
    EXPECT_EQ(text.view(), "abc42fe0");
    EXPECT_TRUE(text.truncated());
    text.clear();
    EXPECT_FALSE(text.truncated());
    const std::uint8_t bytes[] = {0x0a, 0xff};
    text.append_hex(bytes);
    EXPECT_EQ(text.view(), "0aff");
}

TEST(Hash64, DependsOnEveryByteTheLengthAndTheSeed) {
    const std::string base(41, 'x');
    const std::uint64_t whole = hash64(as_bytes(base), 1);
    EXPECT_NE(whole, hash64(as_bytes(base), 2));
    EXPECT_NE(whole, hash64(as_bytes(base).first(40), 1));
    for (std::size_t i = 0; i < base.size(); ++i) {
        std::string other = base;
        other[i] = 'y';
        EXPECT_NE(whole, hash64(as_bytes(other), 1)) << "byte " << i;
    }
}

}  // namespace
}  // namespace seine
