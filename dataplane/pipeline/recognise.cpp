#include "dataplane/pipeline/recognise.h"

#include "dataplane/http/http1.h"
#include "dataplane/pipeline/http_stage.h"
#include "dataplane/pipeline/sides.h"
#include "dataplane/tls/record_layer.h"

namespace seine::pipeline {
namespace {

constexpr std::uint8_t kPrefaceDepthMax = 4;

Feed take_as(FlowContext& flow, Side from, Protocol protocol) noexcept {
    flow.cold.protocol[index(from)] = protocol;
    return {0, Next::again};
}

// The bytes say which side speaks; a guess by ports or by order of packets gives way.
void orient(FlowContext& flow, Side& from, Side by_bytes) noexcept {
    if (from != by_bytes && !flow.hot.has(kClientKnown)) {
        swap_sides(flow);
        from = by_bytes;
    }
    if (from == by_bytes) flow.hot.set(kClientKnown);
}

Parse try_tls(FlowContext& flow, Side& from, ByteView bytes) noexcept {
    tls::Opening opening = tls::Opening::none;
    const Parse parse = tls::looks_like_tls(bytes, opening);
    if (parse == Parse::ok) {
        if (opening == tls::Opening::client_hello) {
            orient(flow, from, Side::client);
            flow.cold.speaker = from;
        }
        if (opening == tls::Opening::server_hello) orient(flow, from, Side::server);
        flow.cold.protocol[index(from)] = Protocol::tls;
    }
    if (opening == tls::Opening::ssl2) {
        flow.w.counters.add(Counter::tls_ssl2);
        flow.incomplete(Incomplete::ssl2_hello);
    }
    return parse;
}

// RFC 9113 section 3.4; fourteen bytes tell it from every request of HTTP/1.
constexpr std::string_view kH2Preface = "PRI * HTTP/2.0";

Parse try_http(FlowContext& flow, Side& from, ByteView bytes) noexcept {
    const std::size_t compared = std::min(bytes.size(), kH2Preface.size());
    if (as_text(bytes.first(compared)) == kH2Preface.substr(0, compared)) {
        if (compared < kH2Preface.size()) return Parse::need_more;
        orient(flow, from, Side::client);
        flow.cold.protocol[index(from)] = begin_h2(flow) ? Protocol::h2 : Protocol::done;
        return Parse::ok;
    }
    const Parse request = http::looks_like_http1_request(bytes);
    if (request == Parse::ok) {
        orient(flow, from, Side::client);
        flow.cold.speaker = from;
        flow.cold.protocol[index(from)] = Protocol::http1;
        return Parse::ok;
    }
    const Parse response = http::looks_like_http1_response(bytes);
    if (response == Parse::ok) {
        orient(flow, from, Side::server);
        flow.cold.protocol[index(from)] = Protocol::http1;
        return Parse::ok;
    }
    return request == Parse::need_more || response == Parse::need_more ? Parse::need_more
                                                                       : Parse::not_this;
}

void proxied(FlowContext& flow, const preface::ProxyHeader& header) noexcept {
    if (!header.unique_id.empty())
        flow.fact(contract::Field::proxied_unique_id, header.unique_id.view());
    if (header.local || header.source.family == 0) return;
    Numbers& numbers = flow.cold.numbers;
    const auto copy = [](const preface::Address& address, std::uint8_t (&out)[16]) {
        std::memset(out, 0, sizeof out);
        if (address.family == 4) {
            out[10] = out[11] = 0xff;
            std::memcpy(out + 12, address.ip.data(), 4);
        } else {
            std::memcpy(out, address.ip.data(), 16);
        }
    };
    copy(header.source, numbers.proxied_source);
    copy(header.target, numbers.proxied_target);
    numbers.proxied_source_port = header.source.port;
    numbers.put(numbers.proxied_target_port, header.target.port, Numbers::kProxied);
}

// While a text of unknown kind is awaited to its line end, the segment at hand may begin a hello.
bool hello_behind(const FlowContext& flow, ByteView bytes) noexcept {
    const ByteView segment = flow.segment;
    if (segment.empty() || segment.size() >= bytes.size()) return false;
    const ByteView tail = bytes.last(segment.size());
    if (std::memcmp(tail.data(), segment.data(), segment.size()) != 0) return false;
    tls::Opening opening = tls::Opening::none;
    return tls::looks_like_tls(segment, opening) == Parse::ok &&
           opening == tls::Opening::client_hello;
}

Feed unknown(FlowContext& flow, Side from) noexcept {
    if (!flow.cold.unknown_counted) {
        flow.cold.unknown_counted = true;
        flow.w.counters.add(Counter::protocol_unknown);
    }
    flow.cold.protocol[index(from)] = Protocol::watch;
    return {0, Next::again};
}

}  // namespace

Feed recognise(FlowContext& flow, Side& from, ByteView bytes) noexcept {
    // The other side has shown a preface or HTTP/2: this side is the rest of it.
    const Protocol theirs = flow.cold.protocol[index(other(from))];
    const bool preface_begun = theirs == Protocol::preface;
    bool wait = false;
    const auto settled = [&](Parse parse) {
        wait |= parse == Parse::need_more;
        return parse == Parse::ok;
    };
    if (settled(try_tls(flow, from, bytes))) return {0, Next::again};
    if (theirs == Protocol::h2 && from == Side::server) return take_as(flow, from, Protocol::h2);
    if (!preface_begun && settled(try_http(flow, from, bytes))) return {0, Next::again};
    if (settled(ssh::looks_like_ssh(bytes))) return take_as(flow, from, Protocol::ssh);
    if (flow.cold.preface_depth < kPrefaceDepthMax) {
        // On a copy: a machine that says no must not have moved.
        preface::Preface trial = flow.cold.preface;
        const auto step = from == Side::client ? trial.feed_client(bytes, flow.w.proxy_header)
                                               : trial.feed_server(bytes);
        if (step.parse == Parse::ok) return take_as(flow, from, Protocol::preface);
        wait |= step.parse == Parse::need_more;
    }
    if (theirs == Protocol::ssh) return take_as(flow, from, Protocol::ssh);
    const bool hello = hello_behind(flow, bytes);
    if (wait && !hello) return {0, Next::wait};
    unknown(flow, from);
    return {hello ? bytes.size() - flow.segment.size() : 0, Next::again};
}

Feed feed_preface(FlowContext& flow, Side from, ByteView bytes) noexcept {
    preface::Preface& preface = flow.cold.preface;
    const auto step = from == Side::client ? preface.feed_client(bytes, flow.w.proxy_header)
                                           : preface.feed_server(bytes);
    if (step.parse == Parse::need_more) return {step.consume, Next::wait};
    if (step.parse == Parse::not_this) {
        unknown(flow, from);
        return {step.consume, Next::again};
    }
    if (step.parse != Parse::ok) {
        flow.w.counters.add(Counter::preface_malformed);
        flow.incomplete(Incomplete::preface_malformed);
        unknown(flow, from);
        return {step.consume, Next::again};
    }
    if (!step.tunnel) return {step.consume, Next::again};
    const bool proxy = preface.kind() == preface::Kind::proxy;
    if (proxy) proxied(flow, flow.w.proxy_header);
    // Both sides come to the end of a dialogue; it was one.
    if (proxy || !flow.cold.dialogue_told) {
        flow.cold.dialogue_told = !proxy;
        flow.w.counters.add(Counter::preface_found);
        flow.fact(contract::Field::preface, preface::name_of(preface.kind()));
        ++flow.cold.preface_depth;
    }
    // Only the client sends a PROXY header, so the machine is free for what is inside it.
    if (proxy) preface = preface::Preface();
    return {step.consume, Next::recognise};
}

Feed watch(FlowContext& flow, Side& from, ByteView bytes) noexcept {
    tls::Opening opening = tls::Opening::none;
    const bool tls = tls::looks_like_tls(bytes, opening) == Parse::ok;
    const bool theirs = flow.cold.protocol[index(other(from))] == Protocol::tls;
    if (tls && (opening == tls::Opening::client_hello ||
                (opening == tls::Opening::server_hello && theirs))) {
        if (opening == tls::Opening::client_hello) {
            orient(flow, from, Side::client);
            flow.cold.speaker = from;
        }
        return take_as(flow, from, Protocol::tls);
    }
    if (++flow.cold.segments_watched > flow.w.config.limits.unknown_segments_max) {
        // A side that has said nothing that anybody knows is given up with it: the flow settles.
        Protocol& peer = flow.cold.protocol[index(other(from))];
        if (peer == Protocol::undecided || peer == Protocol::watch) peer = Protocol::done;
        return {bytes.size(), Next::done};
    }
    return {bytes.size(), Next::wait};
}

}  // namespace seine::pipeline
