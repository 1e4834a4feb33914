// Floods: memory stays flat, honest handshakes keep their fingerprints, and every frame sent is accounted for.
//
// Size by the environment: SEINE_FLOOD_FLOWS flows of each kind (tools/test --soak floods asks for 20 million).
#include <gtest/gtest.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "dataplane/capture/pcap_file.h"
#include "tests/unit/pipeline/line.h"

namespace seine::pipeline {
namespace {

using contract::Field;
using contract::Kind;
using synth::Bytes;
using synth::kAck;
using synth::kPsh;
using synth::kSyn;

constexpr std::uint64_t kFlowsByDefault = 100000;
constexpr std::int64_t kPacketNs = kMicrosecond;  // a million packets a second
constexpr std::size_t kTargetAt = 14 + 16;        // of an Ethernet frame with IPv4
constexpr std::size_t kSourceAt = 14 + 12;
constexpr std::size_t kIdAt = 14 + 4;
constexpr std::size_t kPortAt = 14 + 20;
constexpr unsigned kHonest = 100;
constexpr std::uint16_t kHonestPort = 30000;

std::uint64_t flows_wanted() {
    const char* said = std::getenv("SEINE_FLOOD_FLOWS");
    return said == nullptr ? kFlowsByDefault : std::strtoull(said, nullptr, 10);
}

// Tables are as large as a flood must be to pass them several times over, and no larger than by default.
InspectorConfig flood_config(std::uint64_t flows) {
    InspectorConfig config;
    Limits& limits = config.limits;
    limits.flows_max = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(flows / 8, 4096, limits.flows_max));
    limits.cold_flows_max = limits.flows_max / 8;
    limits.stream_pool_bytes = std::min<std::size_t>(limits.stream_pool_bytes, limits.flows_max * std::size_t{1024});
    limits.fragment_datagrams_max = std::min<std::uint32_t>(limits.fragment_datagrams_max, limits.flows_max / 8);
    limits.exchange_blocks_max = limits.flows_max / 4;
    limits.h2_connections_max = 256;
    limits.span_copies_max = 16384;
    return config;
}

std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t pages = 0;
    statm >> pages >> pages;
    return pages * 4096;
}

double cpu_seconds() {
    timespec at{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) * 1e-9;
}

// One inspector fed in bursts; of the records only what the checks ask about is kept.
class Feed {
  public:
    explicit Feed(const InspectorConfig& config) : ring_(std::size_t{16} << 20) {
        ring_.pause_when_full([](void* self) noexcept { static_cast<Feed*>(self)->drain(); }, this);
        auto made = Inspector::make(config, ring_);
        EXPECT_TRUE(bool(made));
        inspector_ = std::move(*made);
        buffers_.resize(Inspector::kBurstMax);
    }

    void send(const Bytes& bytes) {
        Bytes& at = buffers_[filled_];
        at.assign(bytes.begin(), bytes.end());
        now_ = now_ + kPacketNs;
        frames_[filled_] = {at, static_cast<std::uint32_t>(at.size()), wire::LinkType::ethernet, now_};
        ++sent_;
        if (++filled_ == Inspector::kBurstMax) flush();
    }
    void flush() {
        inspector_->inspect({frames_, filled_});
        filled_ = 0;
        drain();
    }
    // Time passes without packets.
    void pass(std::int64_t ns) {
        flush();
        for (const Nanos end = now_ + ns; now_ < end;) {
            now_ = now_ + 250 * kMillisecond;
            inspector_->advance(now_);
            drain();
        }
    }
    void finish() {
        flush();
        while (!inspector_->finish(1024)) drain();
        drain();
        for_each([this](const std::string& name, std::uint64_t value) { counted_[name] = value; });
    }

    template <typename Visit>
    void for_each(Visit&& visit) const {
        inspector_->counters().for_each([&](std::string_view prefix, std::string_view name, std::string_view,
                                            std::uint64_t value) {
            visit(std::string(prefix) + std::string(name), value);
        });
    }
    // After finish().
    [[nodiscard]] std::uint64_t count(const std::string& name) const {
        const auto found = counted_.find(name);
        EXPECT_NE(found, counted_.end()) << name;
        return found == counted_.end() ? 0 : found->second;
    }
    [[nodiscard]] std::uint64_t sum(std::string_view prefix) const {
        std::uint64_t total = 0;
        for (const auto& [name, value] : counted_)
            if (name.compare(0, prefix.size(), prefix) == 0) total += value;
        return total;
    }
    [[nodiscard]] std::uint64_t sent() const { return sent_; }
    [[nodiscard]] std::size_t flows() const { return inspector_->flow_count(); }

