// Records of a flow folded to one, and what bounds it.
#include "dataplane/export/fold.h"

#include <gtest/gtest.h>

#include "dataplane/contract/json.h"
#include "tests/unit/export/records.h"

namespace seine::exporting {
namespace {

using contract::Field;
using contract::Kind;

class Folded {
  public:
    explicit Folded(const FoldLimits& limits = {})
        : fold(limits, [this](const contract::RecordView& flow) {
              std::string line;
              json_.append(line, flow, contract::JsonForm::flow);
              lines.push_back(line);
          }) {}
    void add(const Bytes& frame) {
        contract::RecordView view;
        ASSERT_EQ(contract::read_frame(frame, view), Parse::ok);
        fold.add(view);
    }
    std::vector<std::string> lines;
    Fold fold;

  private:
    contract::JsonWriter json_;
};

constexpr char kCommon[] =
    "\"src\":\"192.0.2.1\",\"sport\":40000,\"dst\":\"198.51.100.7\",\"dport\":443,\"proto\":"
    "\"tcp\"";

TEST(Fold, FourKindsMakeOneLine) {
    Folded folded;
    const Flow flow;
    folded.add(record(Kind::open, flow, 2000, [](contract::FrameWriter& w) {
        w.text(Field::ja4, "first");
        w.text(Field::alpn, "h2");
        w.text(Field::alpn, "http/1.1");
        w.set(Field::packets_c, 3);
        w.choose(Field::seen, contract::Seen::client);
        w.text(Field::incomplete, "cut");
    }));
    folded.add(record(Kind::request, flow, 3000, [](contract::FrameWriter& w) {
        w.text(Field::ja4h, "one");
        w.text(Field::path, "/a");
        w.set(Field::status, 200);
    }));
    folded.add(record(Kind::request, flow, 4000, [](contract::FrameWriter& w) {
        w.text(Field::ja4h, "two");
        w.text(Field::path, "/b");
        w.set(Field::status, 404);
    }));
    folded.add(record(Kind::update, flow, 5000, [](contract::FrameWriter& w) {
        w.exchange(Field::exchanges, 1, 2, 3);
        w.set(Field::packets_c, 10);
        w.text(Field::alpn, "never");
        w.text(Field::incomplete, "cut");
        w.text(Field::ja4ssh_final, "early");
    }));
    EXPECT_TRUE(folded.lines.empty());
    EXPECT_EQ(folded.fold.open_flows(), 1u);
    folded.add(record(Kind::close, flow, 6000, [](contract::FrameWriter& w) {
        w.exchange(Field::exchanges, 4, 5, 6);
        w.set(Field::packets_c, 12);
        w.text(Field::ja4, "second");
        w.text(Field::incomplete, "gap");
        w.text(Field::ja4ssh_final, "late");
        w.choose(Field::seen, contract::Seen::both);
        w.choose(Field::end_reason, contract::EndReason::fin);
    }));
    ASSERT_EQ(folded.lines.size(), 1u);
    EXPECT_EQ(folded.lines[0],
              std::string("{\"t_first_ns\":1000,\"t_last_ns\":6000,") + kCommon +
                  ",\"seen\":\"both\",\"alpn\":[\"h2\",\"http/"
                  "1.1\"],\"ja4\":\"first\",\"ja4h\":[\"one\",\"two\"],"
                  "\"ja4ssh_final\":\"late\",\"path\":\"/"
                  "a\",\"status\":200,\"exchanges\":[[1,2,3],[4,5,6]],"
                  "\"packets_c\":12,\"end_reason\":\"fin\",\"incomplete\":[\"cut\",\"gap\"]}");
    EXPECT_EQ(folded.fold.open_flows(), 0u);
}

TEST(Fold, WhatIsOpenAtTheEndComesOutOldestFirst) {
    Folded folded;
    for (std::uint64_t i = 1; i <= 3; ++i) {
        folded.add(record(Kind::open, {i, 1000, static_cast<std::uint16_t>(i), 0}, 1000));
    }
    folded.add(record(Kind::update, {1, 1000, 1, 0}, 9000));
    folded.fold.finish();
    ASSERT_EQ(folded.lines.size(), 3u);
    EXPECT_NE(folded.lines[0].find("\"sport\":1,"), std::string::npos);
    EXPECT_NE(folded.lines[0].find("\"t_last_ns\":9000"), std::string::npos);
    EXPECT_NE(folded.lines[2].find("\"sport\":3,"), std::string::npos);
}

TEST(Fold, FlowsOfOtherEpochsAndDataplanesStayApart) {
    Folded folded;
    Bytes one = record(Kind::open, {}, 1000);
    Bytes other_epoch = one;
    other_epoch[12] ^= 1;
    Bytes other_dataplane = one;
    other_dataplane[8] ^= 1;
    folded.add(one);
    folded.add(other_epoch);
    folded.add(other_dataplane);
    EXPECT_EQ(folded.fold.open_flows(), 3u);
}

TEST(Fold, AtItsBoundTheOldestComesOutEarlyAndIsCounted) {
    FoldLimits limits;
    limits.flows_max = 2;
    Folded folded(limits);
    for (std::uint64_t i = 1; i <= 3; ++i) {
        folded.add(record(Kind::open, {i, 1000, static_cast<std::uint16_t>(i), 0}, 1000));
    }
    ASSERT_EQ(folded.lines.size(), 1u);
    EXPECT_NE(folded.lines[0].find("\"sport\":1,"), std::string::npos);
    EXPECT_EQ(folded.fold.early(), 1u);
    folded.add(record(Kind::close, {1, 1000, 1, 0}, 9000));
    EXPECT_EQ(folded.lines.size(), 3u)
        << "the late close makes a line of its own and pushes one out";
}

TEST(Fold, StringsPastTheBoundOfAFlowAreLeftOutAndSaidSo) {
    FoldLimits limits;
    limits.flow_bytes_max = 64;
    Folded folded(limits);
    const auto request = [](const char* fingerprint) {
        return record(Kind::request, {}, 1000,
                      [&](contract::FrameWriter& w) { w.text(Field::ja4h, fingerprint); });
    };
    folded.add(request("ge11nn000000_aaaaaaaaaaaa_1"));
    folded.add(request("ge11nn000000_aaaaaaaaaaaa_2"));
    folded.add(request("ge11nn000000_aaaaaaaaaaaa_3"));
    folded.fold.finish();
    ASSERT_EQ(folded.lines.size(), 1u);
    EXPECT_NE(folded.lines[0].find("_2\"]"), std::string::npos);
    EXPECT_EQ(folded.lines[0].find("_3"), std::string::npos);
    EXPECT_NE(folded.lines[0].find("\"truncated\":true"), std::string::npos);
}

TEST(Fold, EveryRuleOfTheTableIsOneThatItsTypeCanKeep) {
    for (const contract::FieldInfo& each : contract::kFields) {
        const bool list = each.type == contract::FieldType::text_list ||
                          each.type > contract::FieldType::text_list;
        if (each.fold == contract::Fold::append || each.fold == contract::Fold::distinct) {
            EXPECT_TRUE(list) << each.name;
        }
    }
}

}  // namespace
}  // namespace seine::exporting
