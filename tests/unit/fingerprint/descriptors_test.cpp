// Seine's own descriptors: SYN texts of known stacks, and every validity cause of the round trip.
#include "dataplane/fingerprint/descriptors.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace seine::fingerprint {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Syn {
    Bytes options = {};
    std::uint16_t window = 0;
    std::uint8_t ttl = 64;
    std::uint8_t flags = wire::kTcpSyn;
    std::uint8_t ip_version = 4;
    bool dont_fragment = true;
    std::uint16_t ip_id = 0;
    std::uint32_t payload_bytes = 0;
    bool options_cut = false;
};

std::string text_of(const Syn& syn) {
    wire::PacketView view{};
    view.options = syn.options;
    view.window = syn.window;
    view.ttl = syn.ttl;
    view.tcp_flags = syn.flags;
    view.ip_version = syn.ip_version;
    view.dont_fragment = syn.dont_fragment;
    view.ip_id = syn.ip_id;
    view.payload_wire_bytes = syn.payload_bytes;
    view.options_cut = syn.options_cut;
    SynText out;
    syn_descriptor(view, out);
    EXPECT_FALSE(out.truncated());
    return std::string(out.view());
}

// What current kernels send; bytes as on the wire.
const Bytes kLinux = {2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7};
const Bytes kWindows = {2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2};
const Bytes kMac = {2, 4, 5, 0xb4, 1, 3, 3, 6, 1, 1, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 4, 2, 0, 0};

TEST(SynDescriptor, CommonStacks) {
    EXPECT_EQ(text_of({.options = kLinux, .window = 64240, .ttl = 57, .ip_id = 1}), "4/64/x44/M1460.S.T.N.W7/di");
    EXPECT_EQ(text_of({.options = kWindows, .window = 64240, .ttl = 117, .ip_id = 1}),
              "4/128/x44/M1460.N.W8.N.N.S/di");
    EXPECT_EQ(text_of({.options = kMac, .window = 65535, .ttl = 64}), "4/64/65535/M1460.N.W6.N.N.T.S.E.E/d");
}

TEST(SynDescriptor, WindowGivesTheRawFieldBack) {
    const Bytes mss1400 = {2, 4, 5, 0x78};
    EXPECT_EQ(text_of({.options = mss1400, .window = 28000, .dont_fragment = false}), "4/64/x20/M1400/-");
    EXPECT_EQ(text_of({.options = mss1400, .window = 14400, .dont_fragment = false}), "4/64/y10/M1400/-");
    EXPECT_EQ(text_of({.options = mss1400, .window = 14600, .ip_version = 6}), "6/64/y10/M1400/-");
    EXPECT_EQ(text_of({.options = mss1400, .window = 28001, .dont_fragment = false}), "4/64/28001/M1400/-");
    EXPECT_EQ(text_of({.window = 0, .dont_fragment = false}), "4/64/0/-/-");
    EXPECT_EQ(text_of({.options = {2, 4, 0, 0}, .window = 512, .dont_fragment = false}), "4/64/512/M0/-");
    EXPECT_EQ(text_of({.options = {2, 4, 0, 1}, .window = 65, .dont_fragment = false}), "4/64/65/M1/-");
}

TEST(SynDescriptor, TtlClasses) {
    const auto part = [](std::uint8_t ttl) { return text_of({.ttl = ttl, .dont_fragment = false}); };
    EXPECT_EQ(part(0), "4/32/0/-/-");
    EXPECT_EQ(part(32), "4/32/0/-/-");
    EXPECT_EQ(part(33), "4/64/0/-/-");
    EXPECT_EQ(part(65), "4/128/0/-/-");
    EXPECT_EQ(part(129), "4/255/0/-/-");
    EXPECT_EQ(part(255), "4/255/0/-/-");
}

TEST(SynDescriptor, Flags) {
    EXPECT_EQ(text_of({.flags = 0xc2}), "4/64/0/-/de");
    EXPECT_EQ(text_of({.flags = 0x42}), "4/64/0/-/d");
    EXPECT_EQ(text_of({.flags = 0x52}), "4/64/0/-/de");  // SYN-ACK: ECE alone accepts
    EXPECT_EQ(text_of({.flags = 0xd2}), "4/64/0/-/d");
    EXPECT_EQ(text_of({.ip_id = 7, .payload_bytes = 3}), "4/64/0/-/dpi");
    EXPECT_EQ(text_of({.flags = 0x2a, .options_cut = true}), "4/64/0/-/dub");
    EXPECT_EQ(text_of({.ip_version = 6, .ip_id = 7}), "6/64/0/-/-");
}