    std::map<std::uint16_t, std::set<std::string>> honest_ja4;  // by the client's port
    std::map<std::uint16_t, std::uint64_t> honest_bytes;
    std::uint64_t flood_records = 0;

  private:
    void drain() {
        for (ByteView frame = ring_.front(); !frame.empty(); frame = ring_.front()) {
            contract::RecordView view;
            EXPECT_EQ(contract::read_frame(frame, view), Parse::ok);
            keep(view);
            ring_.release();
        }
    }
    void keep(const contract::RecordView& view) {
        static constexpr std::uint8_t kHonestNet[] = {192, 0, 2, 1};
        if (!std::equal(std::begin(kHonestNet), std::end(kHonestNet), view.ip(Field::src).data() + 12)) {
            ++flood_records;
            return;
        }
        const auto port = static_cast<std::uint16_t>(view.get(Field::sport));
        view.for_each_string([&](Field field, ByteView text) {
            if (field == Field::ja4) honest_ja4[port].emplace(as_text(text));
        });
        if (view.kind == Kind::close) honest_bytes[port] += view.get(Field::payload_c);
    }

    ByteRing ring_;
    std::unique_ptr<Inspector> inspector_;
    std::vector<Bytes> buffers_;
    Frame frames_[Inspector::kBurstMax];
    std::size_t filled_ = 0;
    Nanos now_{Line::kStart};
    std::uint64_t sent_ = 0;
    std::map<std::string, std::uint64_t> counted_;
};

// A frame of which every copy is another flow: source address, port and IP id follow from the number.
class FloodFrame {
  public:
    explicit FloodFrame(Bytes frame) : bytes_(std::move(frame)) {}
    const Bytes& number(std::uint64_t n) {
        const std::uint8_t source[] = {10, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
                                       static_cast<std::uint8_t>(n)};
        std::copy(std::begin(source), std::end(source), bytes_.begin() + kSourceAt);
        const auto port = static_cast<std::uint16_t>(20000 + (n >> 24));
        bytes_[kPortAt] = static_cast<std::uint8_t>(port >> 8);
        bytes_[kPortAt + 1] = static_cast<std::uint8_t>(port);
        return bytes_;
    }
    // For fragments, which have no port: a datagram by address and id.
    const Bytes& datagram(std::uint64_t n) {
        number(n);
        bytes_[kIdAt] = static_cast<std::uint8_t>(n >> 24);
        bytes_[kIdAt + 1] = 1;
        return bytes_;
    }
    Bytes& bytes() { return bytes_; }

  private:
    Bytes bytes_;
};

Bytes tcp_frame(std::uint8_t flags, std::uint32_t seq, const Bytes& payload, std::uint16_t port = 20000,
                std::string_view source = "10.0.0.1") {
    synth::TcpFields fields;
    fields.source_port = port;
    fields.seq = seq;
    fields.flags = flags;
    if ((flags & kSyn) != 0) fields.options = synth::linux_syn_options();
    synth::Ipv4Options ip;
    ip.source = source;
    return synth::eth(synth::ipv4(ip, synth::tcp(fields, payload))).bytes;
}

// A handshake as a client and a server make it, a packet at a time, with the flood between them.
class Honest {
  public:
    Honest(std::uint16_t port, const Bytes& hello) : port_(port), hello_(hello) {}
    // Steps 0 to 5 are the handshake with its hello in two pieces, the second first; later ones carry data.
    void step(Feed& feed) {
        const auto half = static_cast<std::ptrdiff_t>(hello_.size() / 2);
        const auto rest = static_cast<std::uint32_t>(half);
        switch (step_++) {
            case 0: return client(feed, kSyn, 1000, {});
            case 1: return server(feed, kSyn | kAck, 9000, {});
            case 2: return client(feed, kAck, 1001, {});
            case 3: return client(feed, kAck | kPsh, 1001 + rest, Bytes(hello_.begin() + half, hello_.end()));
            case 4: return client(feed, kAck | kPsh, 1001, Bytes(hello_.begin(), hello_.begin() + half));
            case 5: return server(feed, kAck | kPsh, 9001, server_hello_record());
            default: break;
        }
        client(feed, kAck | kPsh, 1001 + static_cast<std::uint32_t>(sent_), application_data(100));
    }
    static constexpr unsigned kHandshakeSteps = 6;
    // A segment that comes behind a later one is no fresh payload: it might be a repeat.
    [[nodiscard]] std::uint64_t counted_bytes() const { return sent_ - hello_.size() / 2; }
    [[nodiscard]] std::uint16_t port() const { return port_; }

