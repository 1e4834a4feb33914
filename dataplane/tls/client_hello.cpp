// ClientHello: one pass over the message, then one over its extensions.
#include "dataplane/tls/client_hello.h"

#include <algorithm>

namespace seine::tls {
namespace {

constexpr std::size_t kVersionAndRandomBytes = 34;
constexpr std::size_t kSessionIdBytesMax = 32;

// Of the extensions that may repeat, the first counts; a bit a type that was read.
enum class Seen : std::uint32_t {
    server_name = 1,
    groups = 2,
    point_formats = 4,
    signature_algorithms = 8,
    alpn = 16,
    padding = 32,
    session_ticket = 64,
    psk = 128,
    early_data = 256,
    versions = 512,
    key_share = 1024,
    quic_parameters = 2048,
    ech = 4096,
};

//  identities: length, then identity length, identity, obfuscated age (4) ...; binders follow
void read_psk(ByteView body, ClientHello& out) noexcept {
    out.has_psk = true;
    ByteReader in(body);
    ByteReader identities(in.vec16());
    ByteView first;
    std::uint32_t first_age = 0;
    std::uint16_t count = 0;
    while (!identities.empty()) {
        const ByteView identity = identities.vec16();
        const std::uint32_t age = identities.be32();
        if (count == 0) {
            first = identity;
            first_age = age;
        }
        ++count;
    }
    if (in.failed() || identities.failed() || count == 0) {
        out.odd_bodies = true;
        return;
    }
    out.psk_identity = first;
    out.psk_obfuscated_age = first_age;
    out.psk_identity_count = count;
}

void read_key_shares(ByteView body, ClientHello& out) noexcept {
    out.has_key_share = true;
    ByteReader in(body);
    const ByteView shares = in.vec16();
    ByteReader entries(shares);
    while (!entries.empty()) {
        entries.skip(2);
        entries.vec16();
    }
    if (in.failed() || !in.empty() || entries.failed()) {
        out.odd_bodies = true;
        return;
    }
    out.key_shares = shares;
}

//  outer: 0, kdf (2), aead (2), config_id (1), enc (length 2), payload (length 2); inner: 1
void read_ech(ByteView body, ClientHello& out) noexcept {
    ByteReader in(body);
    const std::uint8_t type = in.u8();
    EchView ech;
    if (type == 0) {
        ech.kind = EchView::Kind::outer;
        ech.kdf = in.be16();
        ech.aead = in.be16();
        ech.config_id = in.u8();
        ech.enc_bytes = static_cast<std::uint16_t>(in.vec16().size());
        ech.payload_bytes = static_cast<std::uint16_t>(in.vec16().size());
    } else {
        ech.kind = EchView::Kind::inner;
    }
    if (in.failed() || !in.empty() || type > 1) {
        out.odd_bodies = true;
        return;
    }
    out.ech = ech;
}

void read_name(ByteView body, ClientHello& out) noexcept {
    out.has_server_name = true;
    if (read_server_name(body, out.server_name) != Parse::ok) out.odd_bodies = true;
}

bool first_of(Seen type, std::uint32_t& seen) noexcept {
    const auto bit = static_cast<std::uint32_t>(type);
    const bool is_first = (seen & bit) == 0;
    seen |= bit;
    return is_first;
}

Parse bounded(Parse parse, const U16List& list, std::size_t count_max) noexcept {
    if (parse != Parse::ok) return parse;
    return list.size() > count_max ? Parse::limit : Parse::ok;
}

// The body of one extension, if it is one we read.
Parse read_body(const Extension& ext, std::uint32_t& seen, ClientHello& out) noexcept {
    switch (ext.type) {
        case extension::kServerName:
            if (first_of(Seen::server_name, seen)) read_name(ext.body, out);
            return Parse::ok;
        case extension::kSupportedGroups:
            if (!first_of(Seen::groups, seen)) return Parse::ok;
            return bounded(read_u16_list16(ext.body, out.groups), out.groups, kGroupsMax);
        case extension::kPointFormats:
            if (!first_of(Seen::point_formats, seen)) return Parse::ok;
            return read_u8_list8(ext.body, out.point_formats);
        case extension::kSignatureAlgorithms:
            if (!first_of(Seen::signature_algorithms, seen)) return Parse::ok;
            return bounded(read_u16_list16(ext.body, out.signature_algorithms),
                           out.signature_algorithms, kSignatureAlgorithmsMax);
        case extension::kAlpn:
            if (!first_of(Seen::alpn, seen)) return Parse::ok;
            out.has_alpn = true;
            return read_alpn(ext.body, out.alpn);
        case extension::kSupportedVersions:
            if (!first_of(Seen::versions, seen)) return Parse::ok;
            out.has_supported_versions = true;
            return read_u16_list8(ext.body, out.supported_versions);
        case extension::kPadding:
            if (!first_of(Seen::padding, seen)) return Parse::ok;
            out.has_padding = true;
            out.padding_bytes = static_cast<std::uint16_t>(ext.body.size());
            return Parse::ok;
        case extension::kSessionTicket:
            if (!first_of(Seen::session_ticket, seen)) return Parse::ok;
            out.has_session_ticket = true;
            out.session_ticket = ext.body;
            return Parse::ok;
        case extension::kPreSharedKey:
            if (first_of(Seen::psk, seen)) read_psk(ext.body, out);
            return Parse::ok;
        case extension::kEarlyData: out.has_early_data = true; return Parse::ok;
        case extension::kKeyShare:
            if (first_of(Seen::key_share, seen)) read_key_shares(ext.body, out);
            return Parse::ok;
        case extension::kQuicTransportParameters:
        case extension::kQuicTransportParametersDraft:
            if (!first_of(Seen::quic_parameters, seen)) return Parse::ok;
            out.has_quic_parameters = true;
            out.quic_parameters = ext.body;
            return Parse::ok;
        case extension::kEncryptedClientHello:
            if (first_of(Seen::ech, seen)) read_ech(ext.body, out);
            return Parse::ok;
        default: return Parse::ok;
    }
}

Parse read_extensions(ByteView block, ClientHello& out) noexcept {
    ByteReader list(block);
    std::uint32_t seen = 0;
    while (!list.empty()) {
        Extension ext;
        const Parse head = read(list, ext);
        if (head != Parse::ok) return head;
        if (!out.extensions.push(ext.type)) return Parse::limit;
        const Parse body = read_body(ext, seen, out);
        if (body != Parse::ok) return body;
    }
    return Parse::ok;
}

}  // namespace

bool ClientHello::offers_tls13() const noexcept {
    for (std::size_t i = 0; i < supported_versions.size(); ++i) {
        const std::uint16_t version = supported_versions[i];
        if (version == 0x0304 || version == 0xfefc || version >> 8 == 0x7f) return true;
    }
    return false;
}

ByteView ClientHello::first_alpn() const noexcept { return ByteReader(alpn).vec8(); }

std::uint16_t ClientHello::highest_version() const noexcept {
    std::uint16_t highest = 0;
    for (std::size_t i = 0; i < supported_versions.size(); ++i) {
        if (!is_grease(supported_versions[i])) highest = std::max(highest, supported_versions[i]);
    }
    return highest != 0 ? highest : legacy_version;
}

//  version (2), random (32), session_id (length 1), [cookie (length 1),] cipher_suites (length 2),
//  compression_methods (length 1), [extensions (length 2)]     RFC 8446 section 4.1.2
Parse read_client_hello(ByteView body, HelloForm form, ClientHello& out) noexcept {
    out = {};
    ByteReader in(body);
    const std::uint8_t* at = in.fixed<kVersionAndRandomBytes>();
    if (at == nullptr) return Parse::malformed;
    out.legacy_version = load_be16(at);
    out.random = body.subspan(2, kVersionAndRandomBytes - 2);
    out.session_id = in.vec8();
    if (form == HelloForm::dtls) out.cookie = in.vec8();
    const ByteView ciphers = in.vec16();
    out.compressions = in.vec8();
    if (in.failed() || out.session_id.size() > kSessionIdBytesMax || ciphers.size() % 2 != 0) {
        return Parse::malformed;
    }
    out.ciphers = U16List(ciphers);
    if (out.ciphers.size() > kCiphersMax) return Parse::limit;
    if (in.empty()) return Parse::ok;
    out.has_extension_block = true;
    const ByteView block = in.vec16();
    if (in.failed() || !in.empty()) return Parse::malformed;
    return read_extensions(block, out);
}

}  // namespace seine::tls
