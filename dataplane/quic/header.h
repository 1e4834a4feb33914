// QUIC packet headers: long headers of known versions, version negotiation, Retry, short headers.
#pragma once
#include "dataplane/base/byte_reader.h"
#include "dataplane/base/status.h"
#include "dataplane/crypto/quic_keys.h"

namespace seine::quic {

inline constexpr std::uint32_t kVersion1 = 0x00000001;   // RFC 9000
inline constexpr std::uint32_t kVersion2 = 0x6b3343cf;   // RFC 9369
inline constexpr std::uint32_t kDraftBase = 0xff000000;  // draft-NN is kDraftBase + NN
inline constexpr std::uint32_t kDraftFirst = kDraftBase + 23;
inline constexpr std::uint32_t kDraftLast = kDraftBase + 34;
inline constexpr std::size_t kConnectionIdBytesMax = 20;  // RFC 9000 section 17.2
inline constexpr std::size_t kRetryTagBytes = 16;

enum class PacketType : std::uint8_t {
    initial,
    zero_rtt,
    handshake,
    retry,
    version_negotiation,
    short_header,     // 1-RTT; its connection id has no length on the wire
    unknown_version,  // a long header whose version we do not know (RFC 8999 shape only)
};

// True for versions whose Initials we can open; `salt` is then set.
[[nodiscard]] bool known_version(std::uint32_t version, crypto::QuicSalt& salt) noexcept;
// 0x?a?a?a?a, sent to exercise version negotiation (RFC 9000 section 15).
[[nodiscard]] constexpr bool is_grease_version(std::uint32_t version) noexcept {
    return (version & 0x0f0f0f0fu) == 0x0a0a0a0au;
}

// One packet of a datagram; every view borrows from it.
struct Packet {
    PacketType type{};
    bool fixed_bit = false;         // clear where the peers agreed to vary it (RFC 9287)
    std::uint32_t version = 0;      // zero for version negotiation and short headers
    ByteView target_id;             // Destination Connection ID; empty for a short header
    ByteView source_id;             // Source Connection ID
    ByteView token;                 // of an Initial; of a Retry: the new token without its tag
    ByteView bytes;                 // the whole packet, as far as its header says it goes
    std::size_t number_offset = 0;  // where the protected packet number stands in `bytes`
};

//   |1|1|T T|X X X X|  version  |idlen| target id |idlen| source id | by type...
//    Initial:    token length | token | length | packet number and payload
//    0-RTT, Handshake:                  length | packet number and payload
//    Retry:      token to the end of the datagram, the last 16 bytes an integrity tag
//    version 0:  a list of versions to the end of the datagram
// The next packet of a datagram (RFC 9000 section 17.2, RFC 9369 section 3.2, RFC 8999).
// ok:        `in` stands after it; packets without a length take the rest of the datagram.
// need_more: the datagram ends inside the header or before the packet's stated end.
// not_this:  a short header without the fixed bit, or nothing is left.
// malformed: a connection id over 20 bytes in a known version, a Length too short for a packet
//            number and its sample, version negotiation without whole versions, Retry without a
//            tag.
Parse read_packet(ByteReader& in, Packet& out) noexcept;

// Whether the first bytes of a UDP flow are QUIC: a sound long header of a known version with the
// fixed bit set (what is coalesced behind it is checked to the datagram's end or to trailing
// padding), or version negotiation that offers one. Never true for short headers, unknown versions
// or Google QUIC.
[[nodiscard]] bool looks_like_quic(ByteView datagram) noexcept;

}  // namespace seine::quic
