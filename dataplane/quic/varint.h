// QUIC variable-length integer: two bits of length, then 6, 14, 30 or 62 bits of value.
#pragma once
#include "dataplane/base/byte_reader.h"

namespace seine::quic {

inline constexpr std::uint64_t kVarintMax = (std::uint64_t{1} << 62) - 1;

//   00xxxxxx                       1 byte    01xxxxxx + 1 byte    2 bytes
//   10xxxxxx + 3 bytes             4 bytes   11xxxxxx + 7 bytes   8 bytes
// The next integer (RFC 9000 section 16), in any of its lengths; zero and in.failed() when the
// bytes end too early.
inline std::uint64_t varint(ByteReader& in) noexcept {
    const std::uint8_t first = in.u8();
    if (first < 0x40) return first;
    const std::uint64_t top = first & 0x3fu;
    if (first < 0x80) return (top << 8) | in.u8();
    if (first < 0xc0) {
        const std::uint8_t* at = in.fixed<3>();
        return at == nullptr ? 0 : (top << 24) | load_be24(at);
    }
    const std::uint8_t* at = in.fixed<7>();
    if (at == nullptr) return 0;
    return (top << 56) | (std::uint64_t{load_be32(at)} << 24) | load_be24(at + 4);
}

// A view whose length is an integer in front of it; empty and in.failed() when it is not all there.
inline ByteView varint_vector(ByteReader& in) noexcept {
    const std::uint64_t length_bytes = varint(in);
    // A length past what is left fails in take(), whatever its high bits say.
    return in.take(static_cast<std::size_t>(length_bytes));
}

}  // namespace seine::quic
