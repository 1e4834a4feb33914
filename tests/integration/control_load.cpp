// A dataplane and a gateway at full rate, for a control that is killed meanwhile: opening and closing
// records into a ring, and a gateway's log beside it. Real time; prints what was written, as JSON.
//
// usage: seine-test-load RING RING_MB LOG FLOWS_A_SECOND LINES_A_FLOW SECONDS
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <thread>

#include "dataplane/base/clock.h"
#include "dataplane/contract/frame.h"
#include "dataplane/export/ring_file.h"

namespace {

using namespace seine;  // NOLINT: one program, one purpose
using contract::Field;

constexpr std::int64_t kTurn = 10 * kMillisecond;
constexpr std::int64_t kLife = 2 * kSecond;
constexpr std::uint64_t kKeys = 100'000;
constexpr std::uint64_t kPorts = 60'000;

Nanos now() {
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

struct Written {
    std::uint64_t opened = 0;
    std::uint64_t closed = 0;
    std::uint64_t dropped = 0;
    std::uint64_t lines = 0;
};

class Load {
  public:
    Load(exporting::RingWriter& ring, std::FILE* log, std::uint64_t lines_a_flow)
        : ring_(ring), log_(log), lines_a_flow_(lines_a_flow) {}

    void open(Nanos at) {
        const std::uint64_t flow = ++flows_;
        live_.push_back({flow, at});
        put(contract::Kind::open, flow, at, at) ? ++out.opened : ++out.dropped;
        for (std::uint64_t i = 0; i < lines_a_flow_; ++i) line(flow, at + 40 * kMillisecond);
    }
    void close_before(Nanos at) {
        while (!live_.empty() && live_.front().opened + kLife <= at) {
            const Live& live = live_.front();
            put(contract::Kind::close, live.flow, live.opened, at) ? ++out.closed : ++out.dropped;
            live_.pop_front();
        }
    }
    Written out;

  private:
    struct Live {
        std::uint64_t flow;
        Nanos opened;
    };
    static std::uint32_t client_of(std::uint64_t flow) { return 0x0a000001u + static_cast<std::uint32_t>(flow / kPorts); }
    static std::uint64_t port_of(std::uint64_t flow) { return 1024 + flow % kPorts; }

    bool put(contract::Kind kind, std::uint64_t flow, Nanos opened, Nanos at) {
        contract::FrameWriter writer(buffer_);
        writer.begin(kind, {1, ring_.epoch(), flow});
        std::uint8_t address[16] = {};
        address[10] = address[11] = 0xff;
        for (int i = 0; i < 4; ++i) address[12 + i] = static_cast<std::uint8_t>(client_of(flow) >> (8 * (3 - i)));
        writer.set_ip(Field::src, address);
        address[12] = 192;
        writer.set_ip(Field::dst, address);
        writer.set(Field::sport, port_of(flow));
        writer.set(Field::dport, 443);
        writer.set(Field::proto, 6);
        writer.set(Field::t_first_ns, static_cast<std::uint64_t>(opened.count));
        writer.set(Field::t_last_ns, static_cast<std::uint64_t>(at.count));
        if (kind == contract::Kind::open) {
            writer.text(Field::ja4, flow % 7 == 0 ? "t13d1516h2_8daaf6152771_02713d6af862"
                                                  : "t13d3112h1_e8f1e7e78f70_d41ae481755e");
            writer.text(Field::alpn, "h2");
        }
        return ring_.write({buffer_, writer.finish()}, 0);
    }
    void line(std::uint64_t flow, Nanos at) {
        const std::uint32_t client = client_of(flow);
        std::fprintf(log_,
                     "{\"msec\":\"%lld.%03lld\",\"remote_addr\":\"%u.%u.%u.%u\",\"remote_port\":\"%llu\","
                     "\"x_api_key\":\"sk-load-%llu\"}\n",
                     static_cast<long long>(at.count / kSecond), static_cast<long long>(at.count % kSecond / kMillisecond),
                     client >> 24, client >> 16 & 255, client >> 8 & 255, client & 255,
                     static_cast<unsigned long long>(port_of(flow)), static_cast<unsigned long long>(flow % kKeys));
        ++out.lines;
    }

    exporting::RingWriter& ring_;
    std::FILE* log_;
    std::uint64_t lines_a_flow_;
    std::uint64_t flows_ = 0;
    std::deque<Live> live_;
    std::uint8_t buffer_[4096] = {};
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) {
        std::fputs("usage: seine-test-load RING RING_MB LOG FLOWS_A_SECOND LINES_A_FLOW SECONDS\n", stderr);
        return 2;
    }
    exporting::RingWriterConfig config;
    config.path = argv[1];
    config.data_bytes = std::strtoull(argv[2], nullptr, 10) << 20;
    config.dataplane_id = 1;
    config.epoch = 1;
    auto ring = exporting::RingWriter::open(config);
    std::FILE* const log = std::fopen(argv[3], "ae");
    if (!ring || log == nullptr) {
        std::fprintf(stderr, "seine-test-load: %s\n", ring ? argv[3] : ring.error().message().c_str());
        return 1;
    }
    const std::uint64_t rate = std::strtoull(argv[4], nullptr, 10);
    Load load(**ring, log, std::strtoull(argv[5], nullptr, 10));
    const Nanos begun = now();
    const std::int64_t length = std::atoll(argv[6]) * kSecond;
    std::uint64_t opened = 0;
    for (Nanos at = begun; at - begun < length; at = now()) {
        // What is due by the clock, so that a machine that lags is caught up with.
        const double spent_s = static_cast<double>(at - begun) / kSecond;
        const auto due = static_cast<std::uint64_t>(spent_s * static_cast<double>(rate));
        for (; opened < due; ++opened) load.open(at);
        load.close_before(at);
        std::fflush(log);
        std::this_thread::sleep_for(std::chrono::nanoseconds(kTurn));
    }
    load.close_before(now() + 2 * kLife);
    std::fclose(log);
    (*ring)->close();
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf("{\"opened\":%llu,\"closed\":%llu,\"dropped\":%llu,\"lines\":%llu}\n", number(load.out.opened),
                number(load.out.closed), number(load.out.dropped), number(load.out.lines));
    return 0;
}
