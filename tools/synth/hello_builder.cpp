// Handshake messages built from the inside out; every length is right unless the body says otherwise.
#include "tools/synth/hello_builder.h"

#include <algorithm>

namespace seine::synth {
namespace {

void put(Bytes& out, const Bytes& bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

// `value` in `width` bytes, big end first.
Bytes number(std::uint64_t value, std::size_t width) {
    Bytes out(width);
    for (std::size_t i = 0; i < width; ++i) {
        out[i] = static_cast<std::uint8_t>(value >> (8 * (width - 1 - i)));
    }
    return out;
}

// Bytes behind their length of `width` bytes.
Bytes vec(std::size_t width, const Bytes& bytes) { return number(bytes.size(), width) + bytes; }

Bytes numbers(const std::vector<std::uint16_t>& values) {
    Bytes out;
    for (const std::uint16_t value : values) put(out, number(value, 2));
    return out;
}

Bytes extension_block(const std::vector<ExtensionBytes>& extensions) {
    Bytes out;
    for (const ExtensionBytes& ext : extensions) {
        put(out, number(ext.type, 2));
        put(out, vec(2, ext.body));
    }
    return vec(2, out);
}

Bytes random_filler() { return counting(32, 0x40); }

Bytes retry_random() {
    return from_hex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c");
}

}  // namespace

ExtensionBytes server_name(std::string_view host) {
    return {0, vec(2, Bytes{0} + vec(2, bytes_of(host)))};
}

ExtensionBytes alpn(const std::vector<std::string_view>& names) {
    Bytes list;
    for (const std::string_view name : names) put(list, vec(1, bytes_of(name)));
    return {16, vec(2, list)};
}

ExtensionBytes u16_list(std::uint16_t type, const std::vector<std::uint16_t>& values) {
    return {type, vec(2, numbers(values))};
}

ExtensionBytes supported_versions(const std::vector<std::uint16_t>& values) {
    return {43, vec(1, numbers(values))};
}

ExtensionBytes point_formats(const Bytes& formats) { return {11, vec(1, formats)}; }

ExtensionBytes key_shares(const std::vector<std::uint16_t>& groups, std::size_t key_bytes) {
    Bytes list;
    for (const std::uint16_t group : groups) {
        put(list, number(group, 2) + vec(2, counting(key_bytes)));
    }
    return {51, vec(2, list)};
}

ExtensionBytes pre_shared_key(const Bytes& identity, std::uint32_t obfuscated_age) {
    const Bytes identities = vec(2, identity) + number(obfuscated_age, 4);
    return {41, vec(2, identities) + vec(2, vec(1, counting(32)))};
}

ExtensionBytes bare(std::uint16_t type, const Bytes& body) { return {type, body}; }

Bytes client_hello(const HelloOptions& options) {
    Bytes out = number(options.legacy_version, 2) + random_filler() + vec(1, options.session_id);
    if (options.dtls) put(out, vec(1, options.cookie));
    put(out, vec(2, numbers(options.ciphers)));
    put(out, vec(1, options.compressions));
    if (options.extension_block) put(out, extension_block(options.extensions));
    return out;
}

Bytes server_hello(const ServerOptions& options) {
    Bytes out = number(options.legacy_version, 2);
    put(out, options.retry_request ? retry_random() : random_filler());
    if (!options.early_draft) put(out, vec(1, options.session_id));
    put(out, number(options.cipher, 2));
    if (!options.early_draft) out.push_back(0);
    if (options.extension_block) put(out, extension_block(options.extensions));
    return out;
}

Bytes new_session_ticket(std::uint32_t lifetime_s, const Bytes& ticket) {
    return number(lifetime_s, 4) + vec(2, ticket);
}

Bytes certificate_list(const std::vector<Bytes>& certificates) {
    Bytes list;
    for (const Bytes& one : certificates) put(list, vec(3, one));
    return vec(3, list);
}

Bytes handshake(std::uint8_t type, const Bytes& body) { return Bytes{type} + vec(3, body); }

Bytes tls_record(std::uint8_t type, const Bytes& fragment, std::uint16_t version) {
    return Bytes{type} + number(version, 2) + vec(2, fragment);
}

Bytes tls_records(std::uint8_t type, const Bytes& bytes, std::size_t fragment_bytes,
                  std::uint16_t version) {
    Bytes out;
    for (std::size_t at = 0; at < bytes.size(); at += fragment_bytes) {
        const std::size_t end = std::min(bytes.size(), at + fragment_bytes);
        const Bytes part(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                         bytes.begin() + static_cast<std::ptrdiff_t>(end));
        put(out, tls_record(type, part, version));
    }
    return out;
}

Bytes dtls_fragment(const DtlsPiece& piece, const Bytes& message_body) {
    const std::size_t end = std::min(piece.to, message_body.size());
    const Bytes part(message_body.begin() + static_cast<std::ptrdiff_t>(piece.from),
                     message_body.begin() + static_cast<std::ptrdiff_t>(end));
    return Bytes{piece.type} + number(message_body.size(), 3) + number(piece.message_seq, 2) +
           number(piece.from, 3) + vec(3, part);
}

Bytes dtls_record(const DtlsRecordOptions& options, const Bytes& fragment) {
    return Bytes{options.type} + number(options.version, 2) + number(options.epoch, 2) +
           number(options.sequence, 6) + vec(2, fragment);
}

Bytes der(std::uint8_t tag, const Bytes& content) {
    if (content.size() < 0x80) return Bytes{tag} + vec(1, content);
    if (content.size() < 0x100) return Bytes{tag, 0x81} + vec(1, content);
    return Bytes{tag, 0x82} + vec(2, content);
}

Bytes certificate(const CertificateOptions& options) {
    const auto name = [](const std::vector<NamePart>& parts) {
        Bytes sets;
        for (const NamePart& part : parts) {
            put(sets, der(0x31, der(0x30, der(0x06, part.oid) + der(0x0c, bytes_of(part.value)))));
        }
        return der(0x30, sets);
    };
    const auto time = [](std::string_view text) {
        return der(text.size() == 13 ? 0x17 : 0x18, bytes_of(text));
    };
    const Bytes algorithm = der(0x30, der(0x06, from_hex("2a8648ce3d040302")));
    Bytes extensions;
    const auto extend = [&](const Bytes& oid, const Bytes& value) {
        put(extensions, der(0x30, der(0x06, oid) + der(0x04, value)));
    };
    for (const Bytes& oid : options.extension_oids) extend(oid, der(0x30, {}));
    if (!options.dns_names.empty()) {
        Bytes names;
        for (const std::string_view host : options.dns_names) put(names, der(0x82, bytes_of(host)));
        extend({0x55, 0x1d, 0x11}, der(0x30, names));
    }
    Bytes tbs = der(0xa0, der(0x02, {2})) + der(0x02, options.serial) + algorithm +
                name(options.issuer) +
                der(0x30, time(options.not_before) + time(options.not_after)) +
                name(options.subject) + der(0x30, algorithm + der(0x03, counting(33)));
    if (!extensions.empty()) put(tbs, der(0xa3, der(0x30, extensions)));
    return der(0x30, der(0x30, tbs) + algorithm + der(0x03, counting(64)));
}

}  // namespace seine::synth
