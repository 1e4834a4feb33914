#include "dataplane/pipeline/http_stage.h"

#include <algorithm>

#include "dataplane/contract/api_key.h"
#include "dataplane/fingerprint/h2_client.h"
#include "dataplane/fingerprint/http_order.h"
#include "dataplane/http/caller.h"
#include "dataplane/pipeline/match_stage.h"
#include "dataplane/pipeline/recorder.h"
#ifdef SEINE_JA4PLUS
#include "dataplane/fingerprint/ja4plus/ja4h.h"
#endif

namespace seine::pipeline {
namespace {

using contract::Field;

std::string_view version_text(http::Version version) noexcept {
    if (version.major == 2) return "2";
    if (version.major == 1 && version.minor == 0) return "1.0";
    if (version.major == 1 && version.minor == 1) return "1.1";
    return "other";
}

// What both the record and the rules want of a request.
struct RequestPrints {
    FixedString<fingerprint::kHdrOrderBytesMax> order;
#ifdef SEINE_JA4PLUS
    FixedString<fingerprint::kJa4hBytesMax> ja4h;
    [[nodiscard]] std::string_view ja4h_text() const noexcept { return ja4h.view(); }
#else
    [[nodiscard]] std::string_view ja4h_text() const noexcept { return {}; }
#endif
};

void fingerprint_request(FlowContext& flow, const http::Request& request, RequestPrints& out) noexcept {
    const StageMark mark(flow.w.stage, Stage::hash);
    fingerprint::hdr_order(request, *flow.w.digester, out.order);
#ifdef SEINE_JA4PLUS
    if (!fingerprint::ja4h(request, *flow.w.digester, out.ja4h)) out.ja4h.clear();
#endif
}

void write_prints(FlowContext& flow, const http::Request& request, const RequestPrints& prints,
                  contract::FrameWriter& writer) noexcept {
    writer.text(Field::hdr_order, prints.order.view());
    if (!prints.ja4h_text().empty()) writer.text(Field::ja4h, prints.ja4h_text());
#ifdef SEINE_JA4PLUS
    if (!flow.w.config.raw) return;
    auto& raw = flow.w.ja4h_raw;
    if (fingerprint::ja4h_raw(request, fingerprint::CookieOrder::sorted, raw) && !raw.truncated())
        writer.text(Field::ja4h_r, raw.view());
    if (fingerprint::ja4h_raw(request, fingerprint::CookieOrder::wire, raw) && !raw.truncated())
        writer.text(Field::ja4h_ro, raw.view());
#else
    static_cast<void>(flow);
    static_cast<void>(request);
#endif
}

// Keys leave this function as keyed hashes and in no other form.
void write_caller(FlowContext& flow, const http::Request& request,
                  contract::FrameWriter& writer) noexcept {
    http::Caller caller;
    http::read_caller(request, flow.w.config.key_headers, caller);
    for (const std::string_view value : caller.keys) {
        const std::string_view key = contract::bare_key(value);
        if (!key.empty()) writer.hex64(Field::api_keys, (*flow.w.keyed)(as_bytes(key)));
    }
    if (!caller.forwarded_for.empty()) writer.text(Field::forwarded_for, caller.forwarded_for);
    if (caller.forwarded_port != 0) writer.set(Field::forwarded_port, caller.forwarded_port);
    if (!caller.request_id.empty()) writer.text(Field::request_id, caller.request_id);
}

void on_request(FlowContext& flow, const http::Request& request) noexcept {
    flow.worthy(request.version.major == 2 ? contract::App::h2 : contract::App::http1);
    ++flow.cold.requests;
    flow.w.counters.add(request.version.major == 2 ? Counter::h2_requests : Counter::http1_requests);
    RequestPrints prints;
    fingerprint_request(flow, request, prints);
    match_request(flow, request, prints.order.view(), prints.ja4h_text());
    emit_open(flow);
    emit_frame(flow, contract::Kind::request, [&](contract::FrameWriter& writer) {
        writer.set(Field::request_no, request.ordinal);
        if (request.stream != 0) writer.set(Field::stream_no, request.stream);
        if (request.head_bytes != 0) writer.set(Field::request_head_bytes, request.head_bytes);
        if (request.body.kind == http::BodyKind::length)
            writer.set(Field::request_body_bytes, request.body.length);
        write_prints(flow, request, prints, writer);
        write_caller(flow, request, writer);
        writer.text(Field::http_version, version_text(request.version));
        writer.text(Field::method, request.method);
        writer.text(Field::host, http::host_of(request));
        writer.text(Field::path, http::path_of(request));
        const std::string_view agent = request.headers.value_of("user-agent");
        if (!agent.empty()) writer.text(Field::user_agent, agent);
        for (const http::HeaderField& header : request.headers)
            writer.text(Field::header_names, header.name);
    });
}

void on_response(FlowContext& flow, const http::Response& response) noexcept {
    flow.w.counters.add(Counter::http1_responses);
    if (response.status < 200 && response.status != 101) return;
    match_response(flow, response);
    if (!flow.hot.has(kWorthy)) return;  // an answer whose request was never seen tells nothing of a client
    emit_frame(flow, contract::Kind::update, [&](contract::FrameWriter& writer) {
        if (response.ordinal != http::Response::kNoOrdinal)
            writer.set(Field::request_no, response.ordinal);
        if (response.stream != 0) writer.set(Field::stream_no, response.stream);
        writer.set(Field::status, response.status);
        if (response.head_bytes != 0) writer.set(Field::response_head_bytes, response.head_bytes);
        if (response.body.kind == http::BodyKind::length)
            writer.set(Field::response_body_bytes, response.body.length);
    });
}

void on_h2_opening(FlowContext& flow, const http::H2Opening& opening,
                   const http::Request& first) noexcept {
    auto& text = flow.w.h2_text;
    if (fingerprint::h2_client(opening, first, text)) flow.fact(Field::h2_akamai, text.view());
    FixedString<fingerprint::kH2SettingsBytesMax> own;
    if (fingerprint::h2_settings(opening, first, own)) flow.fact(Field::h2_settings, own.view());
}

Feed lost(FlowContext& flow, Parse why) noexcept {
    flow.w.counters.add(why == Parse::limit ? Counter::http_limit : Counter::http_malformed);
    flow.incomplete(why == Parse::limit ? Incomplete::http_head_too_long : Incomplete::http_malformed);
    return {0, Next::give_up};
}

// A body that rules read: data goes to them in the runs it comes in, the lines of its chunks byte by byte.
Feed feed_read_body(FlowContext& flow, bool client, ByteView bytes) noexcept {
    http::Http1Connection& connection = flow.cold.http1;
    const std::uint64_t data = client ? connection.client_skippable() : connection.server_skippable();
    bytes = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), data > 0 ? data : 1)));
    if (data > 0) {
        client ? connection.client_skipped(bytes.size()) : connection.server_skipped(bytes.size());
        match_body(flow, bytes);
        return {bytes.size(), Next::again};
    }
    const auto step = client ? connection.feed_client(bytes, flow.w.request) : connection.feed_server(bytes, flow.w.response);
    if (step.parse != Parse::ok && step.parse != Parse::need_more) return lost(flow, step.parse);
    return {step.consume, step.consume > 0 ? Next::again : Next::wait};
}

