// Account records: the layout byte by byte, cuts, flips, datagrams and the replay window.
#include "dataplane/contract/account_record.h"

#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace seine::contract {
namespace {

using Bytes = std::array<std::uint8_t, kAccountRecordBytes>;

AccountRecord example() {
    AccountRecord record;
    record.flags = AccountFlags::resumed | AccountFlags::h2;
    record.gateway_id = 0x01020304;
    record.seq = 5;
    record.t_req_us = 1700000000000001;
    record.t_conn_us = 1700000000000000;
    record.client_ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
    record.client_port = 40000;
    record.server_ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 7};
    record.server_port = 443;
    record.proto = 6;
    record.stream_no = 3;
    record.account_tag.fill(0xaa);
    record.org_tag.fill(0xbb);
    record.boot_epoch = 9;
    record.type = AccountType::rekey;
    record.mac_key_id = 2;
    record.key_tag = 0x1111;
    record.tag_epoch = 4;
    record.endpoint_id = 6;
    record.model_id = 7;
    record.status_class = 2;
    record.limit_flag = 1;
    record.tok_in_b = 10;
    record.tok_out_b = 11;
    record.tier = 3;
    record.trust = 200;
    record.first_seen_day = 19675;
    record.session_hint = 0x2222;
    record.platform_id = 12;
    record.header_desc = 0x3333;
    return record;
}

Bytes encoded(const AccountRecord& record) {
    Bytes out;
    out.fill(0xcc);
    encode_account(out, record);
    return out;
}

// Offsets follow from detection.md 4.2: its left column, then its right one.
TEST(AccountRecord, LiesAsTheSpecificationSays) {
    Bytes bytes = encoded(example());
    set_account_mac(bytes, 0x4444);
    EXPECT_EQ(bytes[0], 'S');
    EXPECT_EQ(bytes[1], 'A');
    EXPECT_EQ(bytes[2], 1);
    EXPECT_EQ(load_le16(&bytes[3]), 6u);
    EXPECT_EQ(load_le32(&bytes[5]), 0x01020304u);
    EXPECT_EQ(load_le32(&bytes[9]), 5u);
    EXPECT_EQ(load_le64(&bytes[13]), 1700000000000001u);
    EXPECT_EQ(bytes[29 + 12], 192);
    EXPECT_EQ(load_le16(&bytes[45]), 40000u);
    EXPECT_EQ(load_le16(&bytes[63]), 443u);
    EXPECT_EQ(bytes[65], 6);
    EXPECT_EQ(bytes[70], 0xaa);
    EXPECT_EQ(bytes[86], 0xbb);
    EXPECT_EQ(bytes[104], 1);
    EXPECT_EQ(load_le64(&bytes[110]), 0x1111u);
    EXPECT_EQ(load_le32(&bytes[130]), 19675u);
    EXPECT_EQ(load_le64(&bytes[134]), 0x2222u);
    EXPECT_EQ(load_le64(&bytes[144]), 0x3333u);
    EXPECT_EQ(load_le64(&bytes[152]), 0x4444u);
    EXPECT_EQ(account_mac_bytes(bytes).size(), 152u);
}

TEST(AccountRecord, ComesBackWhole) {
    Bytes bytes = encoded(example());
    set_account_mac(bytes, 77);
    AccountRecord want = example();
    want.mac = 77;
    AccountRecord read;
    ASSERT_EQ(decode_account(bytes, read), Parse::ok);
    EXPECT_EQ(read, want);
}

TEST(AccountRecord, EveryCutNeedsMoreAndEveryFlipIsReadOrRefused) {
    const Bytes bytes = encoded(example());
    AccountRecord read;
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        const std::vector<std::uint8_t> cut(bytes.begin(),
                                            bytes.begin() + static_cast<std::ptrdiff_t>(length));
        EXPECT_EQ(decode_account(cut, read), Parse::need_more);
    }
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            Bytes changed = bytes;
            changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1u << bit));
            const Parse parse = decode_account(changed, read);
            if (at < 2) {
                EXPECT_EQ(parse, Parse::not_this);
            } else if (at == 2) {
                EXPECT_EQ(parse, Parse::limit);
            } else if (at >= 106 && at < 110) {
                EXPECT_EQ(parse, Parse::malformed) << "reserved";
            } else if (parse == Parse::ok) {
                Bytes again;
                encode_account(again, read);
                set_account_mac(again, read.mac);
                EXPECT_EQ(again, changed);
            }
        }
    }
}

