// TCP header (RFC 9293) and its option list in wire order.
#pragma once
#include "dataplane/base/byte_reader.h"
#include "dataplane/base/status.h"
#include "dataplane/wire/packet_view.h"

namespace seine::wire {

//  0               2               4               8              12  13      14              16
// +---------------+---------------+---------------+---------------+---+-------+---------------+
// | source port   | target port   | sequence      | acknowledged  |off| flags | window        |
// +---------------+---------------+---------------+---------------+---+-------+---------------+
// | checksum      | urgent        | options ...
// +---------------+---------------+--
struct Tcp {
    static constexpr std::size_t kHeaderBytesMin = 20;
    // By the data offset field; may be less than the minimum on hostile input.
    static std::size_t header_bytes(const std::uint8_t* header) noexcept {
        return std::size_t{4} * (header[12] >> 4);
    }
};

// TCP part of a view. `segment` is what was captured of header and payload, at least the fixed
// header; `claimed` the length of both on the wire; header_bytes lies between 20 and `claimed`.
inline void fill_tcp(const std::uint8_t* header, std::size_t header_bytes, ByteView segment,
                     std::size_t claimed, PacketView& out) noexcept {
    out.transport = Transport::tcp;
    out.source_port = load_be16(header);
    out.target_port = load_be16(header + 2);
    out.seq = load_be32(header + 4);
    out.ack = load_be32(header + 8);
    out.tcp_flags = header[13];
    out.window = load_be16(header + 14);
    out.transport_header = header;
    out.options_cut = segment.size() < header_bytes;
    const std::size_t captured_header = out.options_cut ? segment.size() : header_bytes;
    out.options = {header + Tcp::kHeaderBytesMin, captured_header - Tcp::kHeaderBytesMin};
    out.payload = segment.subspan(captured_header);
    out.payload_wire_bytes = static_cast<std::uint32_t>(claimed - header_bytes);
    out.cut = out.payload.size() < out.payload_wire_bytes;
}

inline constexpr std::uint8_t kTcpOptionEnd = 0;
inline constexpr std::uint8_t kTcpOptionNop = 1;
inline constexpr std::uint8_t kTcpOptionMss = 2;
inline constexpr std::uint8_t kTcpOptionWindowScale = 3;
inline constexpr std::uint8_t kTcpOptionSackPermitted = 4;
inline constexpr std::uint8_t kTcpOptionSack = 5;
inline constexpr std::uint8_t kTcpOptionTimestamps = 8;

struct TcpOption {
    std::uint8_t kind = kTcpOptionEnd;
    ByteView value{};  // without kind and length; empty for kinds 0 and 1
};

// Walks PacketView::options, every byte of padding included: kind 0 does not end the walk, since
// what stands behind it is part of how a stack writes its options (JA4T lists every one).
class TcpOptions {
  public:
    explicit TcpOptions(ByteView options) noexcept : in_(options) {}

    // ok: `out` is the next option. need_more: there is none left. malformed: a length under two or
    // past the end of the header; the walk is over.
    Parse next(TcpOption& out) noexcept {
        if (in_.empty()) return Parse::need_more;
        out.kind = in_.u8();
        out.value = {};
        if (out.kind <= kTcpOptionNop) return Parse::ok;
        const std::size_t option_bytes = in_.u8();
        if (in_.failed() || option_bytes < 2) return stop();
        out.value = in_.take(option_bytes - 2);
        return in_.failed() ? stop() : Parse::ok;
    }

  private:
    Parse stop() noexcept {
        in_ = {};
        return Parse::malformed;
    }
    ByteReader in_;
};

}  // namespace seine::wire
