// Frames written and read back, cut, flipped and made by other versions.
#include "dataplane/contract/frame.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/contract/json.h"

namespace seine::contract {
namespace {

constexpr FlowId kFlow{7, 1700000000, 42};
constexpr std::uint8_t kClient[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};

std::vector<std::uint8_t> finished(FrameWriter& writer, const std::vector<std::uint8_t>& buffer) {
    const std::size_t bytes = writer.finish();
    return {buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(bytes)};
}

// A value for every field of the table, different from its neighbours'.
std::vector<std::uint8_t> frame_with_every_field() {
    std::vector<std::uint8_t> buffer(64 * 1024);
    FrameWriter writer(buffer);
    writer.begin(Kind::close, kFlow);
    for (const FieldInfo& each : kFields) {
        const auto field = static_cast<Field>(each.number);
        const std::uint64_t value = (each.number * 7u) % 250u + 1;
        if (each.type == FieldType::ip) {
            std::uint8_t address[16];
            for (std::size_t i = 0; i < 16; ++i) address[i] = static_cast<std::uint8_t>(value + i);
            writer.set_ip(field, address);
        } else if (is_fixed(each.type)) {
            writer.set(field, each.type == FieldType::boolean ? 1 : value);
        } else if (each.type == FieldType::u16_list) {
            writer.u16(field, static_cast<std::uint16_t>(value));
            writer.u16(field, static_cast<std::uint16_t>(value + 1));
        } else if (each.type == FieldType::hex64_list) {
            writer.hex64(field, value << 40);
            writer.hex64(field, value);
        } else if (each.type == FieldType::exchange_list) {
            writer.exchange(field, 1, 2, 3);
            writer.exchange(field, 4, 5, 6);
        } else {
            writer.text(field, std::string("value of ") + std::string(each.name));
            if (each.type == FieldType::text_list) writer.text(field, "second");
        }
    }
    return finished(writer, buffer);
}

std::vector<std::uint8_t> small_frame() {
    std::vector<std::uint8_t> buffer(kRingFrameBytesMax);
    FrameWriter writer(buffer);
    writer.begin(Kind::open, kFlow);
    writer.set(Field::sport, 40000);
    writer.set_ip(Field::src, kClient);
    writer.text(Field::ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    writer.u16(Field::vlan, 100);
    writer.hex64(Field::session_presented, 0x0123456789abcdef);
    writer.exchange(Field::exchanges, 1, 2, 3);
    return finished(writer, buffer);
}

TEST(Frame, EveryFieldOfTheTableComesBack) {
    const auto bytes = frame_with_every_field();
    RecordView record;
    ASSERT_EQ(read_frame(bytes, record), Parse::ok);
    EXPECT_EQ(record.kind, Kind::close);
    EXPECT_EQ(record.version, kContractVersion);
    EXPECT_EQ(record.flow, kFlow);
    EXPECT_FALSE(record.truncated);
    for (const FieldInfo& each : kFields) {
        const auto field = static_cast<Field>(each.number);
        const std::uint64_t value = (each.number * 7u) % 250u + 1;
        EXPECT_TRUE(record.has(field)) << each.name;
        if (each.type == FieldType::ip) {
            ASSERT_EQ(record.ip(field).size(), 16u);
            EXPECT_EQ(record.ip(field)[3], static_cast<std::uint8_t>(value + 3)) << each.name;
        } else if (is_fixed(each.type)) {
            EXPECT_EQ(record.get(field), each.type == FieldType::boolean ? 1 : value) << each.name;
        } else if (value_bytes(each.type) == 0) {
            EXPECT_EQ(record.text(field), std::string("value of ") + std::string(each.name));
        }
    }
}

TEST(Frame, AbsentIsNotZero) {
    const auto bytes = small_frame();
    RecordView record;
    ASSERT_EQ(read_frame(bytes, record), Parse::ok);
    EXPECT_TRUE(record.has(Field::sport));
    EXPECT_FALSE(record.has(Field::dport));
    EXPECT_EQ(record.get(Field::dport), 0u);
    EXPECT_TRUE(record.ip(Field::dst).empty());
    bool found = true;
    EXPECT_EQ(record.text(Field::sni, &found), "");
    EXPECT_FALSE(found);
}

TEST(Frame, NegativeTimesKeepTheirSign) {
    std::vector<std::uint8_t> buffer(kRingFrameBytesMax);
    FrameWriter writer(buffer);
    writer.begin(Kind::open, kFlow);
    writer.set(Field::t_first_ns, static_cast<std::uint64_t>(std::int64_t{-5}));
    const auto bytes = finished(writer, buffer);
    RecordView record;
    ASSERT_EQ(read_frame(bytes, record), Parse::ok);
    EXPECT_EQ(static_cast<std::int64_t>(record.get(Field::t_first_ns)), -5);
}

TEST(Frame, TheWriterIsCleanAfterEachBegin) {
    std::vector<std::uint8_t> buffer(kFrameBytesMin + 40);
    FrameWriter writer(buffer);
    writer.begin(Kind::open, kFlow);
    writer.set(Field::sport, 1);
    writer.text(Field::sni, std::string(100, 'x'));
    EXPECT_TRUE(writer.truncated());
    static_cast<void>(writer.finish());
    writer.begin(Kind::update, kFlow);
    writer.text(Field::sni, "short");
    const auto bytes = finished(writer, buffer);
    RecordView record;
    ASSERT_EQ(read_frame(bytes, record), Parse::ok);
    EXPECT_EQ(record.kind, Kind::update);
    EXPECT_FALSE(record.truncated);
    EXPECT_FALSE(record.has(Field::sport));
    EXPECT_EQ(record.text(Field::sni), "short");
}

TEST(Frame, AStringWithoutRoomIsLeftOutWholeAndShorterOnesStillFit) {
    std::vector<std::uint8_t> buffer(kFrameBytesMin + 40);
    FrameWriter writer(buffer);
    writer.begin(Kind::open, kFlow);
    writer.text(Field::ja4_r, std::string(200, 'r'));
    writer.text(Field::sni, "api.example");
    const auto bytes = finished(writer, buffer);
    RecordView record;
    ASSERT_EQ(read_frame(bytes, record), Parse::ok);
    EXPECT_TRUE(record.truncated);
    EXPECT_FALSE(record.has(Field::ja4_r));
    EXPECT_EQ(record.text(Field::sni), "api.example");
}

TEST(Frame, AListThatLostAnItemTakesNoLaterOne) {
    std::vector<std::uint8_t> buffer(kFrameBytesMin + 40);
    FrameWriter writer(buffer);
    writer.begin(Kind::open, kFlow);
    writer.text(Field::ja4h, "one");
    writer.text(Field::ja4h, std::string(100, '2'));
    writer.text(Field::ja4h, "three");
    writer.text(Field::hdr_order, "other");
    const auto bytes = finished(writer, buffer);
    RecordView record;
    ASSERT_EQ(read_frame(bytes, record), Parse::ok);
    std::vector<std::string> items;
    record.for_each_string([&](Field, ByteView item) { items.emplace_back(as_text(item)); });
    EXPECT_EQ(items, (std::vector<std::string>{"one", "other"}));
}

TEST(Frame, ATextOfMoreThan64KiBIsLeftOut) {
    std::vector<std::uint8_t> buffer(256 * 1024);
    FrameWriter writer(buffer);
    writer.begin(Kind::open, kFlow);
    writer.text(Field::ja4h_r, std::string(kStringBytesMax + 1, 'x'));
    EXPECT_TRUE(writer.truncated());
    writer.begin(Kind::open, kFlow);
    writer.text(Field::ja4h_r, std::string(kStringBytesMax, 'x'));
    EXPECT_FALSE(writer.truncated());
    const auto bytes = finished(writer, buffer);
    RecordView record;
    ASSERT_EQ(read_frame(bytes, record), Parse::ok);
    EXPECT_EQ(record.text(Field::ja4h_r).size(), kStringBytesMax);
}

TEST(Frame, PendingStringsAppendAsIfWrittenDirectly) {
    std::vector<std::uint8_t> pending(256);
    std::size_t used = 0;
    ASSERT_TRUE(encode_text(pending, used, Field::sni, "a"));
    ASSERT_TRUE(encode_text(pending, used, Field::alpn, ""));
    ASSERT_TRUE(encode_u16(pending, used, Field::vlan, 9));
    ASSERT_TRUE(encode_hex64(pending, used, Field::session_issued, 10));
    ASSERT_TRUE(encode_exchange(pending, used, Field::exchanges, 1, 2, 3));
    EXPECT_EQ(used, 5u + 4u + 6u + 12u + 16u);
    const ByteView strings(pending.data(), used);

    std::vector<std::uint8_t> one(kRingFrameBytesMax);
    FrameWriter direct(one);
    direct.begin(Kind::open, kFlow);
    direct.text(Field::sni, "a");
    direct.text(Field::alpn, "");
    direct.u16(Field::vlan, 9);
    direct.hex64(Field::session_issued, 10);
    direct.exchange(Field::exchanges, 1, 2, 3);

    std::vector<std::uint8_t> two(kRingFrameBytesMax);
    FrameWriter appended(two);
    appended.begin(Kind::open, kFlow);
    appended.append_encoded(strings);
    EXPECT_EQ(finished(direct, one), finished(appended, two));
}

TEST(Frame, PendingStringsThatDoNotAllFitKeepTheFirst) {
    std::vector<std::uint8_t> pending(256);
    std::size_t used = 0;
    ASSERT_TRUE(encode_text(pending, used, Field::sni, "fits"));
    ASSERT_TRUE(encode_text(pending, used, Field::ja4_r, std::string(150, 'r')));
    ASSERT_TRUE(encode_text(pending, used, Field::ja4, "too"));
    std::vector<std::uint8_t> buffer(kFrameBytesMin + 30);
    FrameWriter writer(buffer);
    writer.begin(Kind::open, kFlow);
    writer.append_encoded({pending.data(), used});
    const auto bytes = finished(writer, buffer);
    RecordView record;
    ASSERT_EQ(read_frame(bytes, record), Parse::ok);
    EXPECT_TRUE(record.truncated);
    EXPECT_EQ(record.text(Field::sni), "fits");
    EXPECT_EQ(record.text(Field::ja4), "too");
}

TEST(Frame, AFullPendingBufferIsLeftAsItWas) {
    std::vector<std::uint8_t> pending(10);
    std::size_t used = 0;
    ASSERT_TRUE(encode_text(pending, used, Field::sni, "abc"));
    const auto before = pending;
    EXPECT_FALSE(encode_text(pending, used, Field::sni, "abc"));
    EXPECT_FALSE(encode_hex64(pending, used, Field::session_issued, 1));
    EXPECT_EQ(used, 7u);
    EXPECT_EQ(pending, before);
    std::vector<std::uint8_t> large(70000);
    used = 0;
    EXPECT_FALSE(encode_text(large, used, Field::sni, std::string(kStringBytesMax + 1, 'x')));
}

TEST(Frame, ExchangesInARowShareOneHeader) {
    std::vector<std::uint8_t> buffer(kRingFrameBytesMax);
    FrameWriter writer(buffer);
    writer.begin(Kind::update, kFlow);
    const std::size_t empty = writer.room();
    for (std::uint32_t i = 0; i < 10; ++i) writer.exchange(Field::exchanges, i, i, i);
    EXPECT_EQ(empty - writer.room(), 4u + 10u * 12u);
    writer.text(Field::sni, "between");
    writer.exchange(Field::exchanges, 99, 0, 0);
    const auto bytes = finished(writer, buffer);
    RecordView record;
    ASSERT_EQ(read_frame(bytes, record), Parse::ok);
    std::vector<std::uint32_t> starts;
    record.for_each_string([&](Field field, ByteView item) {
        if (field != Field::exchanges) return;
        for (std::size_t at = 0; at < item.size(); at += 12)
            starts.push_back(load_le32(item.data() + at));
    });
    EXPECT_EQ(starts, (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 99}));
}

TEST(Frame, EveryCutOfAFrameNeedsMore) {
    const auto bytes = frame_with_every_field();
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        const std::vector<std::uint8_t> cut(bytes.begin(),
                                            bytes.begin() + static_cast<std::ptrdiff_t>(length));
        RecordView record;
        EXPECT_EQ(read_frame(cut, record), Parse::need_more) << length;
    }
}

TEST(Frame, EveryShorterLengthIsToldOrEndsAtAString) {
    auto bytes = frame_with_every_field();
    const auto whole = static_cast<std::uint32_t>(bytes.size());
    std::size_t sound = 0;
    for (std::uint32_t length = 0; length < whole; ++length) {
        std::memcpy(bytes.data(), &length, sizeof length);
        RecordView record;
        const Parse parse = read_frame(bytes, record);
        EXPECT_TRUE(parse == Parse::ok || parse == Parse::malformed) << length;
        if (parse == Parse::ok) ++sound;
    }
    EXPECT_GT(sound, 50u);
    EXPECT_LT(sound, 200u);
}

TEST(Frame, EveryFlippedByteReadsOrIsRefused) {
    const auto bytes = frame_with_every_field();
    JsonWriter json;
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
            auto changed = bytes;
            changed[at] = static_cast<std::uint8_t>(changed[at] ^ flip);
            RecordView record;
            if (read_frame(changed, record) != Parse::ok) continue;
            out.clear();
            json.append(out, record, JsonForm::event);
            EXPECT_EQ(out.front(), '{');
            EXPECT_EQ(out.back(), '}');
        }
    }
}

