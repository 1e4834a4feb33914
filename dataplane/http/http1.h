// Request and response heads of HTTP/1.x over the contiguous front of a stream (RFC 9112).
#pragma once
#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"
#include "dataplane/http/message.h"

namespace seine::http {

inline constexpr std::size_t kHeadBytesMax = std::size_t{64} * 1024;
inline constexpr std::size_t kMethodBytesMax = 24;
inline constexpr std::size_t kRequestLineBytesMax = std::size_t{16} * 1024;

// Whether these are the first bytes of a request: METHOD SP TARGET SP HTTP/d.d, all printable.
// ok: yes. need_more: nothing against it yet. not_this: no. The answer is bounded by
// kRequestLineBytesMax; a line longer than that is not_this.
Parse looks_like_http1_request(ByteView bytes) noexcept;
// Whether these are the first bytes of a response: HTTP/d.d SP ddd.
Parse looks_like_http1_response(ByteView bytes) noexcept;

// ok:        `out` holds the head, out.head_bytes of `bytes`; out.body says what follows.
// need_more: the blank line is not here yet; `out` is not to be read.
// not_this:  the first line is not one of HTTP/1.x.
// malformed: a NUL. Lines without colon or name are passed over and set out.odd_line.
// limit:     more than HeaderList or kHeadBytesMax hold.
// Empty lines before the first line are stepped over (RFC 9112 section 2.2).
Parse parse_request(ByteView bytes, Request& out) noexcept;
// As above. out.body is what the fields say, as if it answered a GET: see body_of_response.
Parse parse_response(ByteView bytes, Response& out) noexcept;

// Which request a response answers, as far as the body rule cares.
enum class RequestKind : std::uint8_t { other, head, connect };
RequestKind kind_of_method(std::string_view method) noexcept;
// RFC 9112 section 6.3: HEAD, 1xx, 204 and 304 have none; 2xx to CONNECT none, the tunnel begins;
// chunked wins over a length; no length at all runs until close.
Body body_of_response(const Response& response, RequestKind answers) noexcept;

// Crosses a chunked body over any split (RFC 9112 section 7.1), trailer section included. Its state
// is 24 bytes and it keeps no bytes of the stream.
class ChunkedSkipper {
  public:
    // ok:        the body ends after `consumed` bytes.
    // need_more: all of `bytes` were taken; `consumed` is their count.
    // malformed: not a chunk size or no line end where one must be.
    // limit:     a chunk size past 2^60 or a size line or trailer section longer than
    // kHeadBytesMax.
    Parse feed(ByteView bytes, std::size_t& consumed) noexcept;
    // Bytes that follow for sure and need not be seen: rest of the chunk at hand.
    [[nodiscard]] std::uint64_t skippable() const noexcept;
    // The caller jumped over that many of them without showing them.
    void skipped(std::uint64_t count) noexcept;
    void reset() noexcept { *this = ChunkedSkipper(); }

  private:
    enum class At : std::uint8_t { size, extension, data, data_cr, data_lf, trailer };
    std::uint64_t left_ = 0;
    std::uint32_t line_bytes_ = 0;  // of the size line or trailer section at hand
    At at_ = At::size;
    std::uint8_t digits_ = 0;
    bool line_empty_ = true;
};

}  // namespace seine::http
