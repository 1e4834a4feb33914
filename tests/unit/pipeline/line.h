// One inspector, a clock and a way to read back what it tells: every test of the line begins here.
#pragma once
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/base/byte_ring.h"
#include "dataplane/contract/frame.h"
#include "dataplane/pipeline/inspector.h"
#include "tools/synth/hello_builder.h"
#include "tools/synth/packet_builder.h"

namespace seine::pipeline {

// A record copied out of the ring.
struct Record {
    contract::RecordView view;
    std::string bytes;

    explicit Record(ByteView frame) : bytes(as_text(frame)) { reopen(); }
    Record(const Record& other) : bytes(other.bytes) { reopen(); }
    Record& operator=(const Record& other) {
        bytes = other.bytes;
        reopen();
        return *this;
    }
    [[nodiscard]] contract::Kind kind() const { return view.kind; }
    [[nodiscard]] bool has(contract::Field field) const { return view.has(field); }
    [[nodiscard]] std::uint64_t get(contract::Field field) const { return view.get(field); }
    [[nodiscard]] std::string text(contract::Field field) const { return std::string(view.text(field)); }
    [[nodiscard]] std::vector<std::string> texts(contract::Field field) const {
        std::vector<std::string> out;
        view.for_each_string([&](contract::Field at, ByteView item) {
            if (at == field) out.emplace_back(as_text(item));
        });
        return out;
    }

  private:
    void reopen() {
        const auto* data = static_cast<const std::uint8_t*>(static_cast<const void*>(bytes.data()));
        EXPECT_EQ(contract::read_frame({data, bytes.size()}, view), Parse::ok);
    }
};

// Small enough that a test can meet every bound.
inline InspectorConfig small_config() {
    InspectorConfig config;
    config.limits.flows_max = 1024;
    config.limits.cold_flows_max = 256;
    config.limits.stream_pool_bytes = std::size_t{8} << 20;
    config.limits.fragment_datagrams_max = 64;
    config.limits.fragment_pool_bytes = std::size_t{1} << 20;
    config.limits.exchange_blocks_max = 64;
    config.limits.h2_connections_max = 16;
    config.limits.span_copies_max = 1024;
    return config;
}

// Feeds packets 1 ms apart and gathers all records.
class Line {
  public:
    static constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

    explicit Line(const InspectorConfig& config = small_config(), std::size_t ring_bytes = 4u << 20)
        : ring_(ring_bytes) {
        auto made = Inspector::make(config, ring_);
        EXPECT_TRUE(bool(made));
        inspector_ = std::move(*made);
    }

    void packet(const synth::Bytes& bytes, std::uint32_t cut_bytes = 0) {
        now_ = now_ + kMillisecond;
        const Frame frame = {bytes, static_cast<std::uint32_t>(bytes.size()) + cut_bytes,
                             wire::LinkType::ethernet, now_};
        inspector_->inspect({&frame, 1});
        if (draining_) drain();
    }
    // Another connection on the same line, as if it were a new one: no flow is left, no record is known.
    [[nodiscard]] Line& again() {
        finish();
        records.clear();
        return *this;
    }
    void wait(std::int64_t ns) { now_ = now_ + ns; }
    // Time passes and timers run.
    void pass(std::int64_t ns) {
        const std::int64_t step = 250 * kMillisecond;
        for (std::int64_t done = 0; done < ns; done += step) {
            now_ = now_ + std::min(step, ns - done);
            inspector_->advance(now_);
            drain();
        }
    }
    void finish() {
        while (!inspector_->finish(1)) drain();
        drain();
    }
    void hold_ring() { draining_ = false; }
    void drain() {
        for (ByteView frame = ring_.front(); !frame.empty(); frame = ring_.front()) {
            records.emplace_back(frame);
            ring_.release();
        }
    }

    [[nodiscard]] std::uint64_t count(Counter counter) const { return inspector_->counters().get(counter); }
    [[nodiscard]] std::size_t flows() const { return inspector_->flow_count(); }
    [[nodiscard]] Nanos now() const { return now_; }
    void set_now(Nanos at) { now_ = at; }
    [[nodiscard]] Inspector& inspector() { return *inspector_; }

    [[nodiscard]] std::vector<Record> of(contract::Kind kind) const {
        std::vector<Record> out;
        for (const Record& record : records)
            if (record.kind() == kind) out.push_back(record);
        return out;
    }
    // Every string of the field in all records, in order.
    [[nodiscard]] std::vector<std::string> all(contract::Field field) const {
        std::vector<std::string> out;
        for (const Record& record : records)
            for (std::string& text : record.texts(field)) out.push_back(std::move(text));
        return out;
    }
    // The last value told of a fixed field; 0 when none.
    [[nodiscard]] std::uint64_t last(contract::Field field) const {
        std::uint64_t value = 0;
        for (const Record& record : records)
            if (record.has(field)) value = record.get(field);
        return value;
    }
    [[nodiscard]] bool says(contract::Field field, std::string_view text) const {
        for (const std::string& one : all(field))
            if (one == text) return true;
        return false;
    }
    [[nodiscard]] bool contains(std::string_view bytes) const {
        for (const Record& record : records)
            if (record.bytes.find(bytes) != std::string::npos) return true;
        return false;
    }

