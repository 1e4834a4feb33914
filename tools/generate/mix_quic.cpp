#include "tools/generate/mix_quic.h"

#include <algorithm>

namespace seine::generate {
namespace {

using synth::Bytes;

constexpr std::size_t kClientDatagramBytes = 1250;
constexpr std::size_t kServerDatagramBytes = 1200;
constexpr std::size_t kCryptoBytesMax = 1150;  // of hello in one datagram
constexpr std::size_t kNumberBytes = 4;

void put(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }

Bytes varint(std::size_t value) {
    if (value < 64) return {static_cast<std::uint8_t>(value)};
    return {static_cast<std::uint8_t>(0x40 | value >> 8), static_cast<std::uint8_t>(value)};
}

struct Ends {
    Bytes target_id, source_id;
    crypto::QuicKeys keys;
};

// RFC 9000 section 17.2.2, RFC 9001 section 5.4: one Initial that fills its datagram.
Bytes initial(crypto::QuicCrypto& crypto, const Ends& ends, std::uint32_t number, Bytes payload,
              std::size_t datagram_bytes) {
    Bytes header = {0xc3, 0, 0, 0, 1, static_cast<std::uint8_t>(ends.target_id.size())};
    put(header, ends.target_id);
    header.push_back(static_cast<std::uint8_t>(ends.source_id.size()));
    put(header, ends.source_id);
    header.push_back(0);  // no token
    const std::size_t header_bytes = header.size() + 2 + kNumberBytes;
    payload.resize(std::max(payload.size(), datagram_bytes - header_bytes - crypto::QuicCrypto::kTagBytes));
    const std::size_t length = kNumberBytes + payload.size() + crypto::QuicCrypto::kTagBytes;
    header.push_back(static_cast<std::uint8_t>(0x40 | length >> 8));
    header.push_back(static_cast<std::uint8_t>(length));
    for (int shift = 24; shift >= 0; shift -= 8) header.push_back(static_cast<std::uint8_t>(number >> shift));
    Bytes out = header;
    out.resize(header.size() + payload.size() + crypto::QuicCrypto::kTagBytes);
    crypto.seal(ends.keys, number, header, payload, out.data() + header.size());
    const auto mask = crypto.header_mask(
        ends.keys, std::span<const std::uint8_t, crypto::QuicCrypto::kSampleBytes>(out.data() + header.size(), 16));
    out[0] = static_cast<std::uint8_t>(out[0] ^ (mask[0] & 0x0f));
    for (std::size_t i = 0; i < kNumberBytes; ++i) out[header.size() - kNumberBytes + i] ^= mask[1 + i];
    return out;
}

struct Piece {
    std::size_t offset;
    std::size_t bytes;
};

std::vector<Piece> cut(MixRandom& random, std::size_t hello_bytes, bool shuffled) {
    std::vector<Piece> pieces;
    for (std::size_t at = 0; at < hello_bytes;) {
        const std::size_t wanted = shuffled ? random.between(60, 500) : kCryptoBytesMax;
        const std::size_t bytes = std::min(hello_bytes - at, wanted);
        pieces.push_back({at, bytes});
        at += bytes;
    }
    if (shuffled)
        for (std::size_t i = pieces.size(); i > 1; --i) std::swap(pieces[i - 1], pieces[random.below(i)]);
    return pieces;
}

}  // namespace

std::vector<Bytes> client_initials(MixRandom& random, crypto::QuicCrypto& crypto, const Bytes& hello, bool shuffled,
                                   Bytes& client_id) {
    client_id = random.bytes(8);
    const Ends ends = {client_id, {}, crypto.initial_keys(crypto::QuicSalt::v1, client_id, crypto::QuicSide::client)};
    std::vector<Bytes> out;
    Bytes payload;
    const auto flush = [&] {
        out.push_back(initial(crypto, ends, static_cast<std::uint32_t>(out.size()), payload, kClientDatagramBytes));
        payload.clear();
    };
    for (const Piece& piece : cut(random, hello.size(), shuffled)) {
        if (!payload.empty() && payload.size() + piece.bytes + 8 > kCryptoBytesMax) flush();
        payload.push_back(6);
        put(payload, varint(piece.offset));
        put(payload, varint(piece.bytes));
        const auto from = hello.begin() + static_cast<std::ptrdiff_t>(piece.offset);
        payload.insert(payload.end(), from, from + static_cast<std::ptrdiff_t>(piece.bytes));
        if (shuffled && random.chance(0.5)) payload.push_back(1);
    }
    flush();
    return out;
}

Bytes server_initial(MixRandom& random, crypto::QuicCrypto& crypto, const Bytes& hello, const Bytes& client_id) {
    const Ends ends = {{}, random.bytes(8), crypto.initial_keys(crypto::QuicSalt::v1, client_id, crypto::QuicSide::server)};
    Bytes payload = {2, 0, 0, 0, 0, 6, 0};  // ACK of packet 0, then CRYPTO at 0
    put(payload, varint(hello.size()));
    put(payload, hello);
    return initial(crypto, ends, 0, payload, kServerDatagramBytes);
}

}  // namespace seine::generate