TEST(AccountRecord, UnknownTypesFlagsAndProtocolsAreMalformed) {
    AccountRecord read;
    Bytes bytes = encoded(example());
    bytes[104] = 4;
    EXPECT_EQ(decode_account(bytes, read), Parse::malformed);
    bytes = encoded(example());
    bytes[3] |= 128;
    EXPECT_EQ(decode_account(bytes, read), Parse::malformed);
    bytes = encoded(example());
    bytes[65] = 1;
    EXPECT_EQ(decode_account(bytes, read), Parse::malformed);
}

TEST(AccountRecord, ADatagramHoldsOneToEight) {
    std::size_t count = 0;
    for (std::size_t records = 1; records <= 8; ++records) {
        const std::vector<std::uint8_t> datagram(records * kAccountRecordBytes);
        EXPECT_EQ(count_accounts(datagram, count), Parse::ok);
        EXPECT_EQ(count, records);
        EXPECT_EQ(count_accounts(ByteView(datagram).first(datagram.size() - 1), count),
                  Parse::need_more);
    }
    EXPECT_EQ(count_accounts({}, count), Parse::need_more);
    const std::vector<std::uint8_t> nine(9 * kAccountRecordBytes);
    EXPECT_EQ(count_accounts(nine, count), Parse::limit);
}

using Answer = SequenceWindow::Answer;

TEST(SequenceWindow, TakesEachOnce) {
    SequenceWindow window;
    for (std::uint32_t seq = 1000; seq < 200000; ++seq) {
        ASSERT_EQ(window.take(seq), Answer::fresh) << seq;
        ASSERT_EQ(window.take(seq), Answer::duplicate) << seq;
    }
    EXPECT_EQ(window.take(199999 - 65535), Answer::duplicate);
    EXPECT_EQ(window.take(199999 - 65536), Answer::too_old);
    EXPECT_EQ(window.missed(), 0u);
}

TEST(SequenceWindow, LateComersInsideItAreFreshOnce) {
    SequenceWindow window;
    EXPECT_EQ(window.take(100), Answer::fresh);
    EXPECT_EQ(window.take(5000), Answer::fresh);
    EXPECT_EQ(window.take(4999), Answer::fresh);
    EXPECT_EQ(window.take(4999), Answer::duplicate);
    EXPECT_EQ(window.take(50), Answer::fresh) << "before the first that came";
    EXPECT_EQ(window.take(50), Answer::duplicate);
}

TEST(SequenceWindow, WrapsAround) {
    SequenceWindow window;
    for (std::uint32_t i = 0; i < 100; ++i) ASSERT_EQ(window.take(0xffffffd0u + i), Answer::fresh);
    EXPECT_EQ(window.take(0xffffffd0u), Answer::duplicate);
    EXPECT_EQ(window.take(3), Answer::duplicate);
}

TEST(SequenceWindow, CountsWhatNeverCame) {
    SequenceWindow window;
    std::set<std::uint32_t> left_out;
    for (std::uint32_t seq = 0; seq < 300000; ++seq) {
        if (seq % 1000 == 7) {
            left_out.insert(seq);
            continue;
        }
        ASSERT_EQ(window.take(seq), Answer::fresh);
    }
    std::uint64_t gone = 0;
    for (const std::uint32_t seq : left_out)
        gone += 299999 - seq >= SequenceWindow::kWindow ? 1 : 0;
    EXPECT_EQ(window.missed(), gone);
    EXPECT_EQ(window.take(299007), Answer::fresh);
}

TEST(SequenceWindow, AJumpPastItLosesAllThatWasSteppedOver) {
    SequenceWindow window;
    EXPECT_EQ(window.take(0), Answer::fresh);
    EXPECT_EQ(window.take(1000000), Answer::fresh);
    // 1 .. 1000000 - 65536 can come no more.
    EXPECT_EQ(window.missed(), 1000000u - 65536u);
    EXPECT_EQ(window.take(1000000 - 65535), Answer::fresh);
    EXPECT_EQ(window.take(1000000 - 65536), Answer::too_old);
    EXPECT_EQ(window.take(0), Answer::too_old);
}

}  // namespace
}  // namespace seine::contract
