// One table of clients and the hellos they send.
#include "tools/generate/mix_clients.h"

#include <algorithm>
#include <array>

#include "tools/synth/hello_builder.h"

namespace seine::generate {
namespace {

using synth::Bytes;
using synth::operator+;

constexpr std::uint16_t kX25519 = 29, kP256 = 23, kP384 = 24, kP521 = 25, kX448 = 30;

// Extension numbers by name where a body is written for them.
constexpr std::uint16_t kServerName = 0, kStatusRequest = 5, kGroups = 10, kPointFormats = 11, kSignatures = 13,
                        kAlpn = 16, kPadding = 21, kCompressCertificate = 27, kRecordSizeLimit = 28,
                        kDelegated = 34, kTicket = 35, kVersions = 43, kPskModes = 45, kKeyShare = 51,
                        kQuicParameters = 57, kApplicationSettings = 0x44cd, kEch = 0xfe0d, kRenegotiation = 0xff01;

const std::vector<ClientProfile>& table() {
    static const std::vector<ClientProfile> kTable = {
        {.name = "chrome-pq", .tcp_weight = 34, .quic_weight = 60,
         .ciphers = {kGrease, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
                     0x9c, 0x9d, 0x2f, 0x35},
         .groups = {kGrease, kMlkem, kX25519, kP256, kP384}, .shares = {kGrease, kMlkem, kX25519},
         .versions = {kGrease, 0x304, 0x303},
         .signatures = {0x403, 0x804, 0x401, 0x503, 0x805, 0x501, 0x806, 0x601},
         .extensions = {0, 23, 0xff01, 10, 11, 35, 16, 5, 13, 18, 51, 45, 43, 27, 0x44cd, 0xfe0d},
         .alpn = {"h2", "http/1.1"}, .shuffles = true, .greases = true, .tickets = true},
        {.name = "firefox-pq", .tcp_weight = 8, .quic_weight = 25,
         .ciphers = {0x1301, 0x1303, 0x1302, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc02c, 0xc030, 0xc00a, 0xc009, 0xc013,
                     0xc014, 0x9c, 0x9d, 0x2f, 0x35},
         .groups = {kMlkem, kX25519, kP256, kP384, kP521, 256, 257}, .shares = {kMlkem, kX25519, kP256},
         .versions = {0x304, 0x303},
         .signatures = {0x403, 0x503, 0x603, 0x804, 0x805, 0x806, 0x401, 0x501, 0x601, 0x203, 0x201},
         .extensions = {0, 23, 0xff01, 10, 11, 35, 16, 5, 34, 18, 51, 43, 13, 45, 28, 27, 0xfe0d},
         .alpn = {"h2", "http/1.1"}, .tickets = true},
        {.name = "python-openssl", .tcp_weight = 22,
         .ciphers = {0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc024, 0xc028, 0xc023,
                     0xc027, 0x9f, 0x9e, 0x6b, 0x67, 0xff},
         .groups = {kX25519, kP256, kX448, kP521, kP384, 256, 257, 258, 259, 260}, .shares = {kX25519},
         .versions = {0x304, 0x303},
         .signatures = {0x403, 0x503, 0x603, 0x807, 0x808, 0x809, 0x80a, 0x80b, 0x804, 0x805, 0x806, 0x401, 0x501,
                        0x601, 0x303, 0x301, 0x302, 0x402, 0x502, 0x602},
         .extensions = {0, 11, 10, 35, 16, 22, 23, 13, 43, 45, 51}, .alpn = {"http/1.1"}},
        {.name = "node-undici", .tcp_weight = 12,
         .ciphers = {0x1302, 0x1303, 0x1301, 0xc02f, 0xc02b, 0xc030, 0xc02c, 0x9e, 0xc027, 0x67, 0xc028, 0x6b, 0xa3,
                     0x9f, 0xcca9, 0xcca8, 0xccaa, 0xc0af, 0xc0ad, 0xff},
         .groups = {kX25519, kP256, kX448, kP521, kP384}, .shares = {kX25519}, .versions = {0x304, 0x303},
         .signatures = {0x403, 0x503, 0x603, 0x807, 0x808, 0x804, 0x805, 0x806, 0x401, 0x501, 0x601},
         .extensions = {0xff01, 0, 11, 10, 35, 16, 22, 23, 13, 43, 45, 51}, .alpn = {"http/1.1"}},
        {.name = "go-http", .tcp_weight = 10, .quic_weight = 15,
         .ciphers = {0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a, 0xc014, 0x1301, 0x1302,
                     0x1303},
         .groups = {kMlkem, kX25519, kP256, kP384, kP521}, .shares = {kMlkem, kX25519}, .versions = {0x304, 0x303},
         .signatures = {0x804, 0x403, 0x807, 0x805, 0x806, 0x401, 0x501, 0x601, 0x503, 0x603},
         .extensions = {0, 5, 10, 11, 13, 0xff01, 18, 16, 43, 51}, .alpn = {"h2", "http/1.1"}},
        {.name = "curl-openssl", .tcp_weight = 8, .quic_weight = 15,
         .ciphers = {0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0x9f, 0xcca9, 0xcca8, 0xccaa, 0xc02b, 0xc02f, 0x9e, 0xc024,
                     0xc028, 0x6b, 0xff},
         .groups = {kX25519, kP256, kX448, kP521, kP384}, .shares = {kX25519}, .versions = {0x304, 0x303},
         .signatures = {0x403, 0x503, 0x603, 0x807, 0x808, 0x804, 0x805, 0x806, 0x401, 0x501, 0x601},
         .extensions = {0, 11, 10, 16, 22, 23, 49, 13, 43, 45, 51}, .alpn = {"h2", "http/1.1"}, .pad_bytes = 512},
        {.name = "java-tls12", .tcp_weight = 6,
         .ciphers = {0xc02c, 0xc02b, 0xc030, 0x9d, 0xc02f, 0x9c, 0xc024, 0xc028, 0x3d, 0xc00a, 0xc014, 0x35, 0xff},
         .groups = {kP256, kP384, kP521}, .signatures = {0x403, 0x503, 0x603, 0x401, 0x501, 0x601},
         .extensions = {0, 5, 10, 11, 13, 23}, .tls12 = true},
    };
    return kTable;
}

constexpr std::array<std::string_view, 10> kHosts = {
    "api.frontier.example",         "chat.frontier.example",  "console.frontier.example", "auth.frontier.example",
    "cdn.frontier.example",         "eu.api.frontier.example", "us-east.api.frontier.example",
    "files.frontier.example",       "batch.api.frontier.example", "status.frontier.example"};

std::uint16_t reserved(MixRandom& random) { return static_cast<std::uint16_t>(0x0a0a + 0x1010 * random.below(16)); }

std::vector<std::uint16_t> drawn(const std::vector<std::uint16_t>& values, std::uint16_t instead) {
    std::vector<std::uint16_t> out = values;
    for (std::uint16_t& value : out)
        if (value == kGrease) value = instead;
    return out;
}

std::size_t share_bytes(std::uint16_t group) {
    switch (group) {
        case kMlkem: return 1216;
        case kP256: return 65;
        case kP384: return 97;
        default: return 32;
    }
}

Bytes big16(std::size_t value) {
    return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}
Bytes counted16(const Bytes& bytes) { return big16(bytes.size()) + bytes; }

Bytes shares_body(MixRandom& random, const std::vector<std::uint16_t>& groups, std::uint16_t grease) {
    Bytes list;
    for (const std::uint16_t group : groups) {
        const bool is_grease = group == kGrease;
        list = list + big16(is_grease ? grease : group) +
               counted16(is_grease ? Bytes{0} : random.bytes(share_bytes(group)));
    }
    return counted16(list);
}

Bytes ech_body(MixRandom& random) {
    constexpr std::array<std::size_t, 3> kSizes = {144, 176, 208};
    Bytes out = {0, 0, 1, 0, 1};
    return out + random.bytes(1) + counted16(random.bytes(32)) +
           counted16(random.bytes(kSizes[random.below(kSizes.size())]));
}

// Values of one hello that several extensions share.
struct Drawn {
    std::uint16_t first_grease;
    std::uint16_t second_grease;
    bool quic;
};

bool left_out(std::uint16_t type, const ClientProfile& profile, bool quic) {
    if (type == kAlpn && !quic) return profile.alpn.empty();
    return quic && (type == kRenegotiation || type == kTicket || type == 23 || type == 22 || type == kPointFormats);
}

synth::ExtensionBytes extension(MixRandom& random, std::uint16_t type, const ClientProfile& profile,
                                std::string_view host, const Drawn& drawn_values) {
    const bool quic = drawn_values.quic;
    switch (type) {
        case kServerName: return synth::server_name(host);
        case kGroups: return synth::u16_list(type, drawn(profile.groups, drawn_values.second_grease));
        case kPointFormats: return synth::bare(type, {1, 0});
        case kSignatures: return synth::u16_list(type, profile.signatures);
        case kDelegated:
            return synth::u16_list(type, {profile.signatures.begin(), profile.signatures.begin() + 4});
        case kAlpn:
            return quic ? synth::alpn({"h3"}) : synth::alpn(profile.alpn);
        case kVersions: {
            auto versions = drawn(profile.versions, drawn_values.first_grease);
            if (quic) std::erase(versions, std::uint16_t{0x303});
            return synth::supported_versions(versions);
        }
        case kKeyShare: return synth::bare(type, shares_body(random, profile.shares, drawn_values.second_grease));
        case kPskModes: return synth::bare(type, {1, 1});
        case kStatusRequest: return synth::bare(type, {1, 0, 0, 0, 0});
        case kCompressCertificate: return synth::bare(type, {2, 0, 2});
        case kRecordSizeLimit: return synth::bare(type, {0x40, 1});
        case kTicket:
            return synth::bare(type, profile.tickets && random.chance(0.3) ? random.bytes(176) : Bytes{});
        case kRenegotiation: return synth::bare(type, {0});
        case kApplicationSettings: return synth::bare(type, {0, 3, 2, 'h', static_cast<std::uint8_t>(quic ? '3' : '2')});
        case kEch: return synth::bare(type, ech_body(random));
        default: return synth::bare(type);
    }
}

Bytes quic_parameters() {
    return {4, 4, 0x80, 0xf0, 0, 0, 8, 2, 0x40, 0x64, 1, 4, 0x80, 0, 0x75, 0x30, 15, 0, 3, 2, 0x45, 0xc0};
}

// synth writes a hello whose random counts up; the mix wants another one each.
Bytes with_random(MixRandom& random, Bytes body) {
    random.fill(std::span(body).subspan(2, 32));
    return body;
}

}  // namespace

std::span<const ClientProfile> client_profiles() { return table(); }
std::span<const std::string_view> mix_hosts() { return kHosts; }

Bytes mix_client_hello(MixRandom& random, const ClientProfile& profile, std::string_view host, bool quic) {
    Drawn values{reserved(random), reserved(random), quic};
    while (values.second_grease == values.first_grease) values.second_grease = reserved(random);
    synth::HelloOptions hello;
    const bool no_session = quic || (profile.tls12 && random.chance(0.5));
    if (!no_session) hello.session_id = random.bytes(32);
    hello.ciphers = drawn(profile.ciphers, values.first_grease);
    if (quic) {
        std::erase_if(hello.ciphers, [&](std::uint16_t cipher) {
            return cipher >> 8 != 0x13 && cipher != values.first_grease;
        });
    }
    for (const std::uint16_t type : profile.extensions)
        if (!left_out(type, profile, quic))
            hello.extensions.push_back(extension(random, type, profile, host, values));
    if (quic) hello.extensions.push_back(synth::bare(kQuicParameters, quic_parameters()));
    if (profile.shuffles)
        for (std::size_t i = hello.extensions.size(); i > 1; --i)
            std::swap(hello.extensions[i - 1], hello.extensions[random.below(i)]);
    if (profile.greases) {
        hello.extensions.insert(hello.extensions.begin(), synth::bare(values.first_grease));
        hello.extensions.push_back(synth::bare(values.second_grease, {0}));
    }
    Bytes body = synth::client_hello(hello);
    if (!quic && body.size() + 8 < profile.pad_bytes) {
        hello.extensions.push_back(synth::bare(kPadding, Bytes(profile.pad_bytes - body.size() - 8)));
        body = synth::client_hello(hello);
    }
    return synth::handshake(1, with_random(random, std::move(body)));
}

Bytes mix_server_hello(MixRandom& random, bool tls12) {
    synth::ServerOptions hello;
    hello.session_id = random.bytes(32);
    hello.cipher = tls12 ? 0xc02f : 0x1301;
    if (tls12) {
        hello.extensions = {synth::bare(kRenegotiation, {0}), synth::bare(kPointFormats, {3, 0, 1, 2})};
    } else {
        hello.extensions = {synth::bare(kVersions, {3, 4}),
                            synth::bare(kKeyShare, big16(kX25519) + counted16(random.bytes(32)))};
    }
    return synth::handshake(2, with_random(random, synth::server_hello(hello)));
}

Bytes mix_server_flight(MixRandom& random, bool tls12) {
    constexpr std::array<std::size_t, 3> kSizes = {2300, 3100, 4200};
    const Bytes hello = synth::tls_record(22, mix_server_hello(random, tls12), 0x0303);
    if (!tls12)
        return hello + synth::tls_record(20, {1}, 0x0303) +
               synth::tls_record(23, random.bytes(kSizes[random.below(kSizes.size())]), 0x0303);
    const auto certificate = [&](std::string_view subject) {
        synth::CertificateOptions options;
        options.serial = random.bytes(16);
        options.serial[0] = 0x11;
        options.issuer = {{{0x55, 0x04, 0x03}, "Example Edge CA"}};
        options.subject = {{{0x55, 0x04, 0x03}, subject}};
        options.dns_names = {kHosts.begin(), kHosts.end()};
        return synth::certificate(options);
    };
    const Bytes chain = synth::certificate_list({certificate("api.frontier.example"), certificate("Example Edge CA")});
    const Bytes exchange = Bytes{3, 0, 23, 65} + random.bytes(65) + Bytes{4, 1} + counted16(random.bytes(256));
    return hello + synth::tls_record(22, synth::handshake(11, chain), 0x0303) +
           synth::tls_record(22, synth::handshake(12, exchange), 0x0303) +
           synth::tls_record(22, synth::handshake(14, {}), 0x0303);
}

}  // namespace seine::generate
