// Frame walk inside an opened Initial packet; yields its CRYPTO pieces.
#pragma once
#include "dataplane/base/bytes.h"
#include "dataplane/base/fixed_vector.h"
#include "dataplane/base/status.h"

namespace seine::quic {

inline constexpr std::size_t kCryptoPiecesMax = 128;     // per datagram
inline constexpr std::size_t kFramesPerPacketMax = 512;  // runs of PADDING count once
inline constexpr std::size_t kAckRangesMax = 256;

// Bytes of the handshake stream (RFC 9000 section 19.6); `offset + bytes.size()` is below 2^62.
struct CryptoPiece {
    std::uint64_t offset = 0;
    ByteView bytes;  // borrows from the opened packet
};
using CryptoPieces = FixedVector<CryptoPiece, kCryptoPiecesMax>;

// What else the frames said; sums over every packet given to read_initial_frames.
struct FrameFacts {
    std::uint32_t padding_bytes = 0;
    std::uint16_t ping_count = 0;
    std::uint16_t ack_count = 0;
    std::uint16_t crypto_count = 0;
    bool closed = false;            // CONNECTION_CLOSE of the transport
    std::uint64_t close_error = 0;  // its error code; 0x100 + alert for TLS (RFC 9001 section 4.8)
};

// Appends the CRYPTO frames of one packet's plaintext, in wire order, empty ones left out.
// ok:        every frame was read.
// malformed: a frame that may not stand in an Initial (RFC 9000 section 12.4), a frame type not in
//            its shortest form, a field past the end, an offset past 2^62, or no frame at all.
//            Pieces before it stay appended.
// limit:     more pieces, frames or ranges than the bounds above; the first ones stay appended.
Parse read_initial_frames(ByteView payload, FrameFacts& facts, CryptoPieces& pieces) noexcept;

}  // namespace seine::quic
