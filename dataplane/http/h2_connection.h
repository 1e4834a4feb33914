// One clear-text HTTP/2 connection: frames to request and response heads, and the client's opening.
#pragma once
#include <memory>

#include "dataplane/base/fixed_vector.h"
#include "dataplane/http/h2_frames.h"
#include "dataplane/http/hpack.h"
#include "dataplane/http/message.h"

namespace seine::http {

// What the client said before its first HEADERS; the fingerprint's input.
struct H2Opening {
    static constexpr std::size_t kSettingsMax = 32;
    static constexpr std::size_t kPrioritiesMax = 32;
    FixedVector<H2Setting, kSettingsMax> settings;       // of the first SETTINGS, wire order
    FixedVector<H2Priority, kPrioritiesMax> priorities;  // PRIORITY frames before the first HEADERS
    std::uint32_t window_increment = 0;                  // first WINDOW_UPDATE of stream 0
    bool window_seen = false;
    bool settings_seen = false;
    bool settled = false;  // the first HEADERS has come: nothing changes any more
    bool cut = false;      // more settings or priorities than fit: no fingerprint
};

// Bounded in all it keeps: kStreamsMax open requests, one header block of kBlockBytesMax.
class H2Connection {
  public:
    static constexpr std::size_t kStreamsMax = 128;
    static constexpr std::size_t kBlockBytesMax = std::size_t{64} * 1024;
    static constexpr std::size_t kBlockFramesMax = 64;  // HEADERS and its CONTINUATIONs
    static constexpr std::size_t kControlBytesMax = std::size_t{16} * 1024;  // SETTINGS and such

    enum class Event : std::uint8_t {
        none,      // a frame or a part of one went by
        request,   // `out` holds a request head
        response,  // `out` holds a response head (1xx included)
        trailers,  // `out.headers` holds trailers of out.stream
        data,      // a DATA frame begins: step.data_bytes on step.stream; data_ahead() follows them
        reset,     // RST_STREAM of step.stream
    };
    // As Http1Connection::Step: drop `consume` bytes, handle the event, call again while ok.
    // malformed and limit: the direction is lost for good, for its table is.
    struct Step {
        Parse parse = Parse::need_more;
        Event event = Event::none;
        bool end_stream = false;       // with request, response, trailers and data
        bool settles_opening = false;  // this request is the client's first HEADERS
        std::size_t consume = 0;
        std::uint32_t stream = 0;
        std::uint32_t data_bytes = 0;  // of Event::data, padding aside
    };
    // The client's direction begins with the preface (prior knowledge as after an upgrade). Views
    // in `out` live until the next call on any connection of the same pool.
    Step feed_client(ByteView bytes, Request& out) noexcept;
    Step feed_server(ByteView bytes, Response& out) noexcept;

    // The connection came by upgrade: the request of that ordinal is stream 1 and awaits its
    // answer.
    void begin_upgraded(std::uint32_t request_ordinal) noexcept;

    [[nodiscard]] const H2Opening& opening() const noexcept { return opening_; }
    [[nodiscard]] std::uint32_t request_count() const noexcept { return request_count_; }
    // Requests whose answers are not told apart because kStreamsMax were open.
    [[nodiscard]] std::uint32_t untracked_count() const noexcept { return untracked_count_; }
    // Bytes to come that belong to a DATA (or unknown) frame: see Http1Connection.
    [[nodiscard]] std::uint64_t client_skippable() const noexcept { return client_.skip_left; }
    [[nodiscard]] std::uint64_t server_skippable() const noexcept { return server_.skip_left; }
    void client_skipped(std::uint64_t count) noexcept;
    void server_skipped(std::uint64_t count) noexcept;

    // The DATA frame that a direction stands in: how many of its next bytes are data (padding follows
    // them), of which stream, and whether the stream ends with them. left is 0 outside of data.
    struct DataAhead {
        std::uint32_t left = 0;
        std::uint32_t stream = 0;
        bool end_stream = false;
    };
    [[nodiscard]] const DataAhead& data_ahead(bool client) const noexcept {
        return client ? client_.data : server_.data;
    }

  private:
    friend class H2Pool;
    struct Direction {
        HpackInflater table;
        std::uint32_t skip_left = 0;
        DataAhead data;
        bool begun = false;  // the preface, or the server's first SETTINGS, has come
        bool lost = false;
    };
    struct Stream {
        std::uint32_t id = 0;
        std::uint32_t ordinal = 0;
        bool answered = false;  // its final response head has come
    };
    void start(HpackMemory& memory, HeaderText& text, std::size_t budget_bytes) noexcept;
    void stop() noexcept;
    static Step lose(Direction& from, Parse parse) noexcept;
    static void skip(Direction& from, std::uint32_t count) noexcept;
    static bool skip_step(Direction& from, ByteView bytes, Step& step) noexcept;
    static Step skip_frame(Direction& from, const H2FrameHeader& frame) noexcept;
    Step reset_step(Direction& from, const H2FrameHeader& frame) noexcept;
    static Step data_step(Direction& from, const H2FrameHeader& frame, ByteView bytes) noexcept;
    Step block_step(Direction& from, ByteView bytes, HeaderList& out) noexcept;
    Step client_headers(const H2FrameHeader& frame, ByteView bytes, Request& out) noexcept;
    Step server_headers(const H2FrameHeader& frame, ByteView bytes, Response& out) noexcept;
    Step client_control(const H2FrameHeader& frame, ByteView bytes) noexcept;
    void note_settings(ByteView payload) noexcept;
    Stream* find_stream(std::uint32_t id) noexcept;
    void open_stream(std::uint32_t id, std::uint32_t ordinal) noexcept;
    void close_stream(std::uint32_t id) noexcept;

    Direction client_;
    Direction server_;
    HeaderText* text_ = nullptr;
    HpackMemory* memory_ = nullptr;
    std::size_t budget_bytes_ = 0;
    H2Opening opening_;
    FixedVector<Stream, kStreamsMax> streams_;  // requests without their last answer bytes
    std::uint32_t last_client_stream_ = 0;
    std::uint32_t request_count_ = 0;
    std::uint32_t untracked_count_ = 0;
    H2Connection* next_free_ = nullptr;
};

// All connections of one worker, their table memory and the text of the block at hand; made at
// start.
class H2Pool {
  public:
    struct Bounds {
        std::size_t connection_count = 1024;
        std::size_t table_bytes = std::size_t{16} * 1024 * 1024;    // all tables together
        std::size_t direction_bytes_max = std::size_t{512} * 1024;  // one direction's tables
    };
    explicit H2Pool(const Bounds& bounds);
    ~H2Pool();
    H2Pool(const H2Pool&) = delete;
    H2Pool& operator=(const H2Pool&) = delete;

    // nullptr when all are in use; the caller counts and leaves the flow unparsed.
    H2Connection* acquire() noexcept;
    void release(H2Connection* connection) noexcept;
    [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; }
    [[nodiscard]] const HpackMemory& memory() const noexcept { return memory_; }

  private:
    Bounds bounds_;
    HpackMemory memory_;
    std::unique_ptr<HeaderText> text_;
    std::unique_ptr<H2Connection[]> connections_;
    H2Connection* free_ = nullptr;
    std::size_t in_use_ = 0;
};

}  // namespace seine::http
