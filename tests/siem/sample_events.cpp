// Frames are written as the dataplane writes them, so that the formats read real ones.
#include "tests/siem/sample_events.h"

#include <array>

namespace seine::tests {

using contract::Field;
using contract::FrameWriter;

namespace {

constexpr std::int64_t kAt = 1'790'000'000'123'456'789;

void set_v4(FrameWriter& writer, Field field, std::uint32_t address) {
    const std::uint8_t bytes[16] = {0,
                                    0,
                                    0,
                                    0,
                                    0,
                                    0,
                                    0,
                                    0,
                                    0,
                                    0,
                                    0xff,
                                    0xff,
                                    static_cast<std::uint8_t>(address >> 24),
                                    static_cast<std::uint8_t>(address >> 16),
                                    static_cast<std::uint8_t>(address >> 8),
                                    static_cast<std::uint8_t>(address)};
    writer.set_ip(field, bytes);
}

void set_numbers(FrameWriter& writer) {
    writer.set(Field::t_first_ns, static_cast<std::uint64_t>(kAt - 2 * kSecond));
    writer.set(Field::t_last_ns, static_cast<std::uint64_t>(kAt));
    set_v4(writer, Field::src, 0xc6336407);  // 198.51.100.7
    set_v4(writer, Field::dst, 0xc000020a);  // 192.0.2.10
    set_v4(writer, Field::proxied_src, 0xcb007109);
    writer.set(Field::proxied_sport, 51000);
    writer.set(Field::sport, 40001);
    writer.set(Field::dport, 443);
    writer.choose(Field::proto, contract::Proto::tcp);
    writer.choose(Field::seen, contract::Seen::both);
    writer.choose(Field::ech, contract::Ech::none);
    writer.choose(Field::end_reason, contract::EndReason::fin);
    writer.set(Field::tls_version, 0x0304);
    writer.set(Field::tls_cipher, 0x1301);
    writer.set(Field::rtt_tcp_us, 12100);
    writer.set(Field::rtt_tls_us, 85700);
    writer.set(Field::rtt_valid, 1);
    writer.set(Field::late_hello_us, 900);
    writer.set(Field::ttl_c, 57);
    writer.set(Field::packets_c, 12);
    writer.set(Field::packets_s, 15);
    writer.set(Field::payload_c, 2400);
    writer.set(Field::payload_s, 18000);
    writer.set(Field::retrans, 1);
    writer.set(Field::ip_version, 4);
    writer.u16(Field::vlan, 120);
}

std::vector<std::uint8_t> finished(std::vector<std::uint8_t>& buffer, FrameWriter& writer) {
    buffer.resize(writer.finish());
    return buffer;
}

std::vector<std::uint8_t> tls_frame(std::uint64_t counter, bool whole) {
    std::vector<std::uint8_t> buffer(64 * 1024);
    FrameWriter writer(buffer);
    writer.begin(contract::Kind::close, {3, 77, counter});
    set_numbers(writer);
    writer.choose(Field::app, contract::App::tls);
    writer.text(Field::sni, "api.example.com");
    writer.text(Field::ja4, "t13d1516h2_8daaf6152771_b186095e22b6");
    writer.text(Field::ja4_norm, "t13d1516h2_8daaf6152771_b186095e22b6");
    writer.text(Field::ja4s, "t130200_1301_234ea6891581");
    writer.text(Field::ja3, "773906b0efdefa24a7f2b8eb6985bf37");
    writer.text(Field::ja3s, "15af977ce25de452b96affa2addb1036");
    writer.text(Field::ja4t, "64240_2-1-3-1-1-4_1460_8");
    writer.text(Field::alpn, "h2");
    writer.text(Field::alpn, "http/1.1");
    writer.exchange(Field::exchanges, 100, 900, 9000);
    if (whole) {
        writer.text(Field::ja4ts, "65160_2-1-3_1460_7");
        writer.text(Field::ja4x, "a373a9f83c6b_7022c563de38_b4b7b3b0d0a1");
        writer.text(Field::ja4l_c, "6050_57");
        writer.text(Field::hdr_order, "host,user-agent,accept");
        writer.text(Field::h2_akamai, "1:65536;4:131072|12517377|0|m,p,a,s");
        writer.text(Field::h2_settings, "1:65536,4:131072");
        writer.text(Field::syn, "64240:2-1-3");
        writer.text(Field::cert_subject, "CN=api.example.com");
        writer.text(Field::cert_issuer, "CN=Example CA");
        writer.text(Field::cert_serial, "0a1b2c");
        writer.text(Field::tunnel, "vxlan:42");
        writer.text(Field::incomplete, "late_start");
        writer.text(Field::hassh, "ec7378c1a92f5a8dde7e8b7a1ddf33d1");
        writer.text(Field::ssh_client, "SSH-2.0-OpenSSH_9.2");
    }
    return finished(buffer, writer);
}

std::vector<std::uint8_t> http_frame() {
    std::vector<std::uint8_t> buffer(64 * 1024);
    FrameWriter writer(buffer);
    writer.begin(contract::Kind::request, {3, 77, 1002});
    set_numbers(writer);
    writer.choose(Field::app, contract::App::http1);
    writer.text(Field::http_version, "1.1");
    writer.text(Field::method, "POST");
    writer.text(Field::path, "/v1/messages");
    writer.text(Field::host, "api.example.com");
    writer.text(Field::user_agent, "example-client/1.0");
    writer.text(Field::ja4h, "po11nn060000_aaaaaaaaaaaa_000000000000_000000000000");
    writer.set(Field::status, 200);
    writer.set(Field::request_body_bytes, 512);
    writer.set(Field::response_body_bytes, 4096);
    writer.set(Field::requests, 1);
    return finished(buffer, writer);
}

model::AccountTag account_tag(std::uint8_t first) {
    model::AccountTag tag;
    for (std::size_t i = 0; i < tag.bytes.size(); ++i)
        tag.bytes[i] = static_cast<std::uint8_t>(first + 17 * i);
    return tag;
}

}  // namespace

model::Event sample_event(model::EventKind kind) {
    model::Event event;
    event.kind = kind;
    event.sequence = 4242;
    event.at = {kAt};
    event.seen = {kAt + 300 * kMillisecond};
    event.severity = model::Severity::high;
    event.title = "Fourteen accounts behind one relay";
    event.message =
        "The same client software reached the API from 198.51.100.7 under many accounts.";
    if (kind == model::EventKind::signature_alert || kind == model::EventKind::flow_summary)
        event.flow = tls_frame(1001, true);
    if (kind != model::EventKind::health) {
        event.confidence = 0.97;
        event.account = account_tag(0x11);
        event.org.bytes = account_tag(0x40).bytes;
    }
    if (kind == model::EventKind::signature_alert)
        event.rule = {"relay-kit-7", 3,     "Relay kit 7",
                      "relay",       "ja4", "t13d1516h2_8daaf6152771_b186095e22b6"};
    if (kind == model::EventKind::farm || kind == model::EventKind::account_evidence) {
        event.farm = {model::FarmEvent::Kind::grown,     {kAt}, 17, 9, 11, 14,
                      "3 new members pass the 1e-6 test"};
        event.farm_state = model::FarmState::active;
        event.score_nats = 11.25;
        model::EvidenceLine line;
        line.channels = "prefix.stk";
        line.sentence =
            "14 organisations share 198.51.100.0/24 with one stack; 0.3 were to be expected.";
        line.groups = 0b000011;
        line.nats = 9.5;
        event.evidence = {line, line};
        event.evidence[1].sentence = "Sessions of one account came back under three others.";
        event.evidence[1].nats = 1.75;
    }
    return event;
}

model::Event sample_http_event() {
    model::Event event = sample_event(model::EventKind::flow_summary);
    event.flow = http_frame();
    return event;
}

std::string hostile_text(std::mt19937_64& random, std::size_t bytes_max) {
    static constexpr std::string_view kPieces[] = {"\"",
                                                   "\\",
                                                   "\n",
                                                   "\r\n",
                                                   "|",
                                                   "=",
                                                   "]",
                                                   "^",
                                                   "\t",
                                                   "{",
                                                   "}",
                                                   "\",\"x\":\"",
                                                   "\nCEF:0|a|b|c|d|e|9|",
                                                   "\r\n<34>1 - evil - - - - x",
                                                   "\xff",
                                                   "\xc0\xaf",
                                                   "\xed\xa0\x80",
                                                   "\xf0\x9f\x98\x80",
                                                   "\xe2\x80\xa8",
                                                   "\xc2\x85",
                                                   "\xc2\x9b",
                                                   "\x7f",
                                                   "\x1b[31m",
                                                   "a",
                                                   "src=1.2.3.4",
                                                   " ",
                                                   "\\n",
                                                   "\\\"",
                                                   "%0a"};
    std::string text;
    const std::size_t wanted = random() % (bytes_max + 1);
    while (text.size() < wanted) {
        const std::uint64_t choice = random() % (std::size(kPieces) + 2);
        if (choice < std::size(kPieces)) {
            text += kPieces[choice];
        } else if (choice == std::size(kPieces)) {
            text.push_back('\0');
        } else {
            text.push_back(static_cast<char>(random() & 0xff));
        }
    }
    text.resize(std::min(text.size(), bytes_max));
    return text;
}

model::Event hostile_event(model::EventKind kind, std::mt19937_64& random) {
    model::Event event = sample_event(kind);
    const auto text = [&random] {
        constexpr std::size_t kSizes[] = {8, 40, 300, 2000, 65535};
        return hostile_text(random, kSizes[random() % std::size(kSizes)]);
    };
    event.title = text();
    event.message = text();
    if (!event.rule.id.empty())
        event.rule = {"x" + text(), random(), text(), text(), text(), text()};
    if (event.farm.farm != 0) event.farm.reason = text();
    for (auto& line : event.evidence) line.sentence = text();
    if (random() % 4 == 0) event.evidence.resize(event.evidence.size() * 20);
    if (event.flow.empty()) return event;
    std::vector<std::uint8_t> buffer(2 * 1024 * 1024);
    FrameWriter writer(buffer);
    writer.begin(contract::Kind::close, {3, 77, random()});
    set_numbers(writer);
    writer.choose(Field::app, random() % 2 == 0 ? contract::App::quic : contract::App::http1);
    writer.set(Field::quic_version, random() & 0xffffffff);
    if (random() % 2 == 0) writer.set(Field::status, random() & 0xffff);
    if (random() % 2 == 0) writer.set(Field::tls_version, random() & 0xffff);
    for (const contract::FieldInfo& field : contract::kFields) {
        const auto number = static_cast<Field>(field.number);
        if (field.type == contract::FieldType::text) writer.text(number, text());
        if (field.type == contract::FieldType::text_list) {
            for (std::uint64_t i = random() % 30; i > 0; --i)
                writer.text(number, hostile_text(random, 200));
        }
    }
    event.flow = finished(buffer, writer);
    return event;
}

model::Event load_event(std::uint64_t number) {
    static const std::vector<std::uint8_t> frame = tls_frame(0, false);
    model::Event event;
    event.kind = model::EventKind::flow_summary;
    event.sequence = number;
    event.at = {kAt + static_cast<std::int64_t>(number) * 1000};
    event.seen = event.at;
    event.severity = model::Severity::info;
    event.flow = frame;
    std::memcpy(event.flow.data() + 16, &number, sizeof number);
    event.account = account_tag(static_cast<std::uint8_t>(number));
    return event;
}

}  // namespace seine::tests
