// ServerHello in the shapes of SSL 3.0 to TLS 1.3 and its drafts, and NewSessionTicket.
#include "dataplane/tls/server_hello.h"

#include <algorithm>
#include <array>

namespace seine::tls {
namespace {

// SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3).
constexpr std::array<std::uint8_t, 32> kRetryRandom = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
constexpr std::size_t kVersionAndRandomBytes = 34;
constexpr std::size_t kSessionIdBytesMax = 32;
// Drafts from here on have the shape of RFC 8446, and say 0x0303 in the body.
constexpr std::uint16_t kDraft22 = 0x7f16;

// The first drafts wrote 0x0304 there, which no later version does (RFC 8446 section 4.1.3).
constexpr std::uint16_t kFirstDrafts = 0x0304;

bool early_draft(std::uint16_t version) noexcept {
    return version == kFirstDrafts || (version >= 0x7f00 && version < kDraft22);
}

Parse read_extensions(ByteView block, ServerHello& out) noexcept {
    ByteReader list(block);
    while (!list.empty()) {
        Extension ext;
        const Parse head = read(list, ext);
        if (head != Parse::ok) return head;
        if (!out.extensions.push(ext.type)) return Parse::limit;
        if (ext.type == extension::kAlpn && !out.has_alpn) {
            out.has_alpn = true;
            if (read_alpn(ext.body, out.alpn) != Parse::ok) return Parse::malformed;
        } else if (ext.type == extension::kSupportedVersions && out.selected_version == 0) {
            if (ext.body.size() != 2) return Parse::malformed;
            out.selected_version = load_be16(ext.body.data());
        } else if (ext.type == extension::kKeyShare && !out.has_key_share) {
            out.has_key_share = true;
            out.key_share_group = ByteReader(ext.body).be16();
        } else if (ext.type == extension::kPreSharedKey && !out.has_psk) {
            out.has_psk = ext.body.size() == 2;
            out.psk_index = ByteReader(ext.body).be16();
        } else if (ext.type == extension::kSessionTicket) {
            out.has_session_ticket = true;
        }
    }
    return Parse::ok;
}

Parse read_extension_block(ByteReader& in, ServerHello& out) noexcept {
    if (in.failed()) return Parse::malformed;
    if (in.empty()) return Parse::ok;
    const ByteView block = in.vec16();
    if (in.failed() || !in.empty()) return Parse::malformed;
    return read_extensions(block, out);
}

}  // namespace

ByteView ServerHello::first_alpn() const noexcept { return ByteReader(alpn).vec8(); }

//  version (2), random (32), session_id (length 1), cipher_suite (2), compression_method (1),
//  [extensions (length 2)]     RFC 8446 section 4.1.3, RFC 5246 section 7.4.1.3
Parse read_server_hello(ByteView body, ServerHello& out) noexcept {
    out = {};
    ByteReader in(body);
    const std::uint8_t* at = in.fixed<kVersionAndRandomBytes>();
    if (at == nullptr) return Parse::malformed;
    out.legacy_version = load_be16(at);
    out.random = body.subspan(2, kVersionAndRandomBytes - 2);
    out.retry_request = std::equal(kRetryRandom.begin(), kRetryRandom.end(), out.random.begin());
    if (early_draft(out.legacy_version)) {
        out.cipher = in.be16();
        return read_extension_block(in, out);
    }
    out.session_id = in.vec8();
    out.cipher = in.be16();
    out.compression = in.u8();
    if (out.session_id.size() > kSessionIdBytesMax) return Parse::malformed;
    return read_extension_block(in, out);
}

Parse read_draft_retry_request(ByteView body, ServerHello& out) noexcept {
    constexpr std::uint16_t kDraft19 = 0x7f13;  // the first whose retry request names a suite
    out = {};
    out.retry_request = true;
    ByteReader in(body);
    out.legacy_version = in.be16();
    if (out.legacy_version >= kDraft19) out.cipher = in.be16();
    if (in.failed() || !early_draft(out.legacy_version)) return Parse::malformed;
    return read_extension_block(in, out);
}

Parse read_new_session_ticket(ByteView body, NewSessionTicket& out) noexcept {
    out = {};
    ByteReader in(body);
    const std::uint32_t lifetime_s = in.be32();
    const ByteView ticket = in.vec16();
    if (in.failed() || !in.empty()) return Parse::malformed;
    out.lifetime_s = lifetime_s;
    out.ticket = ticket;
    return Parse::ok;
}

}  // namespace seine::tls
