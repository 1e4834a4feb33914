#include "dataplane/pipeline/handshake.h"

#include "dataplane/fingerprint/ja3.h"
#include "dataplane/fingerprint/tls_traits.h"
#include "dataplane/pipeline/match_stage.h"
#include "dataplane/tls/certificate.h"
#include "dataplane/tls/client_hello.h"
#include "dataplane/tls/server_hello.h"
#ifdef SEINE_JA4PLUS
#include "dataplane/fingerprint/ja4plus/ja4s.h"
#include "dataplane/fingerprint/ja4plus/ja4x.h"
#endif

namespace seine::pipeline {
namespace {

using contract::Field;
using fingerprint::Transport;

constexpr std::uint16_t kTls13 = 0x0304;

bool refused(FlowContext& flow, Parse why) noexcept {
    flow.w.counters.add(why == Parse::limit ? Counter::tls_hello_limit
                                            : Counter::tls_hello_malformed);
    flow.incomplete(why == Parse::limit ? Incomplete::hello_limit : Incomplete::hello_malformed);
    return false;
}

void count_client(FlowContext& flow, Transport transport) noexcept {
    switch (transport) {
        case Transport::tcp: flow.w.counters.add(Counter::tls_client_hellos); break;
        case Transport::quic: flow.w.counters.add(Counter::quic_client_hellos); break;
        case Transport::dtls: flow.w.counters.add(Counter::dtls_client_hellos); break;
    }
}

void count_server(FlowContext& flow, Transport transport) noexcept {
    switch (transport) {
        case Transport::tcp: flow.w.counters.add(Counter::tls_server_hellos); break;
        case Transport::quic: flow.w.counters.add(Counter::quic_server_hellos); break;
        case Transport::dtls: flow.w.counters.add(Counter::dtls_server_hellos); break;
    }
}

contract::App app_of(Transport transport) noexcept {
    switch (transport) {
        case Transport::tcp: return contract::App::tls;
        case Transport::quic: return contract::App::quic;
        case Transport::dtls: return contract::App::dtls;
    }
    return contract::App::tls;
}

// Forms that are as long as the hello wants them, and the older ones.
void further_client_forms(FlowContext& flow, const tls::ClientHello& hello,
                          Transport transport) noexcept {
    const InspectorConfig& config = flow.w.config;
    crypto::Digester& digester = *flow.w.digester;
    if (config.wire_order) {
        fingerprint::Ja4Text text;
        fingerprint::ja4_wire_order(hello, transport, digester, text);
        flow.fact(Field::ja4_o, text.view());
    }
    if (config.ja3) {
        fingerprint::Md5Text text;
        fingerprint::ja3(hello, digester, text);
        flow.fact(Field::ja3, text.view());
    }
    if (!config.raw) return;
    const auto sorted = fingerprint::ja4_raw(hello, transport, flow.w.raw_text);
    if (!sorted.truncated) flow.fact(Field::ja4_r, sorted.text);
    const auto wire = fingerprint::ja4_raw_wire_order(hello, transport, flow.w.raw_text);
    if (!wire.truncated) flow.fact(Field::ja4_ro, wire.text);
}

void session_evidence(FlowContext& flow, const tls::ClientHello& hello) noexcept {
    const crypto::KeyedHash& keyed = *flow.w.keyed;
    if (!hello.session_ticket.empty())
        flow.hash_fact(Field::session_presented, keyed(hello.session_ticket));
    if (hello.has_psk && !hello.psk_identity.empty())
        flow.hash_fact(Field::session_presented, keyed(hello.psk_identity));
    // Kept to tell whether the server resumes by session id (TLS 1.2 and earlier).
    if (!hello.offers_tls13() && !hello.session_id.empty())
        flow.cold.tls.session_id = keyed(hello.session_id);
}

contract::Ech ech_of(const InspectorConfig& config, const tls::ClientHello& hello) noexcept {
    if (hello.ech.kind == tls::EchView::Kind::none) return contract::Ech::none;
    for (std::size_t i = 0; i < config.ech_config_count; ++i)
        if (config.ech_config_ids[i] == hello.ech.config_id) return contract::Ech::ours;
    return contract::Ech::grease_or_real;
}

void names_of(FlowContext& flow, const tls::ClientHello& hello) noexcept {
    if (!hello.server_name.empty()) flow.fact(Field::sni, as_text(hello.server_name));
    ByteReader in(hello.alpn);
    while (!in.empty()) flow.fact(Field::alpn, as_text(in.vec8()));
}

void server_forms(FlowContext& flow, const tls::ServerHello& hello, Transport transport) noexcept {
#ifdef SEINE_JA4PLUS
    fingerprint::Ja4sText ja4s;
    fingerprint::ja4s(hello, transport, *flow.w.digester, ja4s);
    flow.fact(Field::ja4s, ja4s.view());
    if (flow.w.config.raw) {
        const auto raw = fingerprint::ja4s_raw(hello, transport, flow.w.raw_text);
        if (!raw.truncated) flow.fact(Field::ja4s_r, raw.text);
    }
#else
    static_cast<void>(transport);
#endif
    if (!flow.w.config.ja3) return;
    fingerprint::Md5Text ja3s;
    fingerprint::ja3s(hello, *flow.w.digester, ja3s);
    flow.fact(Field::ja3s, ja3s.view());
}

void take_server_hello(FlowContext& flow, const tls::ServerHello& hello,
                       Transport transport) noexcept {
    const StageMark mark(flow.w.stage, Stage::hash);
    TlsState& tls = flow.cold.tls;
    if (hello.retry_request) {
        tls.retry = true;
        flow.w.counters.add(Counter::tls_retries);
        flow.cold.rtt.mark(fingerprint::RttCause::hello_retry);
    }
    if (tls.server_hello) return;
    tls.server_hello = true;
    tls.version = hello.version();
    count_server(flow, transport);
    Numbers& numbers = flow.cold.numbers;
    numbers.put(numbers.tls_version, hello.version(), Numbers::kTlsVersion);
    numbers.put(numbers.tls_cipher, hello.cipher, Numbers::kTlsCipher);
    server_forms(flow, hello, transport);
    if (hello.version() >= kTls13 || hello.session_id.empty()) return;
    const std::uint64_t id = (*flow.w.keyed)(hello.session_id);
    if (tls.session_id != 0 && tls.session_id == id) {
        flow.cold.rtt.mark(fingerprint::RttCause::abbreviated);
        flow.hash_fact(Field::session_presented, id);
    } else {
        flow.hash_fact(Field::session_issued, id);
    }
}

void certificate_facts(FlowContext& flow, const tls::Certificate& certificate, bool leaf) noexcept {
#ifdef SEINE_JA4PLUS
    fingerprint::Ja4xText ja4x;
    fingerprint::ja4x(certificate, *flow.w.digester, ja4x);
    flow.fact(Field::ja4x, ja4x.view());
#endif
    flow.fact(Field::cert_subject, as_text(certificate.subject_common_name));
    flow.fact(Field::cert_issuer, as_text(certificate.issuer_common_name));
    FixedString<80> serial;
    serial.append_hex(certificate.serial.first(std::min<std::size_t>(certificate.serial.size(), 40)));
    flow.fact(Field::cert_serial, serial.view());
    if (!leaf) return;
    for (const ByteView name : certificate.dns_names) flow.fact(Field::cert_san, as_text(name));
}

}  // namespace

bool on_client_hello(FlowContext& flow, ByteView body, Transport transport) noexcept {
    tls::ClientHello& hello = flow.w.client_hello;
    const auto form = transport == Transport::dtls ? tls::HelloForm::dtls : tls::HelloForm::tls;
    const Parse parse = tls::read_client_hello(body, form, hello);
    if (parse != Parse::ok) return flow.cold.tls.client_hello ? false : refused(flow, parse);
    const StageMark mark(flow.w.stage, Stage::hash);
    fingerprint::TlsClientPrint print;
    fingerprint::tls_client(hello, transport, *flow.w.digester, print);
    if (flow.cold.tls.client_hello) {
        flow.fact(Field::ja4_later, print.ja4.view());
        return true;
    }
    flow.cold.tls.client_hello = true;
    flow.worthy(app_of(transport));
    count_client(flow, transport);
    flow.fact(Field::ja4, print.ja4.view());
    flow.fact(Field::ja4_norm, print.ja4_norm.view());
    fingerprint::TlsTraitsText traits;
    fingerprint::tls_traits(hello, traits);
    flow.fact(Field::tls_traits, traits.view());
    names_of(flow, hello);
    session_evidence(flow, hello);
    further_client_forms(flow, hello, transport);
    Numbers& numbers = flow.cold.numbers;
    numbers.put(numbers.ech, static_cast<std::uint8_t>(ech_of(flow.w.config, hello)), Numbers::kEch);
    if (hello.has_early_data) flow.cold.rtt.mark(fingerprint::RttCause::early_data);
    match_client_hello(flow, transport);
    return true;
}

bool on_server_hello(FlowContext& flow, ByteView body, Transport transport) noexcept {
    tls::ServerHello& hello = flow.w.server_hello;
    const Parse parse = tls::read_server_hello(body, hello);
    if (parse != Parse::ok) return flow.cold.tls.server_hello ? false : refused(flow, parse);
    flow.worthy(app_of(transport));
    take_server_hello(flow, hello, transport);
    match_facts(flow, bit(signature::Group::tls_server));
    return true;
}

bool on_draft_retry(FlowContext& flow, ByteView body, Transport transport) noexcept {
    tls::ServerHello& hello = flow.w.server_hello;
    const Parse parse = tls::read_draft_retry_request(body, hello);
    if (parse != Parse::ok) return flow.cold.tls.server_hello ? false : refused(flow, parse);
    take_server_hello(flow, hello, transport);
    return true;
}

void on_certificates(FlowContext& flow, ByteView body, Side from) noexcept {
    const StageMark mark(flow.w.stage, Stage::hash);
    if (from == Side::client) flow.cold.rtt.mark(fingerprint::RttCause::client_certificate);
    tls::CertificateList& list = flow.w.certificate_list;
    const Parse parse = tls::read_certificate_list(body, list);
    if (parse == Parse::limit) flow.incomplete(Incomplete::certificate_limit);
    if (parse == Parse::malformed) {
        flow.w.counters.add(Counter::certificates_malformed);
        flow.incomplete(Incomplete::certificate_malformed);
        return;
    }
    bool leaf = from == Side::server;
    for (const ByteView der : list.certificates) {
        if (tls::read_certificate(der, flow.w.certificate) != Parse::ok) {
            flow.w.counters.add(Counter::certificates_malformed);
            flow.incomplete(Incomplete::certificate_malformed);
            continue;
        }
        flow.w.counters.add(Counter::certificates);
        certificate_facts(flow, flow.w.certificate, leaf);
        leaf = false;
    }
    match_facts(flow, bit(signature::Group::certificate));
}

void on_new_session_ticket(FlowContext& flow, ByteView body) noexcept {
    tls::NewSessionTicket ticket;
    if (tls::read_new_session_ticket(body, ticket) != Parse::ok || ticket.ticket.empty()) return;
    flow.hash_fact(Field::session_issued, (*flow.w.keyed)(ticket.ticket));
}

}  // namespace seine::pipeline
