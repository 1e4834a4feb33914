// A dataplane that alerts: flows that open and close at a rate into a ring, and beside it findings
// that carry a number and the time they were made at. Real time; prints what was written, as JSON.
//   seine-test-alerts RING RING_MB FLOWS_A_SECOND FINDINGS_A_SECOND SECONDS
// The title of finding N is `event N`; its t_last_ns is the wall clock when it goes into the ring.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "dataplane/base/clock.h"
#include "dataplane/contract/frame.h"
#include "dataplane/export/ring_file.h"

namespace {

using namespace seine;  // NOLINT: one program, one purpose
using contract::Field;
using contract::FrameWriter;

Nanos now() {
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
}

struct Written {
    std::uint64_t flows = 0;
    std::uint64_t findings = 0;
    std::uint64_t dropped_flows = 0;
    std::uint64_t dropped_findings = 0;
};

class Load {
  public:
    Load(exporting::RingWriter& flows, exporting::RingWriter& alerts)
        : flows_(flows), alerts_(alerts) {}

    void flow(Nanos at) {
        ++number_;
        bool kept = true;
        for (const auto kind : {contract::Kind::open, contract::Kind::close}) {
            FrameWriter writer(buffer_);
            begin(writer, kind, at);
            if (kind == contract::Kind::close) {
                writer.choose(Field::end_reason, contract::EndReason::fin);
                writer.set(Field::packets_c, 12);
                writer.set(Field::payload_c, 2400);
            }
            kept = flows_.write({buffer_, writer.finish()}, 0) && kept;
        }
        ++(kept ? out.flows : out.dropped_flows);
    }
    void finding(Nanos at) {
        FrameWriter writer(buffer_);
        begin(writer, contract::Kind::finding, at);
        const std::string title = "event " + std::to_string(out.findings + out.dropped_findings);
        writer.text(Field::rules, "load-rule");
        writer.text(Field::rule_title, title);
        writer.text(Field::rule_class, "test");
        writer.text(Field::rule_field, "tls.ja4");
        writer.text(Field::rule_value, "t13d1516h2_8daaf6152771_b186095e22b6");
        writer.set(Field::severity, 4);
        writer.set(Field::confidence, 90);
        ++(alerts_.write({buffer_, writer.finish()}, 0) ? out.findings : out.dropped_findings);
    }
    Written out;

  private:
    void begin(FrameWriter& writer, contract::Kind kind, Nanos at) {
        writer.begin(kind, {1, flows_.epoch(), number_});
        std::uint8_t address[16] = {};
        address[10] = address[11] = 0xff;
        address[12] = 10;
        for (unsigned i = 0; i < 3; ++i)
            address[13 + i] = static_cast<std::uint8_t>(number_ / 50'000 >> (16 - 8 * i));
        writer.set_ip(Field::src, address);
        address[12] = 192;
        writer.set_ip(Field::dst, address);
        writer.set(Field::sport, 1024 + number_ % 50'000);
        writer.set(Field::dport, 443);
        writer.choose(Field::proto, contract::Proto::tcp);
        writer.choose(Field::app, contract::App::tls);
        writer.set(Field::t_first_ns, static_cast<std::uint64_t>(at.count));
        writer.set(Field::t_last_ns, static_cast<std::uint64_t>(at.count));
        writer.text(Field::ja4, number_ % 7 == 0 ? "t13d1516h2_8daaf6152771_b186095e22b6"
                                                 : "t13d3112h1_e8f1e7e78f70_d41ae481755e");
        writer.text(Field::sni, "api.example.com");
    }

    exporting::RingWriter& flows_;
    exporting::RingWriter& alerts_;
    std::uint64_t number_ = 0;
    std::uint8_t buffer_[4096] = {};
};

Result<std::unique_ptr<exporting::RingWriter>> opened(const std::string& path, const char* mb) {
    exporting::RingWriterConfig config;
    config.path = path;
    config.data_bytes = std::strtoull(mb, nullptr, 10) << 20;
    config.dataplane_id = 1;
    config.epoch = 1;
    return exporting::RingWriter::open(config);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        std::fputs(
            "usage: seine-test-alerts RING RING_MB FLOWS_A_SECOND FINDINGS_A_SECOND SECONDS\n",
            stderr);
        return 2;
    }
    auto flows = opened(argv[1], argv[2]);
    auto alerts = opened(std::string(argv[1]) + ".alerts", argv[2]);
    if (!flows || !alerts) {
        std::fprintf(stderr, "seine-test-alerts: %s\n",
                     (flows ? alerts : flows).error().message().c_str());
        return 1;
    }
    const auto flow_rate = static_cast<double>(std::strtoull(argv[3], nullptr, 10));
    const auto finding_rate = static_cast<double>(std::strtoull(argv[4], nullptr, 10));
    Load load(**flows, **alerts);
    const Nanos begun = now();
    const std::int64_t length = std::atoll(argv[5]) * kSecond;
    for (Nanos at = begun; at - begun < length; at = now()) {
        // What is due by the clock, so that a machine that lags is caught up with.
        const double spent_s = static_cast<double>(at - begun) / kSecond;
        const Written& out = load.out;
        while (static_cast<double>(out.flows + out.dropped_flows) < spent_s * flow_rate)
            load.flow(now());
        while (static_cast<double>(out.findings + out.dropped_findings) < spent_s * finding_rate)
            load.finding(now());
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    (*flows)->close();
    (*alerts)->close();
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf(
        "{\"flows\":%llu,\"findings\":%llu,\"dropped_flows\":%llu,\"dropped_findings\":%llu}\n",
        number(load.out.flows), number(load.out.findings), number(load.out.dropped_flows),
        number(load.out.dropped_findings));
    return 0;
}
