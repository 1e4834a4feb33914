// Builds protected QUIC packets with libcrypto alone: the second opinion the tests compare against.
#pragma once
#include <map>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "dataplane/quic/header.h"
#include "tests/unit/quic/rfc_packets.h"

namespace seine::quic {

inline void append_varint(Bytes& out, std::uint64_t value) {
    const int log_bytes = value < 64 ? 0 : value < 16384 ? 1 : value < (1u << 30) ? 2 : 3;
    for (int i = (1 << log_bytes) - 1; i >= 0; --i) {
        auto byte = static_cast<std::uint8_t>(value >> (8 * i));
        if (i == (1 << log_bytes) - 1) byte = static_cast<std::uint8_t>(byte | (log_bytes << 6));
        out.push_back(byte);
    }
}
inline void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }

inline Bytes crypto_frame(std::uint64_t offset, ByteView data) {
    Bytes out{0x06};
    append_varint(out, offset);
    append_varint(out, data.size());
    append(out, data);
    return out;
}
inline Bytes joined(std::initializer_list<Bytes> parts) {
    Bytes out;
    for (const Bytes& part : parts) append(out, part);
    return out;
}
inline Bytes text(std::string_view chars) { return {chars.begin(), chars.end()}; }

inline Bytes reference_hmac(ByteView key, ByteView message) {
    Bytes out(32);
    unsigned size = 32;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(), message.size(),
         out.data(), &size);
    return out;
}
inline Bytes reference_label(ByteView secret, const std::string& label, std::uint8_t count) {
    const std::string full = "tls13 " + label;
    Bytes info{0, count, static_cast<std::uint8_t>(full.size())};
    append(info, as_bytes(full));
    append(info, Bytes{0, 1});
    Bytes out = reference_hmac(secret, info);
    out.resize(count);
    return out;
}

// One long-header packet with a packet number; Initial unless said otherwise.
struct PacketPlan {
    PacketType type = PacketType::initial;
    std::uint32_t version = kVersion1;
    Bytes key_id = unhex(kClientIdHex);  // the id the keys come from
    bool from_client = true;
    Bytes target_id = unhex(kClientIdHex);
    Bytes source_id{};
    Bytes token{};
    std::uint64_t number = 0;
    std::uint8_t number_bytes = 2;
    std::uint8_t reserved_bits = 0;
    bool fixed_bit = true;
    std::size_t packet_bytes_min = 0;  // filled up with PADDING
    Bytes payload{};
};

inline Bytes build_packet(PacketPlan plan) {
    static const std::map<crypto::QuicSalt, const char*> kSalts = {
        {crypto::QuicSalt::v1, "38762cf7f55934b34d179ae6a4c80cadccbb7f0a"},
        {crypto::QuicSalt::v2, "0dede3def700a6db819381be6e269dcbf9bd2ed9"},
        {crypto::QuicSalt::draft_29, "afbfec289993d24c9e9786f19c6111e04390a899"},
        {crypto::QuicSalt::draft_23, "c3eef712c72ebb5a11a7d2432bb46365bef9f502"}};
    crypto::QuicSalt salt{};
    static_cast<void>(known_version(plan.version, salt));
    const bool v2 = plan.version == kVersion2;
    const Bytes secret = reference_label(reference_hmac(unhex(kSalts.at(salt)), plan.key_id),
                                         plan.from_client ? "client in" : "server in", 32);
    const std::string prefix = v2 ? "quicv2 " : "quic ";
    const Bytes key = reference_label(secret, prefix + "key", 16);
    Bytes nonce = reference_label(secret, prefix + "iv", 12);
    const Bytes hp = reference_label(secret, prefix + "hp", 16);

    const unsigned type_bits = (static_cast<unsigned>(plan.type) + (v2 ? 1u : 0u)) & 3u;
    const unsigned form_bits = plan.fixed_bit ? 0xc0u : 0x80u;
    Bytes header{static_cast<std::uint8_t>(form_bits | (type_bits << 4) |
                                           (plan.reserved_bits << 2) | (plan.number_bytes - 1u))};
    for (int i = 3; i >= 0; --i)
        header.push_back(static_cast<std::uint8_t>(plan.version >> (8 * i)));
    header.push_back(static_cast<std::uint8_t>(plan.target_id.size()));
    append(header, plan.target_id);
    header.push_back(static_cast<std::uint8_t>(plan.source_id.size()));
    append(header, plan.source_id);
    if (plan.type == PacketType::initial) {
        append_varint(header, plan.token.size());
        append(header, plan.token);
    }
    // Length always takes two bytes here.
    const std::size_t around = header.size() + 2 + plan.number_bytes + 16;
    std::size_t payload_bytes = std::max<std::size_t>(plan.payload.size(), 4);
    if (plan.packet_bytes_min > around + payload_bytes)
        payload_bytes = plan.packet_bytes_min - around;
    plan.payload.resize(payload_bytes);
    const std::size_t length = plan.number_bytes + payload_bytes + 16;
    header.push_back(static_cast<std::uint8_t>(0x40 | (length >> 8)));
    header.push_back(static_cast<std::uint8_t>(length));
    const std::size_t number_at = header.size();
    for (int i = plan.number_bytes - 1; i >= 0; --i) {
        header.push_back(static_cast<std::uint8_t>(plan.number >> (8 * i)));
    }
    for (std::size_t i = 0; i < 8; ++i) {
        nonce[4 + i] ^= static_cast<std::uint8_t>(plan.number >> (56 - 8 * i));
    }

    Bytes sealed(payload_bytes + 16);
    int size = 0;
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nullptr, key.data(), nonce.data());
    EVP_EncryptUpdate(context, nullptr, &size, header.data(), static_cast<int>(header.size()));
    EVP_EncryptUpdate(context, sealed.data(), &size, plan.payload.data(),
                      static_cast<int>(payload_bytes));
    EVP_EncryptFinal_ex(context, sealed.data() + size, &size);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, sealed.data() + payload_bytes);

    Bytes packet = header;
    append(packet, sealed);
    Bytes mask(32);
    EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), nullptr, hp.data(), nullptr);
    EVP_EncryptUpdate(context, mask.data(), &size, packet.data() + number_at + 4, 16);
    EVP_CIPHER_CTX_free(context);
    packet[0] = static_cast<std::uint8_t>(packet[0] ^ (mask[0] & 0x0f));
    for (std::size_t i = 0; i < plan.number_bytes; ++i) packet[number_at + i] ^= mask[1 + i];
    return packet;
}

}  // namespace seine::quic
