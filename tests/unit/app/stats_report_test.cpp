// The counters' document: valid, complete, and written in one step.
#include "dataplane/app/stats_report.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/temp_folder.h"

namespace seine::app {
namespace {

Report small_report() {
    Report report;
    report.version = "1.2.3";
    report.state = "running";
    report.input = "pcap";
    report.started_ns = 1000;
    report.now_ns = 3500;
    report.process = 42;
    runtime::PortSnapshot port;
    port.label = "a \"quoted\" file";
    port.link_up = true;
    port.counters.ipackets = 10;
    port.counters.imissed = 1;
    report.snapshot.ports.push_back(port);
    for (unsigned i = 0; i < 2; ++i) {
        runtime::WorkerSnapshot worker;
        worker.index = i;
        worker.flows_live = 3;
        worker.counters = {{"packets", 5 + i, "frames"}, {"flows_new", 1, "flows"}};
        report.snapshot.workers.push_back(worker);
    }
    report.problems = {"line\nbreak"};
    return report;
}

TEST(StatsReport, HoldsEveryCounterPerWorkerAndInSum) {
    EXPECT_EQ(stats_document(small_report()),
              R"({"program":"seine-dataplane","version":"1.2.3","state":"running","input":"pcap","pid":42,)"
              R"("epoch":0,"started_ns":1000,"uptime_ns":2500,"ports":[{"port":"a \"quoted\" file",)"
              R"("link":"up","megabits":0,"ipackets":10,"ibytes":0,"imissed":1,"ierrors":0,"rx_nombuf":0,)"
              R"("kernel_packets":0,"kernel_drops":0}],"workers":[{"worker":0,"flows_live":3,)"
              R"("stalled":false,"counters":{"packets":5,"flows_new":1}},{"worker":1,"flows_live":3,)"
              R"("stalled":false,"counters":{"packets":6,"flows_new":1}}],"flows_live":6,)"
              R"("totals":{"packets":11,"flows_new":2},"directions":{"both":0,"client_only":0,)"
              R"("server_only":0},"shed_buckets":0,"records_exported":0,"notices":[],)"
              R"("problems":["line\u000abreak"],"meanings":{"packets":"frames","flows_new":"flows"}})");
}

TEST(StatsReport, IsWrittenWholeOrNotAtAll) {
    const test::TempFolder folder("stats");
    const std::string path = folder.file("stats.json");
    EXPECT_TRUE(write_stats(path, "{}").ok());
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    EXPECT_EQ(text.str(), "{}\n");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
    // A device stays what it is.
    EXPECT_TRUE(write_stats("/dev/null", "{}").ok());
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
    const Status refused = write_stats(folder.file("absent/stats.json"), "{}");
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.message().find("stats.json: counters cannot be written"), std::string::npos);
}

}  // namespace
}  // namespace seine::app
