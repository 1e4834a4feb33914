// Opening of an Initial packet: header protection off, packet number whole, AEAD open.
#pragma once
#include <span>

#include "dataplane/crypto/quic_keys.h"
#include "dataplane/quic/header.h"

namespace seine::quic {

// Largest packet number seen plus one, of one side's Initial space; zero at the start.
struct NumberSpace {
    std::uint64_t next = 0;
};

struct OpenedInitial {
    std::uint64_t packet_number = 0;
    ByteView payload;  // borrows from the caller's scratch
};

// Takes the protection off `packet`, which read_packet() called an Initial, and writes the bare
// header and the plaintext to `scratch` (packet.bytes.size() bytes are enough). The packet is left
// as it is.
// ok:        `out` is set and `space` moved on.
// not_this:  the tag does not fit: other keys, or a damaged packet. `space` untouched.
// malformed: it opened, and the reserved bits are not zero (RFC 9000 section 17.2).
// limit:     `scratch` is too small.
Parse open_initial(const Packet& packet, const crypto::QuicKeys& keys, crypto::QuicCrypto& crypto,
                   NumberSpace& space, std::span<std::uint8_t> scratch,
                   OpenedInitial& out) noexcept;

// Whether a Retry answers the Initial that was sent to `original_id` (RFC 9001 section 5.8). Uses
// `scratch` (packet.bytes.size() + 21 bytes) for the pseudo-packet.
// ok: its integrity tag is right. not_this: it is not, or the version is a draft, whose tags have
// other keys. limit: `scratch` is too small.
Parse check_retry(const Packet& packet, ByteView original_id, crypto::QuicCrypto& crypto,
                  std::span<std::uint8_t> scratch) noexcept;

}  // namespace seine::quic