  private:
    void client(Feed& feed, std::uint8_t flags, std::uint32_t seq, const Bytes& payload) {
        send(feed, true, flags, seq, payload);
        sent_ += payload.size();
    }
    void server(Feed& feed, std::uint8_t flags, std::uint32_t seq, const Bytes& payload) {
        send(feed, false, flags, seq, payload);
    }
    void send(Feed& feed, bool client, std::uint8_t flags, std::uint32_t seq, const Bytes& payload) {
        synth::TcpFields fields;
        fields.source_port = client ? port_ : std::uint16_t{443};
        fields.target_port = client ? std::uint16_t{443} : port_;
        fields.seq = seq;
        fields.ack = client ? 9001 : 1001 + static_cast<std::uint32_t>(sent_);
        if (flags == kSyn) fields.ack = 0;
        fields.flags = flags;
        if ((flags & kSyn) != 0) fields.options = synth::linux_syn_options();
        synth::Ipv4Options ip;
        ip.source = client ? "192.0.2.1" : "198.51.100.2";
        ip.target = client ? "198.51.100.2" : "192.0.2.1";
        ip.id = ++ip_id_;
        feed.send(synth::eth(synth::ipv4(ip, synth::tcp(fields, payload))).bytes);
    }
    std::uint16_t port_;
    Bytes hello_;
    unsigned step_ = 0;
    std::uint64_t sent_ = 0;
    std::uint16_t ip_id_ = 0;
};

class Floods : public testing::Test {
  protected:
    // Sends `flows` floods by `one(n)` while honest clients come, talk and stay, then accounts for it all.
    // `kept`: the flood's flows are half-open or none, so no established flow is evicted for them.
    template <typename One>
    void flood(bool kept, One&& one) {
        flows = flows_wanted();
        feed = std::make_unique<Feed>(flood_config(flows));
        std::vector<Honest> early, late;
        for (std::uint16_t i = 0; i < kHonest; ++i) {
            early.emplace_back(static_cast<std::uint16_t>(kHonestPort + i), hello);
            late.emplace_back(static_cast<std::uint16_t>(kHonestPort + 1000 + i), hello);
            for (unsigned step = 0; step < Honest::kHandshakeSteps; ++step) early.back().step(*feed);
        }
        // A late client begins every `every` floods and takes a step each eighth of that.
        const std::uint64_t every = flows / kHonest;
        const std::uint64_t warm = flows / 2;
        const double began = cpu_seconds();
        std::size_t resident = 0;
        for (std::uint64_t n = 0; n < flows; ++n) {
            if (n == warm) resident = resident_bytes();
            one(n);
            if (every < 8 || n % (every / 8) != 0) continue;
            const std::uint64_t who = n / every;
            if (who >= kHonest) continue;
            late[who].step(*feed);
            early[who].step(*feed);
        }
        feed->flush();
        const std::size_t grown = resident_bytes() - std::min(resident, resident_bytes());
        const double spent = cpu_seconds() - began;
        EXPECT_LE(grown, std::size_t{4} << 20) << "memory grows with the flood";
        feed->pass(40 * kSecond);
        feed->finish();
        for (std::vector<Honest>* group : {&early, &late}) check_honest(*group, kept);
        account();
        RecordProperty("flows", std::to_string(flows));
        RecordProperty("frames_sent", std::to_string(feed->sent()));
        RecordProperty("resident_mb", std::to_string(resident >> 20));
        RecordProperty("grown_kb", std::to_string(grown >> 10));
        const double each_ns = spent * 1e9 / static_cast<double>(feed->sent());
        RecordProperty("ns_a_frame_with_the_feed", std::to_string(static_cast<std::uint64_t>(each_ns)));
        feed->for_each([](const std::string& name, std::uint64_t value) {
            if (value != 0) RecordProperty(name, std::to_string(value));
        });
    }
    void check_honest(const std::vector<Honest>& group, bool kept) {
        for (const Honest& one : group) {
            ASSERT_EQ(feed->honest_ja4[one.port()], std::set<std::string>{ja4}) << one.port();
            if (!kept) continue;
            ASSERT_EQ(feed->honest_bytes[one.port()], one.counted_bytes()) << one.port();
        }
    }
    // Sent is processed and dropped, by reason; flows opened are flows ended, by reason.
    void account() {
        EXPECT_EQ(feed->sent(), feed->count("packets"));
        EXPECT_EQ(feed->count("packets"), feed->sum("decode_"));
        EXPECT_EQ(feed->count("decode_ok"),
                  feed->count("packets_copied_by_span") + feed->count("packets_tcp") + feed->count("packets_udp"));
        EXPECT_EQ(feed->count("flows_new"), feed->sum("flows_closed_") + feed->count("flows_evicted"));
        EXPECT_EQ(feed->flows(), 0u);
        EXPECT_EQ(feed->count("flows_refused"), 0u);
        EXPECT_EQ(feed->count("records_dropped_ring_full"), 0u);
        EXPECT_EQ(feed->count("packets_copied_by_span"), 0u);
    }