TEST(SynDescriptor, UnusualAndBrokenOptions) {
    EXPECT_EQ(text_of({.options = {34, 2, 77, 3, 9, 2, 3, 5, 3, 2, 4, 3, 1}}), "4/64/0/F.X77.M?.W?.S?/d");
    EXPECT_EQ(text_of({.options = {8, 4, 0, 0, 1, 0}}), "4/64/0/T?.N.E/d");
    EXPECT_EQ(text_of({.options = {1, 2, 4, 5}}), "4/64/0/N/db");
    EXPECT_EQ(text_of({.options = {1, 9, 1}}), "4/64/0/N/db");
    EXPECT_EQ(text_of({.options = {9}}), "4/64/0/-/db");
}

TEST(SynDescriptor, NothingIsTooLongForItsText) {
    std::mt19937 random(1);
    std::vector<Bytes> worst;
    worst.emplace_back(40, std::uint8_t{1});
    Bytes kinds;
    for (int i = 0; i < 20; ++i) kinds.insert(kinds.end(), {255, 2});
    worst.push_back(kinds);
    Bytes sizes;
    for (int i = 0; i < 10; ++i) sizes.insert(sizes.end(), {2, 4, 0xff, 0xff});
    worst.push_back(sizes);
    for (int i = 0; i < 2000; ++i) {
        Bytes any(random() % 41);
        for (std::uint8_t& b : any) b = static_cast<std::uint8_t>(random() % 2 == 0 ? random() % 10 : random());
        worst.push_back(any);
    }
    for (const Bytes& options : worst) {
        text_of({.options = options, .window = 65535, .ttl = 255, .flags = 0xff, .ip_id = 9, .payload_bytes = 1,
                 .options_cut = true});
    }
}

