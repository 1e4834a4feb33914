// HTTP/2 frames over the contiguous front of a stream (RFC 9113 sections 4 and 6).
#pragma once
#include "dataplane/base/byte_reader.h"
#include "dataplane/base/status.h"

namespace seine::http {

inline constexpr std::string_view kH2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Types outside this list are passed over by length (RFC 9113 section 5.5).
enum class H2Type : std::uint8_t {
    data = 0,
    headers = 1,
    priority = 2,
    rst_stream = 3,
    settings = 4,
    push_promise = 5,
    ping = 6,
    goaway = 7,
    window_update = 8,
    continuation = 9,
};

inline constexpr std::uint8_t kH2EndStream = 0x01;   // DATA, HEADERS
inline constexpr std::uint8_t kH2Ack = 0x01;         // SETTINGS, PING
inline constexpr std::uint8_t kH2EndHeaders = 0x04;  // HEADERS, PUSH_PROMISE, CONTINUATION
inline constexpr std::uint8_t kH2Padded = 0x08;      // DATA, HEADERS, PUSH_PROMISE
inline constexpr std::uint8_t kH2Priority = 0x20;    // HEADERS

//  0                   1                   2                   3
//  |                 length (24)                   |   type (8)    |
//  |   flags (8)   |R|                stream (31)                   |
//  |  ...          |
struct H2FrameHeader {
    static constexpr std::size_t kBytes = 9;
    std::uint32_t length = 0;
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::uint32_t stream = 0;
    [[nodiscard]] bool is(H2Type wanted) const noexcept {
        return type == static_cast<std::uint8_t>(wanted);
    }
    [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
};

// ok: the nine bytes were there. need_more: they were not. Whether the length fits is the caller's.
Parse read(ByteReader& in, H2FrameHeader& out) noexcept;

// ok: the bytes begin with the whole client preface. need_more: with a part of it. not_this:
// neither.
Parse looks_like_h2_preface(ByteView bytes) noexcept;
// The server's first frame: SETTINGS on stream 0, a whole number of at most 32 parameters, no ACK.
Parse looks_like_h2_server(ByteView bytes) noexcept;

// PRIORITY body, or the five bytes that lead a HEADERS frame with kH2Priority.
struct H2Priority {
    std::uint32_t stream = 0;
    std::uint32_t depends_on = 0;
    std::uint16_t weight = 0;  // wire byte + 1
    bool exclusive = false;
};
struct H2Setting {
    std::uint32_t value = 0;
    std::uint16_t id = 0;
};

// The header block fragment inside HEADERS, PUSH_PROMISE or CONTINUATION: padding, priority fields
// and promised stream taken off. ok: `block` is set. malformed: padding or fixed fields longer than
// the payload, or stream 0.
Parse header_fragment(const H2FrameHeader& frame, ByteView payload, ByteView& block) noexcept;
// ok or malformed (not five bytes).
Parse read_priority(const H2FrameHeader& frame, ByteView payload, H2Priority& out) noexcept;

}  // namespace seine::http
