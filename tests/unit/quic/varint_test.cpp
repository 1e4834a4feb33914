// Variable-length integers: the samples of RFC 9000 appendix A.1, every form, every truncation.
#include "dataplane/quic/varint.h"

#include <gtest/gtest.h>

#include "tests/unit/quic/rfc_packets.h"

namespace seine::quic {
namespace {

TEST(Varint, ReadsTheSamplesOfRfc9000AppendixA1) {
    const std::pair<const char*, std::uint64_t> kSamples[] = {
        {"c2197c5eff14e88c", 151288809941952652u},
        {"9d7f3e7d", 494878333},
        {"7bbd", 15293},
        {"4025", 37},
        {"25", 37},
        {"ffffffffffffffff", kVarintMax},
        {"00", 0},
    };
    for (const auto& [text, value] : kSamples) {
        const Bytes bytes = unhex(text);
        ByteReader in(bytes);
        EXPECT_EQ(varint(in), value) << text;
        EXPECT_TRUE(in.empty() && !in.failed()) << text;
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            ByteReader cut(ByteView(bytes).first(size));
            EXPECT_EQ(varint(cut) & 0, 0u);
            EXPECT_TRUE(cut.failed()) << text << " cut to " << size;
        }
    }
}

TEST(Varint, TakesAVectorOnlyWhenItIsAllThere) {
    const Bytes bytes = unhex("03616263ff");
    ByteReader in(bytes);
    EXPECT_EQ(as_text(varint_vector(in)), "abc");
    EXPECT_EQ(in.left(), 1u);
    const Bytes huge = unhex("ffffffffffffffff61");
    ByteReader past(huge);
    EXPECT_TRUE(varint_vector(past).empty());
    EXPECT_TRUE(past.failed());
}

}  // namespace
}  // namespace seine::quic