// Data of a stream whose body rules read, in the runs it comes in.
Feed feed_read_data(FlowContext& flow, bool client, ByteView bytes) noexcept {
    http::H2Connection& connection = *flow.cold.h2;
    const http::H2Connection::DataAhead data = connection.data_ahead(client);
    bytes = bytes.first(std::min<std::size_t>(bytes.size(), data.left));
    client ? connection.client_skipped(bytes.size()) : connection.server_skipped(bytes.size());
    match_stream_data(flow, client, data.stream, bytes, data.end_stream && bytes.size() == data.left);
    return {bytes.size(), Next::again};
}

}  // namespace

Feed feed_http1(FlowContext& flow, Side from, ByteView bytes) noexcept {
    using Event = http::Http1Connection::Event;
    http::Http1Connection& connection = flow.cold.http1;
    const bool client = from == flow.cold.speaker;
    if (reads_body(flow.cold, client)) {
        if (client ? connection.client_in_body() : connection.server_in_body()) return feed_read_body(flow, client, bytes);
        match_body_end(flow);
    }
    const auto step = client ? connection.feed_client(bytes, flow.w.request)
                             : connection.feed_server(bytes, flow.w.response);
    if (step.parse == Parse::need_more) return {step.consume, Next::wait};
    if (step.parse != Parse::ok) return lost(flow, step.parse);
    switch (step.event) {
        case Event::request: on_request(flow, flow.w.request); break;
        case Event::response: on_response(flow, flow.w.response); break;
        case Event::tunnel: return {step.consume, Next::recognise};
        case Event::h2_starts:
            if (flow.cold.h2 == nullptr) {
                if (!begin_h2(flow)) return {step.consume, Next::give_up};
                if (connection.request_count() > 0)
                    flow.cold.h2->begin_upgraded(connection.upgrade_ordinal());
            }
            return {step.consume, Next::h2};
        case Event::none: break;
    }
    return {step.consume, Next::again};
}

Feed feed_h2(FlowContext& flow, Side from, ByteView bytes) noexcept {
    using Event = http::H2Connection::Event;
    if (flow.cold.h2 == nullptr) return {0, Next::give_up};
    http::H2Connection& connection = *flow.cold.h2;
    const bool client = from == flow.cold.speaker;
    if (reads_stream(flow, client)) return feed_read_data(flow, client, bytes);
    const bool first = client && !connection.opening().settled;
    const auto step = client ? connection.feed_client(bytes, flow.w.request)
                             : connection.feed_server(bytes, flow.w.response);
    if (step.parse == Parse::need_more) return {step.consume, Next::wait};
    if (step.parse != Parse::ok) return lost(flow, step.parse);
    if (first && step.event == Event::request)
        on_h2_opening(flow, connection.opening(), flow.w.request);
    switch (step.event) {
        case Event::request: on_request(flow, flow.w.request); break;
        case Event::response: on_response(flow, flow.w.response); break;
        case Event::data:
        case Event::trailers:
            // Data that is read ends its stream when the last of it has come.
            if (step.end_stream && !reads_stream(flow, client)) match_stream_data(flow, client, step.stream, {}, true);
            break;
        case Event::reset: match_stream_reset(flow, step.stream); break;
        case Event::none: break;
    }
    return {step.consume, Next::again};
}

bool begin_h2(FlowContext& flow) noexcept {
    if (flow.cold.h2 != nullptr) return true;
    flow.cold.h2 = flow.w.h2_pool.acquire();
    if (flow.cold.h2 != nullptr) return true;
    flow.w.counters.add(Counter::h2_connections_exhausted);
    flow.incomplete(Incomplete::h2_connections_exhausted);
    return false;
}

bool read_http_datagram(FlowContext& flow, ByteView payload) noexcept {
    if (http::looks_like_http1_request(payload) != Parse::ok) return false;
    if (http::parse_request(payload, flow.w.request) != Parse::ok) return false;
    flow.w.request.ordinal = flow.cold.requests;
    on_request(flow, flow.w.request);
    return true;
}

}  // namespace seine::pipeline
