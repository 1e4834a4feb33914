// HKDF with kept midstates over libcrypto's SHA-256 block function; AES by libipsec-mb.
#define OPENSSL_SUPPRESS_DEPRECATED  // the one-block call has no successor in OpenSSL 3
#define NO_COMPAT_IMB_API_053        // its old names clash with libcrypto's
#include "dataplane/crypto/quic_keys.h"

#include <algorithm>
#include <string>

#include <intel-ipsec-mb.h>
#include <openssl/sha.h>

namespace seine::crypto {
namespace {

using Block = std::array<std::uint8_t, 64>;
using State = std::array<std::uint32_t, 8>;

constexpr State kSha256Start = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};  // FIPS 180-4

void compress(State& state, const Block& block) noexcept {
    SHA256_CTX context;
    std::copy(state.begin(), state.end(), context.h);
    SHA256_Transform(&context, block.data());
    std::copy(context.h, context.h + state.size(), state.begin());
}

void store_state(const State& state, std::uint8_t* out) noexcept {
    for (std::size_t i = 0; i < state.size(); ++i) {
        const std::uint32_t word = __builtin_bswap32(state[i]);
        std::memcpy(out + 4 * i, &word, sizeof word);
    }
}

// Padding of the last block of a message that follows one 64-byte key block (FIPS 180-4
// section 5.1).
constexpr void pad(Block& block, std::size_t message_bytes) noexcept {
    const std::size_t bits = (64 + message_bytes) * 8;
    block[message_bytes] = 0x80;
    block[62] = static_cast<std::uint8_t>(bits >> 8);
    block[63] = static_cast<std::uint8_t>(bits);
}

// Inner block of HKDF-Expand-Label's only round, padded: the same for every connection.
constexpr Block label_block(std::string_view label, std::uint8_t out_bytes) noexcept {
    constexpr std::string_view kPrefix = "tls13 ";
    Block block{};
    std::size_t at = 0;
    block[at++] = 0;
    block[at++] = out_bytes;
    block[at++] = static_cast<std::uint8_t>(kPrefix.size() + label.size());
    for (const char c : kPrefix) block[at++] = static_cast<std::uint8_t>(c);
    for (const char c : label) block[at++] = static_cast<std::uint8_t>(c);
    block[at++] = 0;  // no context
    block[at++] = 1;  // first round
    pad(block, at);
    return block;
}

// The outer half of an HMAC; `inner` is the state behind the whole message (RFC 2104 section 2).
Digest256 hmac_outer(const HmacKey& key, const State& inner) noexcept {
    Block outer_block{};
    store_state(inner, outer_block.data());
    pad(outer_block, sizeof(Digest256));
    State state = key.outer;
    compress(state, outer_block);
    Digest256 out;
    store_state(state, out.data());
    return out;
}

// The rest of an HMAC whose message is one padded inner block.
Digest256 hmac_block(const HmacKey& key, const Block& inner_block) noexcept {
    State state = key.inner;
    compress(state, inner_block);
    return hmac_outer(key, state);
}

struct Labels {
    Block key, iv, hp;
};
constexpr Labels kLabelsV1 = {label_block("quic key", 16), label_block("quic iv", 12),
                              label_block("quic hp", 16)};
constexpr Labels kLabelsV2 = {label_block("quicv2 key", 16), label_block("quicv2 iv", 12),
                              label_block("quicv2 hp", 16)};
constexpr Block kClientIn = label_block("client in", 32);
constexpr Block kServerIn = label_block("server in", 32);

constexpr std::array<std::uint8_t, 20> kSalts[kQuicSaltCount] = {
    {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
     0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
    {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
     0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
    {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
     0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99},
    {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
     0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02},
};

}  // namespace

HmacKey hmac_key(ByteView key) noexcept {
    Block padded{};
    if (key.size() > padded.size()) {
        SHA256(key.data(), key.size(), padded.data());
    } else if (!key.empty()) {
        std::memcpy(padded.data(), key.data(), key.size());
    }
    HmacKey out{kSha256Start, kSha256Start};
    for (std::uint8_t& byte : padded) byte ^= 0x36;
    compress(out.inner, padded);
    for (std::uint8_t& byte : padded) byte ^= 0x36 ^ 0x5c;
    compress(out.outer, padded);
    return out;
}

Digest256 hmac(const HmacKey& key, ByteView message) noexcept {
    Block last{};
    State state = key.inner;
    std::size_t left = message.size();
    const std::uint8_t* at = message.data();
    for (; left >= last.size(); left -= last.size(), at += last.size()) {
        std::memcpy(last.data(), at, last.size());
        compress(state, last);
    }
    last = {};
    if (left > 0) std::memcpy(last.data(), at, left);
    last[left] = 0x80;
    if (left >= 56) {
        compress(state, last);
        last = {};
    }
    const std::uint64_t bits = __builtin_bswap64((64 + std::uint64_t{message.size()}) * 8);
    std::memcpy(last.data() + 56, &bits, sizeof bits);
    compress(state, last);
    return hmac_outer(key, state);
}

bool hkdf_expand(const HmacKey& secret, ByteView info, std::span<std::uint8_t> out) noexcept {
    if (info.size() > kHkdfInfoBytesMax || out.size() > 255 * sizeof(Digest256)) return false;
    std::array<std::uint8_t, sizeof(Digest256) + kHkdfInfoBytesMax + 1> message;
    std::size_t chained = 0;  // bytes of the round before that this one starts with
    std::uint8_t round = 0;
    for (std::size_t done = 0; done < out.size();) {
        if (!info.empty()) std::memcpy(message.data() + chained, info.data(), info.size());
        message[chained + info.size()] = ++round;
        const Digest256 digest = hmac(secret, {message.data(), chained + info.size() + 1});
        const std::size_t count = std::min(out.size() - done, digest.size());
        std::memcpy(out.data() + done, digest.data(), count);
        done += count;
        std::memcpy(message.data(), digest.data(), digest.size());
        chained = digest.size();
    }
    return true;
}

bool hkdf_expand_label(const HmacKey& secret, std::string_view label,
                       std::span<std::uint8_t> out) noexcept {
    constexpr std::string_view kPrefix = "tls13 ";
    constexpr std::size_t kLabelBytesMax = 32;
    if (label.size() > kLabelBytesMax || out.size() > 255) return false;
    std::array<std::uint8_t, 2 + 1 + kPrefix.size() + kLabelBytesMax + 1> info{};
    info[1] = static_cast<std::uint8_t>(out.size());
    info[2] = static_cast<std::uint8_t>(kPrefix.size() + label.size());
    std::memcpy(info.data() + 3, kPrefix.data(), kPrefix.size());
    if (!label.empty()) std::memcpy(info.data() + 3 + kPrefix.size(), label.data(), label.size());
    return hkdf_expand(secret, {info.data(), 3 + kPrefix.size() + label.size() + 1}, out);
}

struct QuicCrypto::Rooms {
    gcm_key_data gcm_key;  // of the packet key below
    gcm_context_data gcm_context;
    alignas(16) std::array<std::uint8_t, 16 * 11> hp_rounds;  // of the header protection key below
    alignas(16) std::array<std::uint8_t, 16 * 11> unused_rounds;
    QuicKeys expanded{};  // the keys whose schedules stand above
    bool has_expanded = false;
    IMB_MGR* manager = nullptr;
    std::array<HmacKey, kQuicSaltCount> salts;

    ~Rooms() {
        if (manager != nullptr) free_mb_mgr(manager);
    }
    // Packets of one side come in runs, so the last key schedules are kept.
    void expand(const QuicKeys& keys) noexcept;
};

void QuicCrypto::Rooms::expand(const QuicKeys& keys) noexcept {
    if (has_expanded && expanded.key == keys.key && expanded.hp == keys.hp) return;
    IMB_AES128_GCM_PRE(manager, keys.key.data(), &gcm_key);
    IMB_AES_KEYEXP_128(manager, keys.hp.data(), hp_rounds.data(), unused_rounds.data());
    expanded = keys;
    has_expanded = true;
}

QuicCrypto::QuicCrypto(std::unique_ptr<Rooms> rooms) noexcept : rooms_(std::move(rooms)) {}
QuicCrypto::~QuicCrypto() = default;

Result<std::unique_ptr<QuicCrypto>> QuicCrypto::make() {
    auto rooms = std::make_unique<Rooms>();
    rooms->manager = alloc_mb_mgr(0);
    if (rooms->manager == nullptr) return failed("libipsec-mb: no memory for its manager");
    IMB_ARCH arch = IMB_ARCH_NONE;
    init_mb_mgr_auto(rooms->manager, &arch);
    if (const int error = imb_get_errno(rooms->manager); error != 0) {
        return failed(std::string("libipsec-mb: cannot start on this processor: ") +
                      imb_get_strerror(error));
    }
    for (std::size_t i = 0; i < kQuicSaltCount; ++i) rooms->salts[i] = hmac_key(kSalts[i]);
    return std::unique_ptr<QuicCrypto>(new QuicCrypto(std::move(rooms)));
}

// RFC 9001 sections 5.1 and 5.2: initial secret, then the side's secret, then its three keys. With
// the salt's midstate kept and every label's block made at compile time this is 14 block functions.
QuicKeys QuicCrypto::initial_keys(QuicSalt salt, ByteView client_id, QuicSide side) const noexcept {
    const Digest256 initial_secret = hmac(rooms_->salts[static_cast<std::size_t>(salt)], client_id);
    const Digest256 secret =
        hmac_block(hmac_key(initial_secret), side == QuicSide::client ? kClientIn : kServerIn);
    const HmacKey secret_key = hmac_key(secret);
    const Labels& labels = salt == QuicSalt::v2 ? kLabelsV2 : kLabelsV1;
    QuicKeys keys;
    const Digest256 key = hmac_block(secret_key, labels.key);
    const Digest256 iv = hmac_block(secret_key, labels.iv);
    const Digest256 hp = hmac_block(secret_key, labels.hp);
    std::copy_n(key.begin(), keys.key.size(), keys.key.begin());
    std::copy_n(iv.begin(), keys.iv.size(), keys.iv.begin());
    std::copy_n(hp.begin(), keys.hp.size(), keys.hp.begin());
    return keys;
}

std::array<std::uint8_t, 5> QuicCrypto::header_mask(
    const QuicKeys& keys, std::span<const std::uint8_t, kSampleBytes> sample) noexcept {
    rooms_->expand(keys);
    // One block of CFB over zeros is AES of its IV: the plain block call the library does not
    // offer.
    static constexpr std::array<std::uint8_t, kSampleBytes> kZeros{};
    std::array<std::uint8_t, kSampleBytes> block;
    IMB_AES128_CFB_ONE(rooms_->manager, block.data(), kZeros.data(), sample.data(),
                       rooms_->hp_rounds.data(), block.size());
    return {block[0], block[1], block[2], block[3], block[4]};
}

namespace {

std::array<std::uint8_t, 12> nonce_of(const QuicKeys& keys, std::uint64_t packet_number) noexcept {
    std::array<std::uint8_t, 12> nonce = keys.iv;  // RFC 9001 section 5.3
    for (std::size_t i = 0; i < 8; ++i) {
        nonce[4 + i] ^= static_cast<std::uint8_t>(packet_number >> (56 - 8 * i));
    }
    return nonce;
}

}  // namespace

bool QuicCrypto::open(const QuicKeys& keys, std::uint64_t packet_number, ByteView header,
                      ByteView sealed, std::uint8_t* plain) noexcept {
    if (sealed.size() < kTagBytes) return false;
    rooms_->expand(keys);
    const std::array<std::uint8_t, 12> nonce = nonce_of(keys, packet_number);
    const std::size_t plain_bytes = sealed.size() - kTagBytes;
    std::array<std::uint8_t, kTagBytes> sent_tag;
    std::memcpy(sent_tag.data(), sealed.data() + plain_bytes, sent_tag.size());
    std::array<std::uint8_t, kTagBytes> tag;
    IMB_AES128_GCM_DEC(rooms_->manager, &rooms_->gcm_key, &rooms_->gcm_context, plain,
                       sealed.data(), plain_bytes, nonce.data(), header.data(), header.size(),
                       tag.data(), tag.size());
    return tag == sent_tag;
}

void QuicCrypto::seal(const QuicKeys& keys, std::uint64_t packet_number, ByteView header, ByteView plain,
                      std::uint8_t* sealed) noexcept {
    rooms_->expand(keys);
    const std::array<std::uint8_t, 12> nonce = nonce_of(keys, packet_number);
    IMB_AES128_GCM_ENC(rooms_->manager, &rooms_->gcm_key, &rooms_->gcm_context, sealed, plain.data(),
                       plain.size(), nonce.data(), header.data(), header.size(), sealed + plain.size(), kTagBytes);
}

}  // namespace seine::crypto
