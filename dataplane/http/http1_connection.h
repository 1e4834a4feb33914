// What is kept of one HTTP/1.x connection: where each direction stands between heads and bodies.
#pragma once
#include "dataplane/http/http1.h"

namespace seine::http {

// Fed with the contiguous front of each direction in turn; small enough to live in a flow's state.
//
//   head -> body (length, chunked, until close) -> head -> ...
//   client: CONNECT or upgrade -> tunnel, or head again when the server refuses
//   server: 101 or 2xx to CONNECT -> tunnel
//
// What comes out of a tunnel may be HTTP/1 again (a proxy asked for clear text): the caller that
// finds so goes on with the same object, which expects a head then; ordinals go on.
class Http1Connection {
  public:
    enum class Event : std::uint8_t {
        none,      // bytes of a body, an empty line or a stretch that makes no sense went by
        request,   // `out` holds a request head
        response,  // `out` holds a response head
        tunnel,  // from here on another protocol in this direction (CONNECT, websocket); told once
        h2_starts,  // from here on this direction is HTTP/2 (upgrade by 101, or PRI in the
                    // client's)
    };
    // The caller drops `consume` bytes from the front (never more than were given), handles the
    // event and calls again while parse is ok and bytes are left. ok:        progress: consume > 0
    // or an event. need_more: `consume` bytes may go, the rest must stay until more has come.
    // not_this, malformed, limit: this direction is lost; see lost().
    struct Step {
        Parse parse = Parse::need_more;
        Event event = Event::none;
        std::size_t consume = 0;
    };
    Step feed_client(ByteView bytes, Request& out) noexcept;
    Step feed_server(ByteView bytes, Response& out) noexcept;

    // How many bytes to come of that direction are body for sure and need not be buffered; the
    // stream may jump over up to that many (a hole included) and say so with skipped().
    [[nodiscard]] std::uint64_t client_skippable() const noexcept { return skippable(client_); }
    [[nodiscard]] std::uint64_t server_skippable() const noexcept { return skippable(server_); }
    void client_skipped(std::uint64_t count) noexcept { skipped(client_, count); }
    void server_skipped(std::uint64_t count) noexcept { skipped(server_, count); }
    // That direction's next bytes are of a body or of the lines between its chunks.
    [[nodiscard]] bool client_in_body() const noexcept { return in_body(client_); }
    [[nodiscard]] bool server_in_body() const noexcept { return in_body(server_); }
    // After a hole or a malformed head: views are dropped until one begins with a head again, so
    // from here on the caller feeds views that begin where a segment begins.
    void client_lost() noexcept { lost(client_); }
    void server_lost() noexcept { lost(server_); }

    // Requests and responses (1xx aside) seen so far.
    [[nodiscard]] std::uint32_t request_count() const noexcept { return request_count_; }
    [[nodiscard]] std::uint32_t response_count() const noexcept { return response_count_; }
    // Ordinal of the request that asked for h2c; its response is stream 1 (RFC 7540 section 3.2).
    [[nodiscard]] std::uint32_t upgrade_ordinal() const noexcept { return upgrade_ordinal_; }

  private:
    enum class Phase : std::uint8_t { head, length, chunked, until_close, tunnel, h2, lost };
    struct Direction {
        ChunkedSkipper chunks;
        std::uint64_t left = 0;     // of a body with a length
        std::uint32_t scanned = 0;  // bytes of an unfinished head that hold no blank line
        Phase phase = Phase::head;
        bool line_seen = false;       // the first line of that head is whole and sound
        bool body_untouched = false;  // no byte of the body at hand has come
    };
    static constexpr std::uint32_t kPendingMax = 32;

    static bool in_body(const Direction& direction) noexcept {
        return direction.phase == Phase::length || direction.phase == Phase::chunked ||
               direction.phase == Phase::until_close;
    }
    static std::uint64_t skippable(const Direction& direction) noexcept;
    static void skipped(Direction& direction, std::uint64_t count) noexcept;
    static void begin_body(Direction& direction, const Body& body) noexcept;
    static Step body_step(Direction& direction, ByteView bytes) noexcept;
    static bool head_may_be_whole(Direction& direction, ByteView bytes) noexcept;
    static Step wait_for_head(Direction& direction, ByteView bytes) noexcept;
    void lost(Direction& direction) noexcept;
    Step leave(Direction& direction, Event event) noexcept;
    Step client_head(ByteView bytes, Request& out) noexcept;
    Step server_head(ByteView bytes, Response& out) noexcept;
    void take_over(Phase phase) noexcept;
    void push_pending(RequestKind kind) noexcept;
    RequestKind pop_pending() noexcept;

    Direction client_;
    Direction server_;
    // Kinds of the requests that have no answer yet, two bits each, oldest lowest.
    std::uint64_t pending_ = 0;
    std::uint32_t pending_count_ = 0;
    std::uint32_t request_count_ = 0;
    std::uint32_t response_count_ = 0;
    std::uint32_t upgrade_ordinal_ = 0;
    bool ordinals_known_ =
        true;                 // no head was lost, so the n-th answer is that of the n-th request
    bool may_leave_ = false;  // the last request was CONNECT or asked for an upgrade
    bool awaits_continue_ = false;  // the last request said Expect: 100-continue
    bool refused_ = false;          // and was answered for good before its body began
};

}  // namespace seine::http
