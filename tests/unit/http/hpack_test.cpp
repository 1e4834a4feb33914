// HPACK: RFC 7541 appendix C known answers, bounds, bounded memory and no allocation while
// decoding.
#include "dataplane/http/hpack.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace seine;
using namespace seine::http;

std::string from_hex(std::string_view hex) {
    std::string out;
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        out.push_back(static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1])));
    return out;
}

struct Decoder {
    explicit Decoder(std::size_t slab = std::size_t{1} << 20,
                     std::size_t budget = std::size_t{1} << 20)
        : memory(slab) {
        started = table.start(memory, budget);
    }
    Parse feed(std::string_view block, bool last = true) {
        return table.feed(as_bytes(block), last, text, fields);
    }
    std::string decode(std::string_view hex) {
        text.clear();
        fields.clear();
        if (feed(from_hex(hex)) != Parse::ok) return "refused";
        std::string out;
        for (const HeaderField& field : fields)
            out += std::string(field.name) + "=" + std::string(field.value) + "\n";
        return out;
    }
    HpackMemory memory;
    HeaderText text;
    HeaderList fields;
    HpackInflater table;
    Parse started = Parse::malformed;
};

TEST(Hpack, DecodesRfc7541AppendixC3RequestsWithoutHuffman) {
    Decoder d;
    ASSERT_EQ(d.started, Parse::ok);
    EXPECT_EQ(d.decode("828684410f7777772e6578616d706c652e636f6d"),
              ":method=GET\n:scheme=http\n:path=/\n:authority=www.example.com\n");
    EXPECT_EQ(
        d.decode("828684be58086e6f2d6361636865"),
        ":method=GET\n:scheme=http\n:path=/\n:authority=www.example.com\ncache-control=no-cache\n");
    EXPECT_EQ(d.decode("828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565"),
              ":method=GET\n:scheme=https\n:path=/index.html\n:authority=www.example.com\n"
              "custom-key=custom-value\n");
}

TEST(Hpack, DecodesRfc7541AppendixC4RequestsWithHuffman) {
    Decoder d;
    EXPECT_EQ(d.decode("828684418cf1e3c2e5f23a6ba0ab90f4ff"),
              ":method=GET\n:scheme=http\n:path=/\n:authority=www.example.com\n");
    EXPECT_EQ(
        d.decode("828684be5886a8eb10649cbf"),
        ":method=GET\n:scheme=http\n:path=/\n:authority=www.example.com\ncache-control=no-cache\n");
    EXPECT_EQ(d.decode("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"),
              ":method=GET\n:scheme=https\n:path=/index.html\n:authority=www.example.com\n"
              "custom-key=custom-value\n");
}

TEST(Hpack, TakesABlockInAnyFragments) {
    const std::string block = from_hex("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf");
    for (std::size_t split = 0; split <= block.size(); ++split) {
        Decoder d;
        ASSERT_NE(d.decode("828684418cf1e3c2e5f23a6ba0ab90f4ff"), "refused");
        ASSERT_NE(d.decode("828684be5886a8eb10649cbf"), "refused");
        d.text.clear();
        d.fields.clear();
        ASSERT_EQ(d.feed(block.substr(0, split), false), Parse::ok) << split;
        ASSERT_EQ(d.feed(block.substr(split), true), Parse::ok) << split;
        EXPECT_EQ(d.fields.size(), 5u);
        EXPECT_EQ(d.fields.value_of("custom-key"), "custom-value");
    }
}

TEST(Hpack, EveryTruncationIsRefusedOrShorter) {
    const std::string block = from_hex("828684410f7777772e6578616d706c652e636f6d");
    for (std::size_t cut = 0; cut < block.size(); ++cut) {
        Decoder d;
        const Parse parse = d.feed(block.substr(0, cut));
        EXPECT_TRUE(cut <= 3 ? parse == Parse::ok : parse == Parse::malformed) << cut;
    }
}

TEST(Hpack, FollowsTableSizesUpToItsBound) {
    Decoder d;
    EXPECT_EQ(d.decode("3fe1ff0382"), ":method=GET\n");  // 65,536
    Decoder beyond;
    EXPECT_EQ(beyond.decode("3fe2ff0382"), "refused");
}

// Literals without indexing: | 0 | name | value |
std::string literal(std::string_view name, std::string_view value, char kind = 0) {
    std::string out(1, kind);
    for (const std::string_view part : {name, value}) {
        std::size_t length = part.size();
        if (length < 127) {
            out.push_back(static_cast<char>(length));
        } else {
            out.push_back(127);
            for (length -= 127; length >= 128; length >>= 7)
                out.push_back(static_cast<char>(0x80 | (length & 0x7f)));
            out.push_back(static_cast<char>(length));
        }
        out += part;
    }
    return out;
}

