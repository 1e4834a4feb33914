// What a request and a response head say, whichever HTTP version carried them.
#pragma once
#include <cstdint>
#include <string_view>

#include "dataplane/http/header_list.h"

namespace seine::http {

struct Version {
    std::uint8_t major = 0;
    std::uint8_t minor = 0;
    friend constexpr bool operator==(Version, Version) = default;
};

// How the bytes after a head are measured (RFC 9112 section 6.3).
enum class BodyKind : std::uint8_t { none, length, chunked, until_close };
struct Body {
    BodyKind kind = BodyKind::none;
    bool conflict = false;     // both lengths given, or lengths that differ: a smuggling attempt
    std::uint64_t length = 0;  // of BodyKind::length
};

// What the request asks the connection to become (RFC 9110 section 7.8).
enum class Upgrade : std::uint8_t { none, h2c, websocket, other };

// Scratch, one per worker: about 8 KiB. Every view borrows from the bytes that were parsed (HTTP/1)
// or from the pool's text (HTTP/2) and dies with the next call or when the stream moves on.
struct Request {
    std::string_view method;  // as sent
    std::string_view target;  // as sent: path, absolute form, authority form or `*`; HTTP/2 `:path`
    std::string_view scheme;  // HTTP/2 `:scheme`
    Version version;
    HeaderList headers;  // wire order, names as sent; in HTTP/2 with the pseudo-headers (`:name`)
    std::size_t head_bytes = 0;
    Body body;
    Upgrade upgrade = Upgrade::none;
    bool expects_continue = false;  // Expect: 100-continue
    bool folded = false;            // a value holds a line break (obsolete folding)
    bool bare_lf = false;           // a line ended without CR
    bool odd_line = false;          // a line that is no field was passed over
    std::uint32_t stream = 0;       // HTTP/2 stream, else 0
    std::uint32_t ordinal = 0;      // 0, 1, 2.. within the connection

    void clear() noexcept;
};

struct Response {
    std::uint16_t status = 0;
    std::string_view reason;
    Version version;
    HeaderList headers;
    std::size_t head_bytes = 0;
    Body body;
    Upgrade upgrade = Upgrade::none;  // with status 101
    bool folded = false;
    bool bare_lf = false;
    bool odd_line = false;
    std::uint32_t stream = 0;
    // Ordinal of the request it answers; kNoOrdinal when that was not seen.
    std::uint32_t ordinal = 0;
    static constexpr std::uint32_t kNoOrdinal = 0xffffffff;

    void clear() noexcept;
};

// The path alone: absolute form loses scheme and authority, everything from `?` or `#` on is cut,
// so that no key in a query reaches a record. Authority form (CONNECT) and `*` are given back as
// they are.
std::string_view path_of(const Request& request) noexcept;
// Authority of an absolute or authority form, else `:authority`, else Host (RFC 9112
// section 3.2.2); user information before `@` is cut.
std::string_view host_of(const Request& request) noexcept;

inline void Request::clear() noexcept {
    method = target = scheme = {};
    version = {};
    headers.clear();
    head_bytes = 0;
    body = {};
    upgrade = Upgrade::none;
    expects_continue = folded = bare_lf = odd_line = false;
    stream = ordinal = 0;
}

inline void Response::clear() noexcept {
    status = 0;
    reason = {};
    version = {};
    headers.clear();
    head_bytes = 0;
    body = {};
    upgrade = Upgrade::none;
    folded = bare_lf = odd_line = false;
    stream = 0;
    ordinal = kNoOrdinal;
}

}  // namespace seine::http
