// Frames of one HTTP/2 connection to heads; DATA and what we do not know goes by by its length.
#include "dataplane/http/h2_connection.h"

#include "dataplane/base/byte_reader.h"

namespace seine::http {
namespace {

constexpr std::uint16_t kStatusDigits = 3;

std::uint16_t status_of(std::string_view text) noexcept {
    if (text.size() != kStatusDigits) return 0;
    std::uint16_t status = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return 0;
        status = static_cast<std::uint16_t>(status * 10 + (c - '0'));
    }
    return status;
}

}  // namespace

void H2Connection::start(HpackMemory& memory, HeaderText& text, std::size_t budget_bytes) noexcept {
    memory_ = &memory;
    text_ = &text;
    budget_bytes_ = budget_bytes;
    client_.skip_left = server_.skip_left = 0;
    client_.data = server_.data = {};
    client_.begun = client_.lost = server_.begun = server_.lost = false;
    opening_.settings.clear();
    opening_.priorities.clear();
    opening_.window_increment = 0;
    opening_.window_seen = opening_.settings_seen = opening_.settled = opening_.cut = false;
    streams_.clear();
    last_client_stream_ = request_count_ = untracked_count_ = 0;
}

void H2Connection::stop() noexcept {
    client_.table.stop();
    server_.table.stop();
}

void H2Connection::begin_upgraded(std::uint32_t request_ordinal) noexcept {
    last_client_stream_ = 1;
    request_count_ = request_ordinal + 1;
    open_stream(1, request_ordinal);
}

void H2Connection::client_skipped(std::uint64_t count) noexcept {
    SEINE_ASSERT(count <= client_.skip_left);
    skip(client_, static_cast<std::uint32_t>(count));
}

void H2Connection::server_skipped(std::uint64_t count) noexcept {
    SEINE_ASSERT(count <= server_.skip_left);
    skip(server_, static_cast<std::uint32_t>(count));
}

void H2Connection::skip(Direction& from, std::uint32_t count) noexcept {
    from.skip_left -= count;
    from.data.left -= count < from.data.left ? count : from.data.left;
}

H2Connection::Stream* H2Connection::find_stream(std::uint32_t id) noexcept {
    for (Stream& stream : streams_)
        if (stream.id == id) return &stream;
    return nullptr;
}

void H2Connection::open_stream(std::uint32_t id, std::uint32_t ordinal) noexcept {
    if (!streams_.push({id, ordinal, false})) ++untracked_count_;
}

void H2Connection::close_stream(std::uint32_t id) noexcept {
    Stream* stream = find_stream(id);
    if (stream == nullptr) return;
    *stream = streams_.back();
    streams_.pop();
}

H2Connection::Step H2Connection::lose(Direction& from, Parse parse) noexcept {
    from.lost = true;
    from.table.stop();
    Step step;
    step.parse = parse;
    return step;
}

// True when the bytes at hand belong to a frame that goes by.
bool H2Connection::skip_step(Direction& from, ByteView bytes, Step& step) noexcept {
    if (from.skip_left == 0) return false;
    const std::size_t count = bytes.size() < from.skip_left ? bytes.size() : from.skip_left;
    skip(from, static_cast<std::uint32_t>(count));
    step.consume = count;
    step.parse = count > 0 ? Parse::ok : Parse::need_more;
    return true;
}

H2Connection::Step H2Connection::skip_frame(Direction& from, const H2FrameHeader& frame) noexcept {
    from.skip_left = frame.length;
    Step step;
    step.parse = Parse::ok;
    step.consume = H2FrameHeader::kBytes;
    return step;
}

H2Connection::Step H2Connection::reset_step(Direction& from, const H2FrameHeader& frame) noexcept {
    close_stream(frame.stream);
    Step step = skip_frame(from, frame);
    step.event = Event::reset;
    step.stream = frame.stream;
    return step;
}

H2Connection::Step H2Connection::data_step(Direction& from, const H2FrameHeader& frame,
                                           ByteView bytes) noexcept {
    std::uint32_t padding = 0;
    if (frame.has(kH2Padded)) {
        if (frame.length == 0) return lose(from, Parse::malformed);
        if (bytes.size() <= H2FrameHeader::kBytes) return {};
        padding = bytes[H2FrameHeader::kBytes] + 1u;
        if (padding > frame.length) return lose(from, Parse::malformed);
    }
    if (frame.stream == 0) return lose(from, Parse::malformed);
    Step step = skip_frame(from, frame);
    if (frame.has(kH2Padded)) {  // its length goes with the header: what follows is data, then padding
        ++step.consume;
        --from.skip_left;
    }
    step.event = Event::data;
    step.end_stream = frame.has(kH2EndStream);
    step.stream = frame.stream;
    step.data_bytes = frame.length - padding;
    from.data = {step.data_bytes, frame.stream, step.end_stream};
    return step;
}