    const Bytes hello = client_hello_record();
    const std::string ja4 = plain_ja4();
    std::uint64_t flows = 0;
    std::unique_ptr<Feed> feed;
};

constexpr std::uint64_t kHonestFlows = 2 * kHonest;

TEST_F(Floods, OfSyns) {
    FloodFrame syn(tcp_frame(kSyn, 77, {}));
    flood(true, [&](std::uint64_t n) { feed->send(syn.number(n)); });
    EXPECT_EQ(feed->flood_records, 0u) << "a half-open flow writes no record";
    EXPECT_EQ(feed->count("flows_new"), flows + kHonestFlows);
    EXPECT_EQ(feed->count("flows_closed_half_open") + feed->count("flows_evicted"), flows);
    EXPECT_EQ(feed->count("cold_exhausted"), 0u);
}

TEST_F(Floods, OfHellos) {
    // Whole hellos without a connection: the dearest single packet.
    FloodFrame packet(tcp_frame(kAck | kPsh, 77, hello));
    flood(false, [&](std::uint64_t n) { feed->send(packet.number(n)); });
    EXPECT_EQ(feed->count("tls_client_hellos"), flows + kHonestFlows);
    EXPECT_EQ(feed->count("flows_new") - feed->count("flows_evicted"), feed->sum("flows_closed_"));
    EXPECT_GE(feed->flood_records, 2 * flows) << "each is worth an open and a close record";
}

TEST_F(Floods, OfSegmentsOutOfOrder) {
    // The second piece of a long hello, whose first never comes: each wants a reassembly buffer.
    const Bytes large = client_hello_record("api.example", 6000);
    FloodFrame packet(tcp_frame(kAck, 77 + 4000, Bytes(large.begin() + 4000, large.begin() + 5400)));
    FloodFrame first(tcp_frame(kAck, 77, Bytes(large.begin(), large.begin() + 100)));
    flood(true, [&](std::uint64_t n) {
        feed->send(first.number(n));
        feed->send(packet.number(n));
    });
    EXPECT_EQ(feed->flood_records, 0u) << "no hello was whole";
    EXPECT_EQ(feed->count("stream_pool_exhausted"), 0u) << "the oldest give theirs up first";
    EXPECT_GT(feed->count("stream_reordered"), 0u);
    EXPECT_EQ(feed->count("tls_client_hellos"), kHonestFlows);
}

TEST_F(Floods, OfFragments) {
    // First pieces of datagrams whose rest never comes.
    synth::Ipv4Options ip;
    ip.source = "10.0.0.1";
    const auto pieces = synth::fragments4(ip, synth::udp({}, Bytes(2000, 7)), 1200);
    FloodFrame piece(synth::eth(pieces.front()).bytes);
    const Bytes before = piece.bytes();
    flood(true, [&](std::uint64_t n) {
        Bytes& at = piece.bytes();
        at = before;
        feed->send(piece.datagram(n));
    });
    EXPECT_EQ(feed->count("fragment_offered"), flows);
    EXPECT_EQ(feed->count("fragment_evicted") + feed->count("fragment_timed_out"), flows)
        << "every datagram was given up by a stated rule";
    EXPECT_EQ(feed->count("flows_new"), kHonestFlows);
}

TEST_F(Floods, OfQuicInitials) {
    // Every other flow brings the two Initials of a real hello, the others the same with a byte changed.
    std::vector<FloodFrame> good, bad;
    auto file = capture::PcapFile::open(std::string(SEINE_SOURCE_DIR) + "/tests/golden/quic-far/capture.pcap");
    ASSERT_TRUE(bool(file));
    capture::CapturedFrame captured;
    while (good.size() < 2 && file->next(captured) == capture::Next::frame) {
        const Bytes frame(captured.bytes.begin(), captured.bytes.end());
        good.emplace_back(frame);
        bad.emplace_back(frame);
        bad.back().bytes()[200] ^= 1;
    }
    ASSERT_EQ(good.size(), 2u);
    flood(false, [&](std::uint64_t n) {
        for (FloodFrame& frame : n % 2 == 0 ? good : bad) feed->send(frame.datagram(n));
    });
    const std::uint64_t sound = (flows + 1) / 2;
    EXPECT_EQ(feed->count("quic_client_hellos"), sound);
    EXPECT_EQ(feed->count("quic_initials_opened"), 2 * sound);
    EXPECT_EQ(feed->count("quic_initials_failed") + feed->count("quic_initials_unknown_keys"), 2 * (flows - sound));
    EXPECT_EQ(feed->count("tls_client_hellos"), kHonestFlows);
}

}  // namespace
}  // namespace seine::pipeline
