// Reads QUIC packet headers; the only place that knows how versions number their packet types.
#include "dataplane/quic/header.h"

#include <algorithm>

#include "dataplane/quic/varint.h"

namespace seine::quic {
namespace {

constexpr std::uint8_t kLongForm = 0x80;
constexpr std::uint8_t kFixedBit = 0x40;
// A packet number of at most four bytes and the sample behind it (RFC 9001 section 5.4.2).
constexpr std::uint64_t kProtectedBytesMin = 4 + crypto::QuicCrypto::kSampleBytes;

PacketType long_type(std::uint8_t first, std::uint32_t version) noexcept {
    constexpr PacketType kVersion1Types[] = {PacketType::initial, PacketType::zero_rtt,
                                             PacketType::handshake, PacketType::retry};
    constexpr PacketType kVersion2Types[] = {PacketType::retry, PacketType::initial,
                                             PacketType::zero_rtt, PacketType::handshake};
    const std::size_t bits = (first >> 4) & 3u;
    return version == kVersion2 ? kVersion2Types[bits] : kVersion1Types[bits];
}

// Version 0 and versions we do not know take the rest of the datagram.
Parse read_versionless(ByteReader& in, Packet& out) noexcept {
    const ByteView rest = in.rest();
    in.skip(rest.size());
    if (out.version != 0) {
        out.type = PacketType::unknown_version;
        return Parse::ok;
    }
    out.type = PacketType::version_negotiation;
    return rest.empty() || rest.size() % 4 != 0 ? Parse::malformed : Parse::ok;
}

// `from` is where the packet starts.
Parse read_by_type(ByteView from, ByteReader& in, Packet& out) noexcept {
    if (out.type == PacketType::retry) {
        const ByteView rest = in.rest();
        in.skip(rest.size());
        if (rest.size() < kRetryTagBytes) return Parse::malformed;
        out.token = rest.first(rest.size() - kRetryTagBytes);
        return Parse::ok;
    }
    if (out.type == PacketType::initial) out.token = varint_vector(in);
    const std::uint64_t length_bytes = varint(in);
    if (in.failed()) return Parse::need_more;
    if (length_bytes < kProtectedBytesMin) return Parse::malformed;
    out.number_offset = from.size() - in.left();
    in.skip(static_cast<std::size_t>(length_bytes));
    return in.failed() ? Parse::need_more : Parse::ok;
}

bool offers_known_version(const Packet& negotiation) noexcept {
    ByteReader in(negotiation.bytes);
    in.skip(1 + 4 + 1 + negotiation.target_id.size() + 1 + negotiation.source_id.size());
    crypto::QuicSalt salt{};
    while (in.left() >= 4) {
        if (known_version(in.be32(), salt)) return true;
    }
    return false;
}

}  // namespace

bool known_version(std::uint32_t version, crypto::QuicSalt& salt) noexcept {
    if (version == kVersion1) {
        salt = crypto::QuicSalt::v1;
    } else if (version == kVersion2) {
        salt = crypto::QuicSalt::v2;
    } else if (version < kDraftFirst || version > kDraftLast) {
        return false;
    } else if (version >= kDraftBase + 33) {
        salt = crypto::QuicSalt::v1;
    } else {
        salt = version >= kDraftBase + 29 ? crypto::QuicSalt::draft_29 : crypto::QuicSalt::draft_23;
    }
    return true;
}

Parse read_packet(ByteReader& in, Packet& out) noexcept {
    if (in.empty()) return Parse::not_this;
    const ByteView from = in.rest();
    const std::uint8_t first = from[0];
    out = {};
    out.fixed_bit = (first & kFixedBit) != 0;
    if ((first & kLongForm) == 0) {
        if (!out.fixed_bit) return Parse::not_this;
        out.type = PacketType::short_header;
        out.bytes = in.take(from.size());
        return Parse::ok;
    }
    in.skip(1);
    out.version = in.be32();
    crypto::QuicSalt salt{};
    const bool known = !in.failed() && known_version(out.version, salt);
    out.target_id = in.vec8();
    out.source_id = in.vec8();
    if (known && std::max(out.target_id.size(), out.source_id.size()) > kConnectionIdBytesMax) {
        return Parse::malformed;
    }
    if (in.failed()) return Parse::need_more;

    if (known) out.type = long_type(first, out.version);
    const Parse status = known ? read_by_type(from, in, out) : read_versionless(in, out);
    if (status == Parse::ok) out.bytes = from.first(from.size() - in.left());
    return status;
}

bool looks_like_quic(ByteView datagram) noexcept {
    ByteReader in(datagram);
    Packet packet;
    if (read_packet(in, packet) != Parse::ok) return false;
    if (packet.type == PacketType::version_negotiation) return offers_known_version(packet);
    if (packet.type == PacketType::short_header || packet.type == PacketType::unknown_version ||
        !packet.fixed_bit) {
        return false;
    }
    // What is coalesced behind must hold together too, or be padding.
    while (!in.empty()) {
        const ByteView rest = in.rest();
        if (rest[0] == 0)
            return std::all_of(rest.begin(), rest.end(), [](auto b) { return b == 0; });
        if (read_packet(in, packet) != Parse::ok) return false;
        if (packet.type == PacketType::unknown_version) return false;
    }
    return true;
}

}  // namespace seine::quic
