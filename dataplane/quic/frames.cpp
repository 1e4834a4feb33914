// Walks the frames that may stand in an Initial packet.
#include "dataplane/quic/frames.h"

#include "dataplane/quic/varint.h"

namespace seine::quic {
namespace {

enum class FrameType : std::uint8_t {  // RFC 9000 section 12.4, table 3, column "I"
    padding = 0x00,
    ping = 0x01,
    ack = 0x02,
    ack_ecn = 0x03,
    crypto = 0x06,
    connection_close = 0x1c,
};

// Steps over a run of zeros, most of a client's first datagram; returns how many.
std::size_t skip_zeros(ByteReader& in) noexcept {
    const ByteView rest = in.rest();
    std::size_t count = 0;
    while (rest.size() - count >= 32) {
        const std::uint8_t* at = rest.data() + count;
        if ((load_le64(at) | load_le64(at + 8) | load_le64(at + 16) | load_le64(at + 24)) != 0)
            break;
        count += 32;
    }
    while (count < rest.size() && rest[count] == 0) ++count;
    in.skip(count);
    return count;
}

// largest | delay | range count | first range | (gap | range) * count | 3 ECN counts (section 19.3)
Parse skip_ack(ByteReader& in, bool ecn) noexcept {
    varint(in);
    varint(in);
    const std::uint64_t range_count = varint(in);
    varint(in);
    if (in.failed()) return Parse::malformed;
    if (range_count > kAckRangesMax) return Parse::limit;
    for (std::uint64_t i = 0; i < 2 * range_count; ++i) varint(in);
    for (int i = 0; ecn && i < 3; ++i) varint(in);
    return in.failed() ? Parse::malformed : Parse::ok;
}

// offset | length | bytes (section 19.6)
Parse read_crypto(ByteReader& in, CryptoPieces& pieces) noexcept {
    CryptoPiece piece;
    piece.offset = varint(in);
    piece.bytes = varint_vector(in);
    if (in.failed() || piece.offset + piece.bytes.size() > kVarintMax) return Parse::malformed;
    if (piece.bytes.empty()) return Parse::ok;
    return pieces.push(piece) ? Parse::ok : Parse::limit;
}

// error code | frame type | length | reason (section 19.19)
Parse read_close(ByteReader& in, FrameFacts& facts) noexcept {
    const std::uint64_t error = varint(in);
    varint(in);
    varint_vector(in);
    if (in.failed()) return Parse::malformed;
    facts.closed = true;
    facts.close_error = error;
    return Parse::ok;
}

Parse read_frame(ByteReader& in, FrameFacts& facts, CryptoPieces& pieces) noexcept {
    // Every type allowed here is below 0x40, so its shortest form is the byte itself.
    switch (static_cast<FrameType>(in.u8())) {
        case FrameType::padding:
            facts.padding_bytes += static_cast<std::uint32_t>(1 + skip_zeros(in));
            return Parse::ok;
        case FrameType::ping:
            ++facts.ping_count;
            return Parse::ok;
        case FrameType::ack:
            ++facts.ack_count;
            return skip_ack(in, false);
        case FrameType::ack_ecn:
            ++facts.ack_count;
            return skip_ack(in, true);
        case FrameType::crypto:
            ++facts.crypto_count;
            return read_crypto(in, pieces);
        case FrameType::connection_close:
            return read_close(in, facts);
    }
    return Parse::malformed;
}

}  // namespace

Parse read_initial_frames(ByteView payload, FrameFacts& facts, CryptoPieces& pieces) noexcept {
    if (payload.empty()) return Parse::malformed;
    ByteReader in(payload);
    for (std::size_t i = 0; i < kFramesPerPacketMax; ++i) {
        if (in.empty()) return Parse::ok;
        const Parse status = read_frame(in, facts, pieces);
        if (status != Parse::ok) return status;
    }
    return in.empty() ? Parse::ok : Parse::limit;
}

}  // namespace seine::quic