// HEADERS or PUSH_PROMISE with its CONTINUATIONs, decoded once all of them are here: the table must
// see a block whole or not at all, and fragments follow one another by rule (RFC 9113
// section 6.10).
H2Connection::Step H2Connection::block_step(Direction& from, ByteView bytes,
                                            HeaderList& out) noexcept {
    ByteReader walk(bytes);
    H2FrameHeader first;
    std::size_t frames = 0;
    bool whole = false;
    while (!whole) {
        H2FrameHeader frame;
        if (read(walk, frame) != Parse::ok) return {};
        if (frames == 0) {
            first = frame;
        } else if (!frame.is(H2Type::continuation) || frame.stream != first.stream) {
            return lose(from, Parse::malformed);
        }
        if (++frames > kBlockFramesMax) return lose(from, Parse::limit);
        if (bytes.size() - walk.left() + frame.length > kBlockBytesMax)
            return lose(from, Parse::limit);
        walk.skip(frame.length);
        if (walk.failed()) return {};
        whole = frame.has(kH2EndHeaders);
    }
    if (!from.table.started()) {
        if (const Parse parse = from.table.start(*memory_, budget_bytes_); parse != Parse::ok)
            return lose(from, parse);
    }
    text_->clear();
    out.clear();
    Step step;
    step.consume = bytes.size() - walk.left();
    ByteReader in(bytes.first(step.consume));
    while (!in.empty()) {
        H2FrameHeader frame;
        ByteView fragment;
        static_cast<void>(read(in, frame));  // walked above
        Parse parse = header_fragment(frame, in.take(frame.length), fragment);
        if (parse == Parse::ok) parse = from.table.feed(fragment, in.empty(), *text_, out);
        if (parse != Parse::ok) return lose(from, parse);
    }
    step.parse = Parse::ok;
    step.stream = first.stream;
    step.end_stream = first.has(kH2EndStream) && first.is(H2Type::headers);
    return step;
}

H2Connection::Step H2Connection::client_headers(const H2FrameHeader& frame, ByteView bytes,
                                                Request& out) noexcept {
    out.clear();
    Step step = block_step(client_, bytes, out.headers);
    if (step.parse != Parse::ok) return step;
    out.stream = frame.stream;
    out.version = {2, 0};
    out.head_bytes = step.consume;
    step.settles_opening = !opening_.settled;
    opening_.settled = true;
    if (frame.stream <= last_client_stream_) {
        step.event = Event::trailers;
        return step;
    }
    last_client_stream_ = frame.stream;
    out.method = out.headers.value_of(":method");
    out.target = out.headers.value_of(":path");
    out.scheme = out.headers.value_of(":scheme");
    if (out.method.empty()) return step;  // not a request; the stream is used up all the same
    if (out.target.empty() && out.method == "CONNECT")
        out.target = out.headers.value_of(":authority");
    out.body.kind = step.end_stream ? BodyKind::none : BodyKind::until_close;
    out.ordinal = request_count_++;
    open_stream(frame.stream, out.ordinal);
    step.event = Event::request;
    return step;
}

H2Connection::Step H2Connection::server_headers(const H2FrameHeader& frame, ByteView bytes,
                                                Response& out) noexcept {
    out.clear();
    Step step = block_step(server_, bytes, out.headers);
    if (step.parse != Parse::ok) return step;
    out.stream = frame.stream;
    out.version = {2, 0};
    out.head_bytes = step.consume;
    if (frame.is(H2Type::push_promise)) return step;
    Stream* stream = find_stream(frame.stream);
    out.ordinal = stream == nullptr ? Response::kNoOrdinal : stream->ordinal;
    out.status = status_of(out.headers.value_of(":status"));
    if (out.status == 0 || (stream != nullptr && stream->answered)) {
        step.event = Event::trailers;
    } else {
        step.event = Event::response;
        out.body.kind = step.end_stream ? BodyKind::none : BodyKind::until_close;
        if (stream != nullptr) stream->answered = out.status >= 200;
    }
    if (step.end_stream) close_stream(frame.stream);
    return step;
}

void H2Connection::note_settings(ByteView payload) noexcept {
    opening_.settings_seen = true;
    ByteReader in(payload);
    while (in.left() >= 6) {
        H2Setting setting;
        setting.id = in.be16();
        setting.value = in.be32();
        if (!opening_.settings.push(setting)) opening_.cut = true;
    }
}

