// The dataplane's stats document as metrics: bounded names and labels, losses by reason.
#include <prometheus/text_serializer.h>

#include <gtest/gtest.h>

#include "control/service/metrics_line.h"

namespace seine::service {
namespace {

std::string text_of(const std::string& document) {
    std::vector<prometheus::MetricFamily> families;
    add_dataplane_counters(families, document);
    return prometheus::TextSerializer().Serialize(families);
}

TEST(DataplaneMetrics, LossesHaveTheirReasonAsLabel) {
    const std::string text = text_of(
        "{\"flows_live\":30,\"records_exported\":6,\"ports\":[{\"port\":\"0000:3b:00.0\","
        "\"ipackets\":100,\"ibytes\":5,\"imissed\":3,\"kernel_drops\":9}],"
        "\"totals\":{\"packets\":2001,\"records_dropped_ring_full\":2,\"decode_ok\":7},"
        "\"meanings\":{\"packets\":\"packets\\u001b looked at\"}}");
    EXPECT_NE(text.find("seine_dataplane_given_up_total{reason=\"records_dropped_ring_full\"} 2"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("# HELP seine_dataplane_packets_total packets looked at\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("seine_dataplane_packets_total 2001"), std::string::npos);
    EXPECT_NE(text.find("seine_dataplane_decode_ok_total 7"), std::string::npos);
    EXPECT_NE(text.find("seine_dataplane_port_lost_packets_total{port=\"0000:3b:00.0\","
                        "reason=\"missed\"} 3"),
              std::string::npos);
    EXPECT_NE(text.find("seine_dataplane_flows_live 30"), std::string::npos);
}

TEST(DataplaneMetrics, ADocumentOfSomebodyElseMakesNoNames) {
    EXPECT_EQ(text_of("no document"), "");
    const std::string text = text_of(
        "{\"totals\":{\"a b\":1,\"x\\ny\":2,\"UPPER\":3,\"\":4,\"good\":5,\"bad\\\"quote\":6},"
        "\"ports\":[{\"port\":\"a\\nb\\\"c\"}]}");
    EXPECT_NE(text.find("seine_dataplane_good_total 5"), std::string::npos) << text;
    EXPECT_EQ(text.find("UPPER"), std::string::npos);
    EXPECT_NE(text.find("port=\"ab\\\"c\""), std::string::npos) << text;
    std::string many = "{\"totals\":{";
    for (int i = 0; i < 5000; ++i) many += (i == 0 ? "\"c" : ",\"c") + std::to_string(i) + "\":1";
    const std::string bounded = text_of(many + "}}");
    EXPECT_NE(bounded.find("seine_dataplane_c999_total"), std::string::npos);
    EXPECT_EQ(bounded.find("seine_dataplane_c1000_total"), std::string::npos);
}

TEST(DataplaneMetrics, ADataplaneThatIsAwayIsDown) {
    std::vector<prometheus::MetricFamily> families;
    add_dataplane_metrics(families, "/nowhere/dataplane.sock", 100);
    EXPECT_EQ(prometheus::TextSerializer().Serialize(families),
              "# HELP seine_dataplane_up 1: the dataplane answers on its admin socket\n"
              "# TYPE seine_dataplane_up gauge\nseine_dataplane_up 0\n");
    families.clear();
    add_dataplane_metrics(families, "", 100);
    EXPECT_TRUE(families.empty());
}

}  // namespace
}  // namespace seine::service