class RoundTrip : public testing::Test {
  protected:
    static Nanos at(std::int64_t us) { return {1'700'000'000 * kSecond + us * kMicrosecond}; }
    // A direct TLS 1.3 client at 20 ms: hello at once, the server's flight in two segments.
    void handshake() {
        rtt.syn_ack(at(0));
        rtt.client_ack(at(20000));
        rtt.client_payload(at(20100));
        rtt.client_hello();
    }
    void flight() {
        rtt.server_payload(at(21000), 1400);
        rtt.server_payload(at(21050), 1400);
    }
    void answer() { rtt.client_payload(at(42000)); }
    void expect_cause(RttCause cause) {
        answer();
        const RttSample sample = rtt.sample();
        EXPECT_EQ(sample.causes, rtt_bit(cause));
        EXPECT_FALSE(sample.valid);
        EXPECT_EQ(sample.rtt_tls_us, 20950);  // given anyway
    }
    CrossLayerRtt rtt;
};

TEST_F(RoundTrip, IsSmall) { EXPECT_LE(sizeof(CrossLayerRtt), 64u); }

TEST_F(RoundTrip, MeasuresBothLayersAndTheWaitBeforeTheHello) {
    handshake();
    flight();
    EXPECT_FALSE(rtt.measured());
    answer();
    EXPECT_TRUE(rtt.measured());
    const RttSample sample = rtt.sample();
    EXPECT_EQ(sample.rtt_tcp_us, 20000);
    EXPECT_EQ(sample.rtt_tls_us, 20950);  // from the last server byte
    EXPECT_EQ(sample.late_hello_us, 100);
    EXPECT_EQ(sample.causes, 0u);
    EXPECT_TRUE(sample.valid);
    // What follows changes nothing.
    rtt.server_payload(at(50000), 100000);
    rtt.client_payload(at(90000));
    rtt.mark(RttCause::retransmission);
    rtt.poll_gap(kSecond);
    rtt.syn_ack(at(95000));
    EXPECT_TRUE(rtt.sample().valid);
    EXPECT_EQ(rtt.sample().rtt_tls_us, 20950);
}

TEST_F(RoundTrip, AHelloInSeveralSegmentsCountsFromItsFirst) {
    rtt.syn_ack(at(0));
    rtt.client_ack(at(10000));
    rtt.client_payload(at(510000));
    rtt.client_payload(at(510050));
    rtt.client_hello();
    flight();
    EXPECT_EQ(rtt.sample().late_hello_us, 500000);
    EXPECT_EQ(rtt.sample().rtt_tls_us, -1);
}

TEST_F(RoundTrip, AServerThatSpeaksFirstIsNotAFlight) {
    rtt.syn_ack(at(0));
    rtt.client_ack(at(10000));
    rtt.server_payload(at(11000), 50);  // a banner
    rtt.client_payload(at(25000));      // STARTTLS
    rtt.server_payload(at(26000), 20);
    rtt.client_payload(at(40000));
    rtt.client_hello();
    rtt.server_payload(at(41000), 1000);
    rtt.client_payload(at(52000));
    EXPECT_EQ(rtt.sample().rtt_tls_us, 11000);
    EXPECT_TRUE(rtt.sample().valid);
}

TEST_F(RoundTrip, ASynAckSentTwiceIsARetransmission) {
    rtt.syn_ack(at(-1000));
    handshake();
    flight();
    answer();
    EXPECT_EQ(rtt.sample().causes, rtt_bit(RttCause::retransmission));
    EXPECT_EQ(rtt.sample().rtt_tcp_us, 21000);
}

TEST_F(RoundTrip, EveryMarkedCauseInvalidates) {
    for (const RttCause cause : {RttCause::retransmission, RttCause::reordering, RttCause::hello_retry, RttCause::early_data,
                                 RttCause::abbreviated, RttCause::client_certificate, RttCause::loss}) {
        rtt = CrossLayerRtt();
        handshake();
        rtt.mark(cause);
        flight();
        expect_cause(cause);
    }
}

TEST_F(RoundTrip, FastOpenCountsBeforeTheSynAckAndNothingElseDoes) {
    rtt.mark(RttCause::retransmission);  // of the SYN
    rtt.mark(RttCause::fast_open);
    handshake();
    flight();
    expect_cause(RttCause::fast_open);
}

TEST_F(RoundTrip, LateMarksOfTheHandshakesShapeStillCount) {
    handshake();
    flight();
    answer();
    rtt.mark(RttCause::abbreviated);
    rtt.mark(RttCause::hello_retry);
    EXPECT_EQ(rtt.sample().causes, rtt_bit(RttCause::abbreviated));
}

TEST_F(RoundTrip, AFlightLongerThanTenSegmentsIsTold) {
    handshake();
    rtt.set_mss(1000);
    rtt.server_payload(at(21000), 10000);
    flight();
    expect_cause(RttCause::flight_too_long);
    rtt = CrossLayerRtt();
    handshake();
    rtt.set_mss(1000);
    rtt.server_payload(at(21050), 10000);
    answer();
    EXPECT_TRUE(rtt.sample().valid);
}

TEST_F(RoundTrip, APauseOfTheReceiverIsTold) {
    handshake();
    rtt.poll_gap(kMillisecond);
    flight();
    rtt.poll_gap(kMillisecond + 1);
    expect_cause(RttCause::poll_gap);
    rtt = CrossLayerRtt();
    rtt.poll_gap(kSecond);  // before t1
    handshake();
    flight();
    answer();
    EXPECT_TRUE(rtt.sample().valid);
}

TEST_F(RoundTrip, OneDirectionGivesNoRoundTrip) {
    rtt.client_payload(at(0));
    rtt.client_hello();
    rtt.client_payload(at(30000));
    const RttSample sample = rtt.sample();
    EXPECT_EQ(sample.rtt_tcp_us, -1);
    EXPECT_EQ(sample.rtt_tls_us, -1);
    EXPECT_EQ(sample.late_hello_us, -1);
    EXPECT_EQ(sample.causes, rtt_bit(RttCause::one_direction) | rtt_bit(RttCause::incomplete));
    EXPECT_FALSE(sample.valid);
}

TEST_F(RoundTrip, WithoutTheTcpHandshakeTheTlsTimeStandsAlone) {
    rtt.client_payload(at(0));
    rtt.client_hello();
    rtt.server_payload(at(1000), 100);
    rtt.client_payload(at(31000));
    EXPECT_EQ(rtt.sample().rtt_tls_us, 30000);
    EXPECT_EQ(rtt.sample().rtt_tcp_us, -1);
    EXPECT_FALSE(rtt.sample().valid);
}

TEST_F(RoundTrip, TimesThatRunBackwardsAreTold) {
    rtt.syn_ack(at(5000));
    rtt.client_ack(at(4000));
    rtt.client_payload(at(6000));
    rtt.client_hello();
    flight();
    answer();
    EXPECT_EQ(rtt.sample().rtt_tcp_us, -1);
    EXPECT_EQ(rtt.sample().causes, rtt_bit(RttCause::time_back));
}

TEST_F(RoundTrip, AnHourIsCutToWhatTheFieldHolds) {
    rtt.syn_ack(at(0));
    rtt.client_ack(at(3'600'000'000));
    EXPECT_EQ(rtt.sample().rtt_tcp_us, 2147483647);
}

TEST(RttCauses, HaveNames) {
    RttCauseText text;
    rtt_cause_names(0, text);
    EXPECT_EQ(text.view(), "");
    rtt_cause_names(static_cast<std::uint16_t>(rtt_bit(RttCause::retransmission) | rtt_bit(RttCause::poll_gap)), text);
    EXPECT_EQ(text.view(), "retransmission,poll_gap");
    rtt_cause_names(0xffff, text);
    EXPECT_FALSE(text.truncated());
    EXPECT_EQ(rtt_cause_name(RttCause::one_direction), "one_direction");
}

}  // namespace
}  // namespace seine::fingerprint
