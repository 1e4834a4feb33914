#include "dataplane/pipeline/match_stage.h"

#include <algorithm>
#include <array>

#include "dataplane/http/secret_names.h"
#include "dataplane/pipeline/recorder.h"

namespace seine::pipeline {
namespace {

using contract::Field;
using signature::Groups;
using Wanted = signature::Field;

constexpr std::size_t kValueBytesMax = 256;  // of a value in a finding

// The facts that are fields of rules too, by number; count_ for the others.
constexpr auto kWanted = [] {
    std::array<Wanted, contract::kFieldCount + 1> out{};
    out.fill(Wanted::count_);
    const auto put = [&out](Field fact, Wanted field) {
        out[static_cast<std::size_t>(fact)] = field;
    };
    put(Field::tunnel, Wanted::tunnel);
    put(Field::preface, Wanted::preface);
    put(Field::syn, Wanted::tcp_syn);
    put(Field::ja4t, Wanted::tcp_ja4t);
    put(Field::ja4ts, Wanted::tcp_ja4ts);
    put(Field::sni, Wanted::tls_sni);
    put(Field::alpn, Wanted::tls_alpn);
    put(Field::ja4, Wanted::tls_ja4);
    put(Field::ja4_o, Wanted::tls_ja4_o);
    put(Field::ja4_norm, Wanted::tls_ja4_norm);
    put(Field::tls_traits, Wanted::tls_traits);
    put(Field::ja3, Wanted::tls_ja3);
    put(Field::ja4s, Wanted::tls_ja4s);
    put(Field::ja3s, Wanted::tls_ja3s);
    put(Field::ja4x, Wanted::tls_ja4x);
    put(Field::cert_subject, Wanted::cert_subject);
    put(Field::cert_issuer, Wanted::cert_issuer);
    put(Field::cert_serial, Wanted::cert_serial);
    put(Field::cert_san, Wanted::cert_san);
    put(Field::h2_settings, Wanted::http2_settings);
    put(Field::h2_akamai, Wanted::http2_akamai);
    put(Field::ssh_client, Wanted::ssh_client);
    put(Field::ssh_server, Wanted::ssh_server);
    put(Field::hassh, Wanted::ssh_hassh);
    put(Field::hassh_server, Wanted::ssh_hassh_server);
    return out;
}();
Wanted wanted_of(std::uint16_t fact) noexcept {
    return fact < kWanted.size() ? kWanted[fact] : Wanted::count_;
}

void client_address(const FlowContext& flow, bool client, std::uint8_t (&out)[16],
                    std::uint16_t& port) noexcept {
    const flow::FlowKey& key = flow.w.table->key(flow.id);
    const flow::Endpoint end = client == flow.hot.has(kClientLow) ? key.low_end() : key.high_end();
    std::memcpy(out, end.address, sizeof out);
    port = end.port;
}

void feed_decimal(signature::Matcher& matcher, Wanted field, std::uint32_t value,
                  FixedString<24>& text) noexcept {
    text.clear();
    text.append_decimal(value);
    matcher.feed(field, text.view());
}

// Texts that feed() borrows until the event ends.
struct EventTexts {
    FixedString<24> ports[2];
    FixedString<16> tls_version;
    FixedString<16> quic_version;
};

// Ends of the flow, once; and what a PROXY header said.
Groups feed_flow(FlowContext& flow, EventTexts& texts) noexcept {
    signature::Matcher& matcher = flow.w.matcher;
    Groups groups = 0;
    if ((flow.cold.match.seen() & bit(signature::Group::flow)) == 0) {
        groups |= bit(signature::Group::flow);
        for (const bool client : {true, false}) {
            std::uint8_t address[16];
            std::uint16_t port = 0;
            client_address(flow, client, address, port);
            matcher.feed_address(client ? Wanted::src : Wanted::dst, address);
            const Wanted field = client ? Wanted::src_port : Wanted::dst_port;
            if (matcher.uses(field))
                feed_decimal(matcher, field, port, texts.ports[client ? 0 : 1]);
        }
        matcher.feed(Wanted::proto, flow.hot.has(kUdp) ? "udp" : "tcp");
    }
    const Numbers& numbers = flow.cold.numbers;
    if (numbers.has(Numbers::kProxied) &&
        (flow.cold.match.seen() & bit(signature::Group::proxied)) == 0) {
        groups |= bit(signature::Group::proxied);
        matcher.feed_address(Wanted::proxied_src, numbers.proxied_source);
    }
    return groups;
}

Groups feed_facts(FlowContext& flow) noexcept {
    signature::Matcher& matcher = flow.w.matcher;
    Cold& cold = flow.cold;
    const ByteView all = cold.facts.view(*flow.w.facts);
    Groups groups = 0;
    // A record that took the facts in between took them all.
    std::size_t at = cold.facts_matched <= all.size() ? cold.facts_matched : 0;
    while (at + contract::kStringHeaderBytes <= all.size()) {
        const std::size_t bytes = load_le16(all.data() + at + 2);
        const Wanted field = wanted_of(load_le16(all.data() + at));
        const ByteView value = all.subspan(at + contract::kStringHeaderBytes, bytes);
        at += contract::kStringHeaderBytes + bytes;
        if (field == Wanted::count_) continue;
        groups |= bit(info(field).group);
        matcher.feed(field, as_text(value));
    }
    cold.facts_matched = static_cast<std::uint32_t>(all.size());
    return groups;
}

void feed_numbers(FlowContext& flow, Groups groups, EventTexts& texts) noexcept {
    signature::Matcher& matcher = flow.w.matcher;
    const Numbers& numbers = flow.cold.numbers;
    if ((groups & bit(signature::Group::tls_client)) != 0) {
        if (numbers.has(Numbers::kEch))
            matcher.feed(Wanted::tls_ech, contract::choice_name(Field::ech, numbers.ech));
        if (numbers.has(Numbers::kQuicVersion) && matcher.uses(Wanted::quic_version)) {
            texts.quic_version.append_hex4(static_cast<std::uint16_t>(numbers.quic_version >> 16));
            texts.quic_version.append_hex4(static_cast<std::uint16_t>(numbers.quic_version));
            matcher.feed(Wanted::quic_version, texts.quic_version.view());
        }
    }
    if ((groups & bit(signature::Group::tls_server)) != 0 && numbers.has(Numbers::kTlsVersion)) {
        texts.tls_version.append_hex4(numbers.tls_version);
        matcher.feed(Wanted::tls_version, texts.tls_version.view());
    }
}

// A value as an alert may repeat it: capped; secrets as their keyed hash, bodies as a place.
void append_value(const FlowContext& flow, const signature::Hit::Evidence& item,
                  FixedString<kValueBytesMax>& out) noexcept {
    const signature::FieldRef& field = *item.field;
    if (is_body(field.field)) {
        out.append_decimal(item.offset);
        out.push('+');
        out.append_decimal(item.value.size());
        return;
    }
    const bool header = field.field == Wanted::http_header;
    if (header && flow.w.config.key_headers.contains(field.header)) {
        const std::uint64_t hash = (*flow.w.keyed)(as_bytes(item.value));
        out.append("redacted:");
        for (int shift = 48; shift >= 0; shift -= 16)
            out.append_hex4(static_cast<std::uint16_t>(hash >> shift));
        return;
    }
    // What stands behind `?` may be a key, in a Referer as in a path.
    out.append(header ? item.value.substr(0, item.value.find('?')) : item.value);
}

void emit_finding(FlowContext& flow, const signature::Hit& hit,
                  const std::uint64_t (&swallowed)[2]) noexcept {
    const signature::CompiledRule& rule = *hit.rule;
    if (!flow.hot.has(kWorthy)) flow.worthy(flow.hot.app);
    emit_frame(flow, contract::Kind::finding, [&](contract::FrameWriter& writer) {
        writer.text(Field::rules, rule.id);
        writer.set(Field::rule_version, rule.version);
        writer.set(Field::rule_generation, flow.w.matcher.generation()->number());
        writer.set(Field::severity, static_cast<std::uint64_t>(rule.severity) + 1);
        writer.set(Field::confidence, rule.confidence);
        if (swallowed[0] != 0) writer.set(Field::rule_swallowed, swallowed[0]);
        if (swallowed[1] != 0) writer.set(Field::source_swallowed, swallowed[1]);
        writer.text(Field::rule_class, rule.rule_class);
        writer.text(Field::rule_title, rule.title);
        for (const auto& item : hit.evidence) {
            FixedString<kValueBytesMax> value;
            append_value(flow, item, value);
            FixedString<kValueBytesMax> name;
            name.append(info(item.field->field).name);
            if (item.field->field == Wanted::http_header) {
                name.push('.');
                name.append(item.field->header);
            }
            writer.text(Field::rule_field, name.view());
            writer.text(Field::rule_value, value.view());
        }
    });
}

void tell(FlowContext& flow, Groups groups) noexcept {
    signature::Matcher& matcher = flow.w.matcher;
    const auto hits = matcher.end(groups);
    if (hits.empty()) return;
    std::uint8_t source[16];
    std::uint8_t target[16];
    std::uint16_t port = 0;
    client_address(flow, false, target, port);
    std::uint16_t client_port = 0;
    client_address(flow, true, source, client_port);
    for (const signature::Hit& hit : hits) {
        std::uint64_t swallowed[2] = {0, 0};
        flow.w.counters.add(Counter::rule_hits);
        if (matcher.admit(hit, source, port, flow.now, swallowed))
            emit_finding(flow, hit, swallowed);
    }
}

}  // namespace

void match_facts(FlowContext& flow, Groups groups) noexcept {
    if (!flow.w.matcher.active()) return;
    EventTexts texts;
    flow.w.matcher.begin(flow.cold.match);
    groups |= feed_flow(flow, texts) | feed_facts(flow);
    feed_numbers(flow, groups, texts);
    tell(flow, groups);
}

void match_client_hello(FlowContext& flow, fingerprint::Transport transport) noexcept {
    signature::Matcher& matcher = flow.w.matcher;
    if (!matcher.active()) return;
    EventTexts texts;
    matcher.begin(flow.cold.match);
    const Groups groups =
        feed_flow(flow, texts) | feed_facts(flow) | bit(signature::Group::tls_client);
    feed_numbers(flow, groups, texts);
    auto& room = flow.w.match_text;
    const std::size_t half = room.size() / 2;
    if (matcher.uses(Wanted::tls_ja4_r)) {
        const auto form =
            fingerprint::ja4_raw(flow.w.client_hello, transport, std::span(room).first(half));
        if (!form.truncated) matcher.feed(Wanted::tls_ja4_r, form.text);
    }
    if (matcher.uses(Wanted::tls_ja4_ro)) {
        const auto form = fingerprint::ja4_raw_wire_order(flow.w.client_hello, transport,
                                                          std::span(room).last(half));
        if (!form.truncated) matcher.feed(Wanted::tls_ja4_ro, form.text);
    }
    tell(flow, groups);
}

void match_request(FlowContext& flow, const http::Request& request, std::string_view order,
                   std::string_view ja4h) noexcept {
    signature::Matcher& matcher = flow.w.matcher;
    if (!matcher.active()) return;
    if (flow.cold.match.body != signature::MatchState::kNoBody) match_body_end(flow);
    EventTexts texts;
    matcher.begin_request(flow.cold.match);
    Groups groups = feed_flow(flow, texts) | feed_facts(flow) | bit(signature::Group::http) |
                    bit(signature::Group::http_headers);
    matcher.feed(Wanted::http_method, request.method);
    const std::string_view host = http::host_of(request);
    if (!host.empty()) matcher.feed(Wanted::http_host, host);
    matcher.feed(Wanted::http_path, http::path_of(request));
    if (request.version.major == 2)
        matcher.feed(Wanted::http_version, "2");
    else if (request.version.major == 1)
        matcher.feed(Wanted::http_version, request.version.minor == 0 ? "1.0" : "1.1");
    if (!order.empty()) matcher.feed(Wanted::http_header_order, order);
    if (!ja4h.empty()) matcher.feed(Wanted::http_ja4h, ja4h);
    auto& names = flow.w.match_names;
    names.clear();
    for (const http::HeaderField& header : request.headers) {
        if (http::equals_lower(header.name, "user-agent"))
            matcher.feed(Wanted::http_user_agent, header.value);
        matcher.feed_header(header.name, header.value);
        if (!names.empty()) names.push(',');
        names.append(header.name);
    }
    matcher.feed(Wanted::http_header_names, names.view());
    if (request.version.major == 2 && flow.cold.h2 != nullptr && flow.cold.h2->opening().settled)
        groups |= bit(signature::Group::http2);
    tell(flow, groups);
    if (request.body.kind != http::BodyKind::none)
        static_cast<void>(matcher.begin_body(flow.cold.match, Wanted::http_body));
    if (request.stream != 0) matcher.park(flow.cold.match, request.stream);
}

void match_response(FlowContext& flow, const http::Response& response) noexcept {
    signature::Matcher& matcher = flow.w.matcher;
    if (!matcher.uses(Wanted::http_response_body)) return;
    if (response.stream != 0) {
        if (response.body.kind == http::BodyKind::none) matcher.end_answer(flow.cold.match, response.stream);
        else matcher.begin_answer(flow.cold.match, response.stream);
        return;
    }
    if (response.body.kind == http::BodyKind::none) return;
    if (flow.cold.match.body != signature::MatchState::kNoBody) match_body_end(flow);
    static_cast<void>(matcher.begin_body(flow.cold.match, Wanted::http_response_body));
}

void match_body(FlowContext& flow, ByteView bytes) noexcept {
    signature::Matcher& matcher = flow.w.matcher;
    if (!matcher.active() || flow.cold.match.generation != matcher.generation()->number()) {
        flow.cold.match.body = signature::MatchState::kNoBody;
        return;
    }
    matcher.begin(flow.cold.match);
    const Wanted field =
        (flow.cold.match.body & 1) == 0 ? Wanted::http_body : Wanted::http_response_body;
    const bool enough = matcher.feed_body(flow.cold.match, field, bytes);
    tell(flow, 0);
    if (enough) match_body_end(flow);
}

void match_body_end(FlowContext& flow) noexcept {
    signature::Matcher& matcher = flow.w.matcher;
    if (!matcher.active()) {
        flow.cold.match.body = signature::MatchState::kNoBody;
        return;
    }
    const bool request = (flow.cold.match.body & 1) == 0;
    matcher.begin(flow.cold.match);
    matcher.finish_body(flow.cold.match, request ? Wanted::http_body : Wanted::http_response_body);
    tell(flow, bit(request ? signature::Group::body : signature::Group::response_body));
}

bool reads_stream(const FlowContext& flow, bool client) noexcept {
    if (flow.cold.match.parked == signature::MatchState::kNoneParked || flow.cold.h2 == nullptr) return false;
    const auto& data = flow.cold.h2->data_ahead(client);
    return data.left > 0 && flow.w.matcher.reads(flow.cold.match, data.stream,
                                                 client ? Wanted::http_body : Wanted::http_response_body);
}

void match_stream_data(FlowContext& flow, bool client, std::uint32_t stream, ByteView bytes,
                       bool ended) noexcept {
    signature::Matcher& matcher = flow.w.matcher;
    signature::MatchState& state = flow.cold.match;
    const Wanted field = client ? Wanted::http_body : Wanted::http_response_body;
    if (matcher.resume(state, stream, field)) {
        if (!bytes.empty()) match_body(flow, bytes);
        if (ended && state.body != signature::MatchState::kNoBody) match_body_end(flow);
        matcher.suspend(state);
    }
    if (ended && !client) matcher.end_answer(state, stream);
}

void match_stream_reset(FlowContext& flow, std::uint32_t stream) noexcept {
    flow.w.matcher.drop(flow.cold.match, stream);
}

}  // namespace seine::pipeline