TEST(Frame, AnOlderWritersShorterFixedPartReads) {
    const auto bytes = small_frame();
    // What a table that ended after `dport` would have written.
    constexpr std::size_t kOldFixed = 52;
    std::vector<std::uint8_t> old(bytes.begin(), bytes.begin() + kFrameHeaderBytes + kOldFixed);
    old.insert(old.end(), bytes.begin() + static_cast<std::ptrdiff_t>(kFrameBytesMin), bytes.end());
    const auto length = static_cast<std::uint32_t>(old.size());
    std::memcpy(old.data(), &length, 4);
    const std::uint16_t fixed = kOldFixed;
    std::memcpy(old.data() + 10, &fixed, 2);
    RecordView record;
    ASSERT_EQ(read_frame(old, record), Parse::ok);
    EXPECT_EQ(record.get(Field::sport), 40000u);
    EXPECT_FALSE(record.has(Field::worker));
    EXPECT_EQ(record.text(Field::ja4), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    old[24 + slot(Field::worker).bit / 8] |=
        static_cast<std::uint8_t>(1u << (slot(Field::worker).bit % 8));
    EXPECT_EQ(read_frame(old, record), Parse::malformed) << "a presence bit without its bytes";
}

TEST(Frame, ANewerWritersFieldsAreSteppedOver) {
    const auto bytes = small_frame();
    std::vector<std::uint8_t> newer(bytes.begin(),
                                    bytes.begin() + static_cast<std::ptrdiff_t>(kFrameBytesMin));
    newer.insert(newer.end(), 8, 0xee);  // eight bytes more of fixed part
    const std::uint16_t fixed = kFixedBytes + 8;
    std::memcpy(newer.data() + 10, &fixed, 2);
    const std::uint16_t version = kContractVersion + 1;
    std::memcpy(newer.data() + 4, &version, 2);
    newer[24 + kFixedLayout.field_count / 8] |=
        static_cast<std::uint8_t>(1u << (kFixedLayout.field_count % 8));
    const std::uint8_t strange[] = {0xf0, 0x00, 3, 0, 'n', 'e', 'w'};
    newer.insert(newer.end(), std::begin(strange), std::end(strange));
    newer.insert(newer.end(), bytes.begin() + static_cast<std::ptrdiff_t>(kFrameBytesMin),
                 bytes.end());
    const auto length = static_cast<std::uint32_t>(newer.size());
    std::memcpy(newer.data(), &length, 4);
    RecordView now;
    RecordView later;
    ASSERT_EQ(read_frame(bytes, now), Parse::ok);
    ASSERT_EQ(read_frame(newer, later), Parse::ok);
    EXPECT_EQ(later.version, version);
    std::string one;
    std::string two;
    JsonWriter json;
    json.append(one, now, JsonForm::event);
    json.append(two, later, JsonForm::event);
    EXPECT_EQ(one, two);
}

TEST(Frame, AKindOfTheFutureIsNotThis) {
    auto bytes = small_frame();
    RecordView record;
    bytes[6] = 77;
    EXPECT_EQ(read_frame(bytes, record), Parse::not_this);
    EXPECT_EQ(frame_length(bytes), bytes.size());
    bytes = small_frame();
    bytes[4] = bytes[5] = 0;
    EXPECT_EQ(read_frame(bytes, record), Parse::not_this);
}

TEST(Frame, AHugeLengthIsPastTheLimit) {
    auto bytes = small_frame();
    const std::uint32_t length = kFrameBytesMax + 1;
    std::memcpy(bytes.data(), &length, 4);
    RecordView record;
    EXPECT_EQ(read_frame(bytes, record), Parse::limit);
}

TEST(Frame, StringsOfWrongSizesAndFixedFieldsAmongThemAreMalformed) {
    const auto with_string = [](std::uint16_t number, std::size_t bytes) {
        auto frame = small_frame();
        frame.resize(kFrameBytesMin);
        frame.push_back(static_cast<std::uint8_t>(number));
        frame.push_back(static_cast<std::uint8_t>(number >> 8));
        frame.push_back(static_cast<std::uint8_t>(bytes));
        frame.push_back(0);
        frame.insert(frame.end(), bytes, 0);
        const auto length = static_cast<std::uint32_t>(frame.size());
        std::memcpy(frame.data(), &length, 4);
        RecordView record;
        return read_frame(frame, record);
    };
    const auto number = [](Field field) { return static_cast<std::uint16_t>(field); };
    EXPECT_EQ(with_string(number(Field::vlan), 2), Parse::ok);
    EXPECT_EQ(with_string(number(Field::vlan), 3), Parse::malformed);
    EXPECT_EQ(with_string(number(Field::vlan), 0), Parse::malformed);
    EXPECT_EQ(with_string(number(Field::session_issued), 16), Parse::ok);
    EXPECT_EQ(with_string(number(Field::session_issued), 15), Parse::malformed);
    EXPECT_EQ(with_string(number(Field::exchanges), 24), Parse::ok);
    EXPECT_EQ(with_string(number(Field::exchanges), 25), Parse::malformed);
    EXPECT_EQ(with_string(number(Field::sport), 2), Parse::malformed);
    EXPECT_EQ(with_string(0, 2), Parse::malformed);
    EXPECT_EQ(with_string(number(Field::sni), 0), Parse::ok);
    EXPECT_EQ(with_string(5000, 1), Parse::ok);
}

}  // namespace
}  // namespace seine::contract
