// Opens Initial packets and checks Retry tags.
#include "dataplane/quic/initial.h"

#include <algorithm>

namespace seine::quic {
namespace {

// The packet number whose low bits were sent, nearest to the one expected (RFC 9000 appendix A.3).
std::uint64_t whole_number(std::uint64_t expected, std::uint64_t sent,
                           unsigned sent_bits) noexcept {
    const std::uint64_t window = std::uint64_t{1} << sent_bits;
    const std::uint64_t half = window / 2;
    const std::uint64_t candidate = (expected & ~(window - 1)) | sent;
    if (candidate + half <= expected && candidate < (std::uint64_t{1} << 62) - window) {
        return candidate + window;
    }
    if (candidate > expected + half && candidate >= window) return candidate - window;
    return candidate;
}

// Key and nonce of the Retry tag (RFC 9001 section 5.8, RFC 9369 section 3.3.3).
constexpr crypto::QuicKeys kRetryKeysV1 = {
    {0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8,
     0x4e},
    {0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb},
    {}};
constexpr crypto::QuicKeys kRetryKeysV2 = {
    {0x8f, 0xb4, 0xb0, 0x1b, 0x56, 0xac, 0x48, 0xe2, 0x60, 0xfb, 0xcb, 0xce, 0xad, 0x7c, 0xcc,
     0x92},
    {0xd8, 0x69, 0x69, 0xbc, 0x2d, 0x7c, 0x6d, 0x99, 0x90, 0xef, 0xb0, 0x4a},
    {}};

}  // namespace

Parse open_initial(const Packet& packet, const crypto::QuicKeys& keys, crypto::QuicCrypto& crypto,
                   NumberSpace& space, std::span<std::uint8_t> scratch,
                   OpenedInitial& out) noexcept {
    SEINE_ASSERT(packet.type == PacketType::initial);
    SEINE_ASSERT(packet.bytes.size() >=
                 packet.number_offset + 4 + crypto::QuicCrypto::kSampleBytes);
    if (scratch.size() < packet.bytes.size()) return Parse::limit;

    const std::uint8_t* number_at = packet.bytes.data() + packet.number_offset;
    const auto mask =
        crypto.header_mask(keys, std::span<const std::uint8_t, crypto::QuicCrypto::kSampleBytes>(
                                     number_at + 4, crypto::QuicCrypto::kSampleBytes));
    const auto first = static_cast<std::uint8_t>(packet.bytes[0] ^ (mask[0] & 0x0f));
    const std::size_t number_bytes = (first & 3u) + 1;
    const std::size_t header_bytes = packet.number_offset + number_bytes;

    std::copy_n(packet.bytes.begin(), packet.number_offset, scratch.begin());
    scratch[0] = first;
    std::uint64_t sent = 0;
    for (std::size_t i = 0; i < number_bytes; ++i) {
        const auto byte = static_cast<std::uint8_t>(number_at[i] ^ mask[1 + i]);
        scratch[packet.number_offset + i] = byte;
        sent = (sent << 8) | byte;
    }
    const std::uint64_t number =
        whole_number(space.next, sent, static_cast<unsigned>(8 * number_bytes));
    const ByteView sealed = packet.bytes.subspan(header_bytes);
    std::uint8_t* plain = scratch.data() + header_bytes;
    if (!crypto.open(keys, number, ByteView(scratch).first(header_bytes), sealed, plain)) {
        return Parse::not_this;
    }
    if ((first & 0x0c) != 0) return Parse::malformed;
    space.next = std::max(space.next, number + 1);
    out.packet_number = number;
    out.payload = {plain, sealed.size() - crypto::QuicCrypto::kTagBytes};
    return Parse::ok;
}

Parse check_retry(const Packet& packet, ByteView original_id, crypto::QuicCrypto& crypto,
                  std::span<std::uint8_t> scratch) noexcept {
    SEINE_ASSERT(packet.type == PacketType::retry && original_id.size() <= kConnectionIdBytesMax);
    SEINE_ASSERT(packet.bytes.size() >= kRetryTagBytes);
    if (packet.version != kVersion1 && packet.version != kVersion2) return Parse::not_this;
    if (scratch.size() < 1 + original_id.size() + packet.bytes.size()) return Parse::limit;
    // length of the original id | original id | Retry packet without its tag
    const ByteView untagged = packet.bytes.first(packet.bytes.size() - kRetryTagBytes);
    scratch[0] = static_cast<std::uint8_t>(original_id.size());
    auto at = std::copy(original_id.begin(), original_id.end(), scratch.begin() + 1);
    at = std::copy(untagged.begin(), untagged.end(), at);
    const ByteView pseudo = scratch.first(1 + original_id.size() + untagged.size());
    const ByteView tag = packet.bytes.last(kRetryTagBytes);
    std::uint8_t nothing = 0;
    const auto& keys = packet.version == kVersion2 ? kRetryKeysV2 : kRetryKeysV1;
    return crypto.open(keys, 0, pseudo, tag, &nothing) ? Parse::ok : Parse::not_this;
}

}  // namespace seine::quic
