// A dataplane and a gateway at full rate, for a control that is killed meanwhile: opening and closing
// records into a ring, and a gateway's log beside it. Real time; prints what was written, as JSON.
//
// usage: seine-test-load RING RING_MB LOG FLOWS_A_SECOND LINES_A_FLOW SECONDS [KEYS [held]]
//
// LOG unix:PATH: binary records to the socket there, eight a datagram, in place of lines. KEYS: how many
// accounts there are. held: writes no more while the ring is half full, so that a machine that is busy
// with other things takes longer and loses nothing.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>

#include "dataplane/base/clock.h"
#include "dataplane/contract/account_record.h"
#include "dataplane/contract/frame.h"
#include "dataplane/export/ring_file.h"
#include "dataplane/export/ring_reader.h"

namespace {

using namespace seine;  // NOLINT: one program, one purpose
using contract::Field;

constexpr std::int64_t kTurn = 10 * kMillisecond;
constexpr std::int64_t kLife = 2 * kSecond;
constexpr std::uint64_t kKeys = 100'000;
constexpr std::size_t kRecordsADatagram = 8;
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

// Where a gateway tells of its requests: a log, or a socket that takes records.
struct Gateway {
    std::FILE* log = nullptr;
    int socket = -1;
    std::uint64_t keys = kKeys;
};

class Load {
  public:
    Load(exporting::RingWriter& ring, const Gateway& gateway, std::uint64_t lines_a_flow)
        : ring_(ring), gateway_(gateway), lines_a_flow_(lines_a_flow) {}

    void open(Nanos at) {
        const std::uint64_t flow = ++flows_;
        live_.push_back({flow, at});
        put(contract::Kind::open, flow, at, at) ? ++out.opened : ++out.dropped;
        for (std::uint64_t i = 0; i < lines_a_flow_; ++i) {
            if (gateway_.log != nullptr) line(flow, at + 40 * kMillisecond);
            else record(flow, at + 40 * kMillisecond);
        }
    }
    void flush() {
        if (gateway_.log != nullptr) std::fflush(gateway_.log);
        else send();
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
        std::fprintf(gateway_.log,
                     "{\"msec\":\"%lld.%03lld\",\"remote_addr\":\"%u.%u.%u.%u\",\"remote_port\":\"%llu\","
                     "\"x_api_key\":\"sk-load-%llu\"}\n",
                     static_cast<long long>(at.count / kSecond), static_cast<long long>(at.count % kSecond / kMillisecond),
                     client >> 24, client >> 16 & 255, client >> 8 & 255, client & 255,
                     static_cast<unsigned long long>(port_of(flow)), static_cast<unsigned long long>(flow % gateway_.keys));
        ++out.lines;
    }
    void record(std::uint64_t flow, Nanos at) {
        contract::AccountRecord record;
        record.gateway_id = 7;
        record.boot_epoch = 1;
        record.seq = ++sequence_;
        record.t_req_us = static_cast<std::uint64_t>(at.micros());
        record.client_ip[10] = record.client_ip[11] = 0xff;
        for (int i = 0; i < 4; ++i)
            record.client_ip[static_cast<std::size_t>(12 + i)] = static_cast<std::uint8_t>(client_of(flow) >> (8 * (3 - i)));
        record.client_port = static_cast<std::uint16_t>(port_of(flow));
        record.proto = 6;
        const std::uint64_t key = flow % gateway_.keys;
        std::memcpy(record.account_tag.data(), &key, sizeof key);
        record.account_tag[15] = 1;
        std::array<std::uint8_t, contract::kAccountRecordBytes> bytes{};
        contract::encode_account(bytes, record);
        std::memcpy(datagram_.data() + datagram_bytes_, bytes.data(), bytes.size());
        datagram_bytes_ += bytes.size();
        ++out.lines;
        if (datagram_bytes_ == datagram_.size()) send();
    }
    // Waits where the receiver's queue is full.
    void send() {
        if (datagram_bytes_ != 0 && ::send(gateway_.socket, datagram_.data(), datagram_bytes_, 0) < 0)
            std::perror("seine-test-load: the socket");
        datagram_bytes_ = 0;
    }

