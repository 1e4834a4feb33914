// Where each direction of an HTTP/1.x connection stands between heads and bodies.
#include "dataplane/http/http1_connection.h"

#include <cstring>
#include <limits>

#include "dataplane/http/h2_frames.h"

namespace seine::http {
namespace {

// looks_like_http1_request where the bytes may as well be a body: real methods are in capitals,
// text is not.
Parse request_begins(ByteView bytes) noexcept {
    for (std::size_t i = 0; i < bytes.size() && i < kMethodBytesMax && bytes[i] != ' '; ++i)
        if (bytes[i] >= 'a' && bytes[i] <= 'z') return Parse::not_this;
    return looks_like_http1_request(bytes);
}

}  // namespace

std::uint64_t Http1Connection::skippable(const Direction& direction) noexcept {
    switch (direction.phase) {
        case Phase::length:
            return direction.left;
        case Phase::chunked:
            return direction.chunks.skippable();
        case Phase::until_close:
            return std::numeric_limits<std::uint64_t>::max();
        case Phase::head:
        case Phase::tunnel:
        case Phase::h2:
        case Phase::lost:
            break;
    }
    return 0;
}

void Http1Connection::skipped(Direction& direction, std::uint64_t count) noexcept {
    SEINE_ASSERT(count <= skippable(direction));
    if (count > 0) direction.body_untouched = false;
    if (direction.phase == Phase::length) {
        direction.left -= count;
        if (direction.left == 0) direction.phase = Phase::head;
    } else if (direction.phase == Phase::chunked) {
        direction.chunks.skipped(count);
    }
}

void Http1Connection::begin_body(Direction& direction, const Body& body) noexcept {
    direction.scanned = 0;
    direction.line_seen = false;
    direction.body_untouched = true;
    direction.left = body.length;
    direction.chunks.reset();
    switch (body.kind) {
        case BodyKind::none:
            direction.phase = Phase::head;
            break;
        case BodyKind::length:
            direction.phase = Phase::length;
            break;
        case BodyKind::chunked:
            direction.phase = Phase::chunked;
            break;
        case BodyKind::until_close:
            direction.phase = Phase::until_close;
            break;
    }
}

Http1Connection::Step Http1Connection::body_step(Direction& direction, ByteView bytes) noexcept {
    if (bytes.empty()) return {Parse::need_more, Event::none, 0};
    direction.body_untouched = false;
    if (direction.phase == Phase::chunked) {
        Step step;
        step.parse = direction.chunks.feed(bytes, step.consume);
        if (step.parse == Parse::ok) direction.phase = Phase::head;
        return step;
    }
    std::uint64_t count = skippable(direction);
    if (count > bytes.size()) count = bytes.size();
    skipped(direction, count);
    return {Parse::ok, Event::none, static_cast<std::size_t>(count)};
}

// False as long as a first line has come and no blank one, found by looking at each byte once
// however small the pieces are; so that a head fed byte by byte is not parsed a thousand times.
bool Http1Connection::head_may_be_whole(Direction& direction, ByteView bytes) noexcept {
    if (!direction.line_seen || bytes.size() < direction.scanned) return true;
    const std::uint8_t* begin = bytes.data();
    const std::uint8_t* end = begin + bytes.size();
    const std::uint8_t* at = begin + (direction.scanned > 3 ? direction.scanned - 3 : 0);
    while (at != end) {
        at = static_cast<const std::uint8_t*>(
            std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
        if (at == nullptr || ++at == end) break;
        if (*at == '\n' || (*at == '\r' && (at + 1 == end || at[1] == '\n'))) return true;
    }
    direction.scanned = static_cast<std::uint32_t>(bytes.size());
    return bytes.size() >= kHeadBytesMax;
}

// A parser has just asked for more.
Http1Connection::Step Http1Connection::wait_for_head(Direction& direction,
                                                     ByteView bytes) noexcept {
    direction.scanned = static_cast<std::uint32_t>(bytes.size());
    std::size_t at = 0;
    while (at < bytes.size() && (bytes[at] == '\r' || bytes[at] == '\n')) ++at;
    const ByteView line = bytes.subspan(at);
    direction.line_seen = !line.empty() && std::memchr(line.data(), '\n', line.size()) != nullptr;
    return {Parse::need_more, Event::none, 0};
}

void Http1Connection::lost(Direction& direction) noexcept {
    direction.phase = Phase::lost;
    direction.scanned = 0;
    direction.line_seen = false;
    ordinals_known_ = false;
    pending_count_ = 0;
    pending_ = 0;
}

// The event that ends HTTP/1 in a direction is told once; if its bytes are HTTP/1 again, a head is
// next.
Http1Connection::Step Http1Connection::leave(Direction& direction, Event event) noexcept {
    direction = {};
    if (&direction == &client_) may_leave_ = awaits_continue_ = refused_ = false;
    return {Parse::ok, event, 0};
}

void Http1Connection::take_over(Phase phase) noexcept {
    server_.phase = phase;
    // A client that went on by itself (its answer was seen late) speaks HTTP/1 in there.
    if (client_.phase == Phase::head && may_leave_) client_.phase = phase;
}

void Http1Connection::push_pending(RequestKind kind) noexcept {
    if (pending_count_ == kPendingMax) {
        ordinals_known_ = false;
        return;
    }
    pending_ |= static_cast<std::uint64_t>(kind) << (2 * pending_count_);
    ++pending_count_;
}

RequestKind Http1Connection::pop_pending() noexcept {
    if (pending_count_ == 0) return RequestKind::other;
    const auto kind = static_cast<RequestKind>(pending_ & 3);
    pending_ >>= 2;
    --pending_count_;
    return kind;
}

Http1Connection::Step Http1Connection::client_head(ByteView bytes, Request& out) noexcept {
    if (bytes.empty() || !head_may_be_whole(client_, bytes))
        return {Parse::need_more, Event::none, 0};
    const Parse preface = looks_like_h2_preface(bytes);
    if (preface == Parse::ok) {
        return leave(client_, Event::h2_starts);
    }
    if (preface == Parse::need_more) return {Parse::need_more, Event::none, 0};
    const Parse parse = parse_request(bytes, out);
    if (parse == Parse::need_more) return wait_for_head(client_, bytes);
    if (parse == Parse::not_this && may_leave_) {
        return leave(client_, Event::tunnel);
    }
    if (parse != Parse::ok) return {parse, Event::none, 0};
    out.ordinal = request_count_++;
    const RequestKind kind = kind_of_method(out.method);
    push_pending(kind);
    may_leave_ = kind == RequestKind::connect || out.upgrade != Upgrade::none;
    if (out.upgrade == Upgrade::h2c) upgrade_ordinal_ = out.ordinal;
    awaits_continue_ = out.expects_continue;
    refused_ = false;
    begin_body(client_, kind == RequestKind::connect ? Body{} : out.body);
    return {Parse::ok, Event::request, out.head_bytes};
}

Http1Connection::Step Http1Connection::server_head(ByteView bytes, Response& out) noexcept {
    if (bytes.empty() || !head_may_be_whole(server_, bytes))
        return {Parse::need_more, Event::none, 0};
    const Parse parse = parse_response(bytes, out);
    if (parse == Parse::need_more) return wait_for_head(server_, bytes);
    if (parse != Parse::ok) return {parse, Event::none, 0};
    server_.scanned = 0;
    server_.line_seen = false;
    // An answer that comes before its request was seen (or whose request never is) has no ordinal.
    const bool known = ordinals_known_ && pending_count_ > 0;
    out.ordinal = known ? response_count_ : Response::kNoOrdinal;
    if (out.status < 200 && out.status != 101) {
        out.body = {};
        return {Parse::ok, Event::response, out.head_bytes};
    }
    if (!known) ordinals_known_ = false;
    ++response_count_;
    const RequestKind kind = pop_pending();
    // A final answer before the body was sent: the client may go on with its next request instead.
    if (awaits_continue_ && client_.body_untouched && pending_count_ == 0) refused_ = true;
    out.body = body_of_response(out, kind);
    begin_body(server_, out.body);
    if (out.status == 101) {
        take_over(out.upgrade == Upgrade::h2c ? Phase::h2 : Phase::tunnel);
    } else if (kind == RequestKind::connect && out.status >= 200 && out.status < 300) {
        take_over(Phase::tunnel);
    }
    return {Parse::ok, Event::response, out.head_bytes};
}

Http1Connection::Step Http1Connection::feed_client(ByteView bytes, Request& out) noexcept {
    switch (client_.phase) {
        case Phase::head:
            return client_head(bytes, out);
        case Phase::tunnel:
            return leave(client_, Event::tunnel);
        case Phase::h2:
            return leave(client_, Event::h2_starts);
        case Phase::lost: {
            if (bytes.empty()) return {Parse::need_more, Event::none, 0};
            const Parse parse = request_begins(bytes);
            if (parse == Parse::need_more) return {Parse::need_more, Event::none, 0};
            if (parse != Parse::ok) return {Parse::ok, Event::none, bytes.size()};
            client_.phase = Phase::head;
            return client_head(bytes, out);
        }
        case Phase::length:
        case Phase::chunked:
            if (client_.body_untouched && refused_) {
                const Parse parse = request_begins(bytes);
                if (parse == Parse::need_more) return {Parse::need_more, Event::none, 0};
                refused_ = false;
                if (parse == Parse::ok) {
                    client_.phase = Phase::head;
                    return client_head(bytes, out);
                }
            }
            break;
        case Phase::until_close:
            break;
    }
    return body_step(client_, bytes);
}

Http1Connection::Step Http1Connection::feed_server(ByteView bytes, Response& out) noexcept {
    switch (server_.phase) {
        case Phase::head:
            return server_head(bytes, out);
        case Phase::tunnel:
            return leave(server_, Event::tunnel);
        case Phase::h2:
            return leave(server_, Event::h2_starts);
        case Phase::lost: {
            if (bytes.empty()) return {Parse::need_more, Event::none, 0};
            const Parse parse = looks_like_http1_response(bytes);
            if (parse == Parse::need_more) return {Parse::need_more, Event::none, 0};
            if (parse != Parse::ok) return {Parse::ok, Event::none, bytes.size()};
            server_.phase = Phase::head;
            return server_head(bytes, out);
        }
        case Phase::length:
        case Phase::chunked:
        case Phase::until_close:
            break;
    }
    return body_step(server_, bytes);
}

}  // namespace seine::http