TEST(Hpack, BoundsFieldsAndText) {
    Decoder many;
    std::string block;
    for (std::size_t i = 0; i <= HeaderList::kFieldsMax; ++i) block += literal("a", "b");
    EXPECT_EQ(many.feed(block), Parse::limit);
    Decoder large;
    block.clear();
    for (int i = 0; i < 5; ++i) block += literal("name", std::string(15000, 'v'));
    EXPECT_EQ(large.feed(block), Parse::limit);
    // A bomb: one large entry in the table, named again and again by one byte.
    Decoder bomb;
    block = literal("n", std::string(3000, 'v'), 0x40);
    block.append(100, static_cast<char>(0xbe));
    EXPECT_EQ(bomb.feed(block), Parse::limit);
}

TEST(Hpack, StaysWithinItsBudgetAndGivesAllBack) {
    Decoder d(std::size_t{1} << 20, std::size_t{64} * 1024);
    ASSERT_EQ(d.started, Parse::ok);
    std::mt19937 random(3);
    for (int i = 0; i < 2000; ++i) {
        d.text.clear();
        d.fields.clear();
        const std::string name = "name-" + std::to_string(random() % 500);
        ASSERT_EQ(d.feed(literal(name, std::string(random() % 300, 'v'), 0x40)), Parse::ok);
        ASSERT_LE(d.table.memory_bytes(), std::size_t{64} * 1024);
    }
    d.table.stop();
    EXPECT_EQ(d.memory.used_bytes(), 0u);
    EXPECT_EQ(d.table.memory_bytes(), 0u);
    Decoder poor(HpackMemory::kBlockBytesMax, 600);
    EXPECT_EQ(poor.started, Parse::limit);
    EXPECT_EQ(poor.memory.used_bytes(), 0u);
}

TEST(Hpack, WithoutMemoryEndsInLimit) {
    Decoder d(HpackMemory::kBlockBytesMax, std::size_t{16} * 1024);
    ASSERT_EQ(d.started, Parse::ok);
    // A string that claims 60,000 bytes asks for its buffer before they come.
    EXPECT_EQ(d.feed(literal("n", std::string(60000, 'v')).substr(0, 100), false), Parse::limit);
}

TEST(HpackMemory, JoinsFreedBlocks) {
    HpackMemory memory(4 * HpackMemory::kBlockBytesMax);
    std::mt19937 random(5);
    for (int round = 0; round < 20; ++round) {
        std::vector<void*> held;
        while (true) {
            void* block = memory.take(1 + random() % 5000);
            if (block == nullptr) break;
            held.push_back(block);
        }
        EXPECT_GT(held.size(), 100u);
        std::shuffle(held.begin(), held.end(), random);
        for (void* block : held) memory.give(block);
        EXPECT_EQ(memory.used_bytes(), 0u);
        std::vector<void*> whole;
        for (int i = 0; i < 4; ++i) whole.push_back(memory.take(HpackMemory::kBlockBytesMax));
        EXPECT_EQ(memory.take(1), nullptr);
        for (void* block : whole) {
            ASSERT_NE(block, nullptr);
            memory.give(block);
        }
    }
    EXPECT_EQ(memory.take(HpackMemory::kBlockBytesMax + 1), nullptr);
}

TEST(HpackMemory, BlocksDoNotOverlap) {
    HpackMemory memory(HpackMemory::kBlockBytesMax);
    std::mt19937 random(9);
    struct Held {
        std::uint8_t* at;
        std::size_t bytes;
        std::uint8_t mark;
    };
    std::vector<Held> held;
    for (int i = 0; i < 20000; ++i) {
        if (held.size() > 60 || (random() % 3 == 0 && !held.empty())) {
            const std::size_t pick = random() % held.size();
            for (std::size_t b = 0; b < held[pick].bytes; ++b)
                ASSERT_EQ(held[pick].at[b], held[pick].mark);
            memory.give(held[pick].at);
            held[pick] = held.back();
            held.pop_back();
            continue;
        }
        const std::size_t bytes = 1 + random() % 4000;
        auto* at = static_cast<std::uint8_t*>(memory.take(bytes));
        if (at == nullptr) continue;
        EXPECT_GE(memory.block_bytes(at), bytes);
        const auto mark = static_cast<std::uint8_t>(i);
        std::fill(at, at + bytes, mark);
        held.push_back({at, bytes, mark});
    }
}

}  // namespace