    exporting::RingWriter& ring_;
    Gateway gateway_;
    std::uint32_t sequence_ = 0;
    std::array<std::uint8_t, kRecordsADatagram * contract::kAccountRecordBytes> datagram_{};
    std::size_t datagram_bytes_ = 0;
    std::uint64_t lines_a_flow_;
    std::uint64_t flows_ = 0;
    std::deque<Live> live_;
    std::uint8_t buffer_[4096] = {};
};

bool open_gateway(const char* place, Gateway& out) {
    if (std::strncmp(place, "unix:", 5) != 0) return (out.log = std::fopen(place, "ae")) != nullptr;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s", place + 5);
    out.socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const void* const generic = &address;
    return ::connect(out.socket, static_cast<const sockaddr*>(generic), sizeof address) == 0;
}

// What is due by the clock, so that a machine that lags is caught up with; held, while there is room. How long the flows took
// to open, in nanoseconds.
std::int64_t run(Load& load, const exporting::RingReader* held, std::uint64_t rate, std::int64_t length) {
    const Nanos begun = now();
    const auto flows = static_cast<std::uint64_t>(static_cast<double>(length) / kSecond * static_cast<double>(rate));
    std::int64_t stood = 0;
    std::uint64_t opened = 0;
    Nanos at = begun;
    for (Nanos before = begun; opened < flows; before = at, at = now()) {
        if (held != nullptr && (held->fill() > 0.5 || at - before > 4 * kTurn)) stood += at - before;
        const double spent_s = static_cast<double>(at - begun - stood) / kSecond;
        const auto due = std::min(static_cast<std::uint64_t>(spent_s * static_cast<double>(rate)), flows);
        for (; opened < due; ++opened) load.open(at);
        load.close_before(at);
        load.flush();
        std::this_thread::sleep_for(std::chrono::nanoseconds(kTurn));
    }
    const std::int64_t took = now() - begun;
    load.close_before(now() + 2 * kLife);
    load.flush();
    return took;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 7 || argc > 9) {
        std::fputs("usage: seine-test-load RING RING_MB LOG FLOWS_A_SECOND LINES_A_FLOW SECONDS [KEYS [held]]\n", stderr);
        return 2;
    }
    exporting::RingWriterConfig config;
    config.path = argv[1];
    config.data_bytes = std::strtoull(argv[2], nullptr, 10) << 20;
    config.dataplane_id = 1;
    config.epoch = 1;
    auto ring = exporting::RingWriter::open(config);
    Gateway gateway;
    if (argc > 7) gateway.keys = std::strtoull(argv[7], nullptr, 10);
    if (!ring || !open_gateway(argv[3], gateway)) {
        std::fprintf(stderr, "seine-test-load: %s\n", ring ? argv[3] : ring.error().message().c_str());
        return 1;
    }
    auto looker = exporting::RingReader::open_to_look(argv[1]);
    Load load(**ring, gateway, std::strtoull(argv[5], nullptr, 10));
    const bool held = argc > 8 && looker;
    const std::int64_t took = run(load, held ? looker->get() : nullptr, std::strtoull(argv[4], nullptr, 10),
                                  std::atoll(argv[6]) * kSecond);
    if (gateway.log != nullptr) std::fclose(gateway.log);
    (*ring)->close();
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf("{\"opened\":%llu,\"closed\":%llu,\"dropped\":%llu,\"lines\":%llu,\"opening_s\":%.3f}\n",
                number(load.out.opened), number(load.out.closed), number(load.out.dropped), number(load.out.lines),
                static_cast<double>(took) / kSecond);
    return 0;
}