    std::vector<Record> records;

  private:
    ByteRing ring_;
    std::unique_ptr<Inspector> inspector_;
    Nanos now_{kStart};
    bool draining_ = true;
};

// A TCP connection as two ends would send it; each step is one packet into the line.
struct Talk {
    Line& line;
    std::uint16_t client_port = 40000;
    std::uint16_t server_port = 443;
    std::uint32_t client_next = 1000;  // the ISN before the SYN
    std::uint32_t server_next = 9000;
    std::string_view client_ip = "192.0.2.1";
    std::string_view server_ip = "198.51.100.2";
    std::uint16_t ip_id = 1;  // counts up: no packet is the copy of another

    [[nodiscard]] synth::Bytes from_client(std::uint8_t flags, std::uint32_t seq,
                                           const synth::Bytes& payload = {}) {
        return frame(true, flags, seq, server_next, payload);
    }
    [[nodiscard]] synth::Bytes from_server(std::uint8_t flags, std::uint32_t seq,
                                           const synth::Bytes& payload = {}) {
        return frame(false, flags, seq, client_next, payload);
    }
    [[nodiscard]] synth::Bytes frame(bool client, std::uint8_t flags, std::uint32_t seq,
                                     std::uint32_t ack, const synth::Bytes& payload) {
        synth::TcpFields fields;
        fields.source_port = client ? client_port : server_port;
        fields.target_port = client ? server_port : client_port;
        fields.seq = seq;
        fields.ack = (flags & synth::kAck) != 0 ? ack : 0;
        fields.flags = flags;
        if ((flags & synth::kSyn) != 0) fields.options = synth::linux_syn_options();
        synth::Ipv4Options ip;
        ip.source = client ? client_ip : server_ip;
        ip.target = client ? server_ip : client_ip;
        ip.id = ip_id++;
        return synth::eth(synth::ipv4(ip, synth::tcp(fields, payload))).bytes;
    }
    void syn() {
        line.packet(from_client(synth::kSyn, client_next));
        ++client_next;
    }
    void syn_ack() {
        line.packet(from_server(synth::kSyn | synth::kAck, server_next));
        ++server_next;
    }
    void ack() { line.packet(from_client(synth::kAck, client_next)); }
    void open() {
        syn();
        syn_ack();
        ack();
    }
    void client(const synth::Bytes& payload) {
        line.packet(from_client(synth::kAck | synth::kPsh, client_next, payload));
        client_next += static_cast<std::uint32_t>(payload.size());
    }
    void server(const synth::Bytes& payload) {
        line.packet(from_server(synth::kAck | synth::kPsh, server_next, payload));
        server_next += static_cast<std::uint32_t>(payload.size());
    }
    void client_says(std::string_view text) { client(synth::bytes_of(text)); }
    void server_says(std::string_view text) { server(synth::bytes_of(text)); }
    // Bytes `begin` to `end` of a stream that starts at client_next, which stays.
    void client_piece(const synth::Bytes& stream, std::size_t begin, std::size_t end) {
        const synth::Bytes piece(stream.begin() + static_cast<std::ptrdiff_t>(begin),
                                 stream.begin() + static_cast<std::ptrdiff_t>(end));
        line.packet(from_client(synth::kAck, client_next + static_cast<std::uint32_t>(begin), piece));
    }
    void fin() {
        line.packet(from_client(synth::kAck | synth::kFin, client_next));
        line.packet(from_server(synth::kAck | synth::kFin, server_next));
        ++client_next;
        ++server_next;
    }
};

inline synth::Bytes hello_message(std::string_view name = "api.example", std::size_t filler_bytes = 0) {
    synth::HelloOptions options;
    options.session_id = synth::counting(32);
    options.ciphers = {0x1301, 0x1302, 0xc02f};
    options.extensions = {synth::server_name(name), synth::alpn({"h2", "http/1.1"}),
                          synth::u16_list(10, {0x001d, 0x0017}), synth::u16_list(13, {0x0403, 0x0804}),
                          synth::supported_versions({0x0304, 0x0303}), synth::key_shares({0x001d})};
    if (filler_bytes > 0)
        options.extensions.push_back(synth::bare(21, synth::Bytes(filler_bytes, 0)));
    return synth::handshake(1, synth::client_hello(options));
}
inline synth::Bytes client_hello_record(std::string_view name = "api.example", std::size_t filler_bytes = 0) {
    return synth::tls_record(22, hello_message(name, filler_bytes));
}
inline synth::Bytes server_hello_record(bool retry = false) {
    synth::ServerOptions options;
    options.retry_request = retry;
    // The one version the server chose.
    options.extensions = {synth::bare(43, {0x03, 0x04})};
    return synth::tls_record(22, synth::handshake(2, synth::server_hello(options)), 0x0303);
}
inline synth::Bytes application_data(std::size_t count) {
    return synth::tls_record(23, synth::Bytes(count, 0x5a), 0x0303);
}
// What the client hello of this file gives, through the plainest way.
inline std::string plain_ja4() {
    Line line;
    Talk talk{line};
    talk.open();
    talk.client(client_hello_record());
    line.finish();
    const auto found = line.all(contract::Field::ja4);
    return found.empty() ? std::string() : found.front();
}

}  // namespace seine::pipeline