// The frames that the fingerprint reads; all are whole in `bytes` before any is taken.
H2Connection::Step H2Connection::client_control(const H2FrameHeader& frame,
                                                ByteView bytes) noexcept {
    if (frame.length > kControlBytesMax) return lose(client_, Parse::limit);
    Step step;
    step.consume = H2FrameHeader::kBytes + frame.length;
    if (bytes.size() < step.consume) return {};
    step.parse = Parse::ok;
    if (opening_.settled) return step;
    const ByteView payload = bytes.subspan(H2FrameHeader::kBytes, frame.length);
    if (frame.is(H2Type::settings)) {
        if (frame.stream != 0 || payload.size() % 6 != 0) return lose(client_, Parse::malformed);
        if (!frame.has(kH2Ack) && !opening_.settings_seen) note_settings(payload);
    } else if (frame.is(H2Type::window_update)) {
        if (payload.size() != 4) return lose(client_, Parse::malformed);
        if (frame.stream == 0 && !opening_.window_seen) {
            opening_.window_seen = true;
            opening_.window_increment = load_be32(payload.data()) & 0x7fffffff;
        }
    } else {
        H2Priority priority;
        if (const Parse parse = read_priority(frame, payload, priority); parse != Parse::ok)
            return lose(client_, parse);
        if (!opening_.priorities.push(priority)) opening_.cut = true;
    }
    return step;
}

H2Connection::Step H2Connection::feed_client(ByteView bytes, Request& out) noexcept {
    Step step;
    if (client_.lost) return lose(client_, Parse::malformed);
    if (skip_step(client_, bytes, step)) return step;
    if (!client_.begun) {
        step.parse = looks_like_h2_preface(bytes);
        if (step.parse != Parse::ok) return step;
        client_.begun = true;
        step.consume = kH2Preface.size();
        return step;
    }
    ByteReader in(bytes);
    H2FrameHeader frame;
    if (read(in, frame) != Parse::ok) return step;
    switch (static_cast<H2Type>(frame.type)) {
        case H2Type::data:
            return data_step(client_, frame, bytes);
        case H2Type::headers:
            return client_headers(frame, bytes, out);
        case H2Type::settings:
        case H2Type::window_update:
        case H2Type::priority:
            return client_control(frame, bytes);
        case H2Type::rst_stream:
            return reset_step(client_, frame);
        case H2Type::push_promise:  // not for clients (RFC 9113 section 8.4)
        case H2Type::continuation:  // only behind HEADERS
            return lose(client_, Parse::malformed);
        case H2Type::ping:
        case H2Type::goaway:
            break;
    }
    return skip_frame(client_, frame);
}

H2Connection::Step H2Connection::feed_server(ByteView bytes, Response& out) noexcept {
    Step step;
    if (server_.lost) return lose(server_, Parse::malformed);
    if (skip_step(server_, bytes, step)) return step;
    if (!server_.begun) {
        step.parse = looks_like_h2_server(bytes);
        if (step.parse != Parse::ok) return step;
        server_.begun = true;
    }
    ByteReader in(bytes);
    H2FrameHeader frame;
    if (read(in, frame) != Parse::ok) return step;
    switch (static_cast<H2Type>(frame.type)) {
        case H2Type::data:
            step = data_step(server_, frame, bytes);
            if (step.parse == Parse::ok && step.end_stream) close_stream(frame.stream);
            return step;
        case H2Type::headers:
        case H2Type::push_promise:
            return server_headers(frame, bytes, out);
        case H2Type::rst_stream:
            return reset_step(server_, frame);
        case H2Type::continuation:
            return lose(server_, Parse::malformed);
        case H2Type::settings:
        case H2Type::window_update:
        case H2Type::priority:
        case H2Type::ping:
        case H2Type::goaway:
            break;
    }
    return skip_frame(server_, frame);
}

H2Pool::H2Pool(const Bounds& bounds)
    : bounds_(bounds),
      memory_(bounds.table_bytes),
      text_(std::make_unique<HeaderText>()),
      connections_(std::make_unique<H2Connection[]>(bounds.connection_count)) {
    for (std::size_t i = bounds.connection_count; i > 0; --i) {
        connections_[i - 1].next_free_ = free_;
        free_ = &connections_[i - 1];
    }
}

H2Pool::~H2Pool() {
    for (std::size_t i = 0; i < bounds_.connection_count; ++i) connections_[i].stop();
}

H2Connection* H2Pool::acquire() noexcept {
    H2Connection* connection = free_;
    if (connection == nullptr) return nullptr;
    free_ = connection->next_free_;
    ++in_use_;
    connection->start(memory_, *text_, bounds_.direction_bytes_max);
    return connection;
}

void H2Pool::release(H2Connection* connection) noexcept {
    if (connection == nullptr) return;
    connection->stop();
    connection->next_free_ = free_;
    free_ = connection;
    --in_use_;
}

}  // namespace seine::http
