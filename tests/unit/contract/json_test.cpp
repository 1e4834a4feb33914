// Records as JSON: known lines, hostile texts, addresses.
#include "dataplane/contract/json.h"

#include <vector>

#include <gtest/gtest.h>

namespace seine::contract {
namespace {

std::string json_text(std::string_view text) {
    std::string out;
    append_json_text(out, text);
    return out;
}

std::string address(std::initializer_list<unsigned> groups) {
    std::uint8_t bytes[16];
    std::size_t at = 0;
    for (const unsigned group : groups) {
        bytes[at++] = static_cast<std::uint8_t>(group >> 8);
        bytes[at++] = static_cast<std::uint8_t>(group);
    }
    std::string out;
    append_address(out, bytes);
    return out;
}

TEST(JsonText, EveryByteMakesValidJsonAndCanBeHadBack) {
    EXPECT_EQ(json_text(""), "\"\"");
    EXPECT_EQ(json_text("api.example"), "\"api.example\"");
    EXPECT_EQ(json_text("a\"b\\c"), "\"a\\\"b\\\\c\"");
    EXPECT_EQ(json_text(std::string_view("\0\n\x1f\x7f", 4)), "\"\\u0000\\u000a\\u001f\\u007f\"");
    EXPECT_EQ(json_text("\xab\xff"), "\"\\u00ab\\u00ff\"");
    EXPECT_EQ(json_text("\xc3\xa9"), "\"\\u00c3\\u00a9\"") << "UTF-8 is bytes like any other";
    for (int c = 0; c < 256; ++c) {
        const char byte = static_cast<char>(c);
        for (const char printed : json_text({&byte, 1})) {
            EXPECT_GE(printed, 0x20);
            EXPECT_LT(printed, 0x7f);
        }
    }
}

// The printer steps over plain text eight bytes at a time: each byte value at each place of such a
// step.
TEST(JsonText, LongTextsEscapeTheSameBytesAtEveryPlace) {
    for (int c = 0; c < 256; ++c) {
        const char byte = static_cast<char>(c);
        const std::string one = json_text({&byte, 1});
        for (std::size_t at = 0; at < 20; ++at) {
            std::string text(20, 'a');
            text[at] = byte;
            const std::string want = "\"" + std::string(at, 'a') + one.substr(1, one.size() - 2) +
                                     std::string(19 - at, 'a') + "\"";
            ASSERT_EQ(json_text(text), want) << c << " at " << at;
        }
    }
}

// RFC 5952 sections 4 and 5.
TEST(JsonAddress, IsWrittenAsRfc5952Says) {
    EXPECT_EQ(address({0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201}), "192.0.2.1");
    EXPECT_EQ(address({0x2001, 0xdb8, 0, 0, 0, 0, 2, 1}), "2001:db8::2:1");
    EXPECT_EQ(address({0x2001, 0xdb8, 0, 1, 1, 1, 1, 1}), "2001:db8:0:1:1:1:1:1");
    EXPECT_EQ(address({0x2001, 0, 0, 1, 0, 0, 0, 1}), "2001:0:0:1::1");
    EXPECT_EQ(address({0x2001, 0xdb8, 0, 0, 1, 0, 0, 1}), "2001:db8::1:0:0:1");
    EXPECT_EQ(address({0, 0, 0, 0, 0, 0, 0, 0}), "::");
    EXPECT_EQ(address({0, 0, 0, 0, 0, 0, 0, 1}), "::1");
    EXPECT_EQ(address({1, 0, 0, 0, 0, 0, 0, 0}), "1::");
    EXPECT_EQ(address({0xfe80, 0, 0, 0, 0xa00, 0x27ff, 0xfefe, 0x8f95}),
              "fe80::a00:27ff:fefe:8f95");
    EXPECT_EQ(address({0x2001, 0x16b8, 0x4700, 0xeb60, 0x3a10, 0xd5ff, 0xfe4e, 0xabe6}),
              "2001:16b8:4700:eb60:3a10:d5ff:fe4e:abe6");
}

RecordView example(std::vector<std::uint8_t>& buffer) {
    static constexpr std::uint8_t kMappedClient[16] = {0, 0, 0,    0,    0,   0, 0, 0,
                                                       0, 0, 0xff, 0xff, 192, 0, 2, 1};
    buffer.resize(kRingFrameBytesMax);
    FrameWriter writer(buffer);
    writer.begin(Kind::update, {1, 2, 3});
    writer.exchange(Field::exchanges, 10, 517, 4000);
    writer.text(Field::alpn, "h2");
    writer.set(Field::t_first_ns, 1700000000000000001);
    writer.set_ip(Field::src, kMappedClient);
    writer.set(Field::sport, 40000);
    writer.choose(Field::proto, Proto::tcp);
    writer.choose(Field::seen, Seen::both);
    writer.set(Field::app, 99);
    writer.set(Field::rtt_valid, 0);
    writer.set(Field::tls_version, 0x0304);
    writer.set(Field::quic_version, 1);
    writer.text(Field::alpn, "\xba\xad");
    writer.hex64(Field::session_presented, 0xab);
    writer.u16(Field::vlan, 100);
    writer.u16(Field::vlan, 200);
    writer.text(Field::sni, "");
    writer.set(Field::worker, 3);
    RecordView record;
    EXPECT_EQ(read_frame({buffer.data(), writer.finish()}, record), Parse::ok);
    return record;
}

TEST(Json, AnEventIsOneObjectInTableOrder) {
    std::vector<std::uint8_t> buffer;
    const RecordView record = example(buffer);
    JsonWriter json;
    std::string out;
    json.append(out, record, JsonForm::event);
    EXPECT_EQ(out,
              "{\"kind\":\"update\",\"flow_id\":\"1-2-3\",\"t_first_ns\":1700000000000000001,"
              "\"src\":\"192.0.2.1\","
              "\"sport\":40000,\"proto\":\"tcp\",\"app\":99,\"seen\":\"both\",\"sni\":\"\","
              "\"alpn\":[\"h2\",\"\\u00ba\\u00ad\"],\"tls_version\":\"0304\",\"quic_version\":"
              "\"00000001\","
              "\"session_presented\":[\"00000000000000ab\"],\"rtt_valid\":false,\"vlan\":[100,200],"
              "\"exchanges\":[[10,517,4000]],\"worker\":3}");
}

TEST(Json, AFlowDependsOnTheTrafficAlone) {
    std::vector<std::uint8_t> buffer;
    const RecordView record = example(buffer);
    JsonWriter json;
    std::string out;
    json.append(out, record, JsonForm::flow);
    EXPECT_EQ(out.find("kind"), std::string::npos);
    EXPECT_EQ(out.find("flow_id"), std::string::npos);
    EXPECT_EQ(out.find("worker"), std::string::npos);
    EXPECT_EQ(out.rfind("{\"t_first_ns\":1700000000000000001,", 0), 0u);
}

TEST(Json, WhatWasTruncatedSaysSo) {
    std::vector<std::uint8_t> buffer(kFrameBytesMin + 8);
    FrameWriter writer(buffer);
    writer.begin(Kind::open, {});
    writer.text(Field::sni, "far too long for that");
    RecordView record;
    ASSERT_EQ(read_frame({buffer.data(), writer.finish()}, record), Parse::ok);
    JsonWriter json;
    std::string out;
    json.append(out, record, JsonForm::flow);
    EXPECT_EQ(out, "{\"truncated\":true}");
}

TEST(Json, TheWriterKeepsNothingBetweenRecords) {
    std::vector<std::uint8_t> buffer;
    const RecordView record = example(buffer);
    JsonWriter json;
    std::string first;
    json.append(first, record, JsonForm::event);
    std::vector<std::uint8_t> other(kRingFrameBytesMax);
    FrameWriter writer(other);
    writer.begin(Kind::close, {9, 9, 9});
    RecordView empty;
    ASSERT_EQ(read_frame({other.data(), writer.finish()}, empty), Parse::ok);
    std::string second;
    json.append(second, empty, JsonForm::event);
    EXPECT_EQ(second, "{\"kind\":\"close\",\"flow_id\":\"9-9-9\"}");
    std::string third;
    json.append(third, record, JsonForm::event);
    EXPECT_EQ(first, third);
}

}  // namespace
}  // namespace seine::contract
