// The fields that rules may look at: their names, what they hold and when they are known.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace seine::signature {

// What a field's values are, and so how they are compared.
enum class FieldKind : std::uint8_t {
    text,     // bytes as sent; letters differ by case
    name,     // host names and header names: compared without regard to case
    address,  // IPv4 or IPv6; takes lists of networks
    number,   // decimal text
};

// Fields of one group become known together. A field of a group that was seen and that has no value is
// absent; of a group that was not seen nothing is known, and a rule says neither yes nor no.
enum class Group : std::uint8_t {
    flow,
    tcp_client,
    tcp_server,
    proxied,
    tls_client,
    tls_server,
    certificate,
    http,          // request line, host and agent: a gateway's log knows these too
    http_headers,  // the whole head
    http2,
    body,
    response_body,
    ssh_client,
    ssh_server,
    count_
};
std::string_view name_of(Group group) noexcept;
using Groups = std::uint32_t;
constexpr Groups bit(Group group) noexcept { return 1u << static_cast<unsigned>(group); }

// X(enumerator, name, kind, group, meaning)
#define SEINE_SIGNATURE_FIELDS(X)                                                                     \
    X(src, "src", address, flow, "client address (innermost)")                                        \
    X(dst, "dst", address, flow, "server address (innermost)")                                        \
    X(src_port, "src_port", number, flow, "client port")                                              \
    X(dst_port, "dst_port", number, flow, "server port")                                              \
    X(proto, "proto", text, flow, "tcp or udp")                                                       \
    X(tunnel, "tunnel", text, flow, "tunnels around the flow, kind:id; one value each")               \
    X(preface, "preface", text, flow, "what came before TLS or HTTP (proxy, socks5 ..); one value each") \
    X(proxied_src, "proxied_src", address, proxied, "client address by the PROXY header")             \
    X(tcp_syn, "tcp.syn", text, tcp_client, "SYN descriptor")                                         \
    X(tcp_ja4t, "tcp.ja4t", text, tcp_client, "JA4T of the SYN")                                      \
    X(tcp_ja4ts, "tcp.ja4ts", text, tcp_server, "JA4TS of the SYN-ACK")                               \
    X(tls_sni, "tls.sni", name, tls_client, "server name of the ClientHello")                         \
    X(tls_alpn, "tls.alpn", text, tls_client, "protocols the ClientHello offers; one value each")     \
    X(tls_ja4, "tls.ja4", text, tls_client, "JA4")                                                    \
    X(tls_ja4_r, "tls.ja4_r", text, tls_client, "JA4, sorted lists in full")                          \
    X(tls_ja4_o, "tls.ja4_o", text, tls_client, "JA4 over lists in wire order")                       \
    X(tls_ja4_ro, "tls.ja4_ro", text, tls_client, "lists in wire order, in full")                     \
    X(tls_ja4_norm, "tls.ja4_norm", text, tls_client,                                                 \
      "JA4 without pre_shared_key, early_data and padding: equal on a client's first and later connections") \
    X(tls_traits, "tls.traits", text, tls_client,                                                     \
      "what the client's TLS library does and does not, in letters (docs/records.md)")                \
    X(tls_ja3, "tls.ja3", text, tls_client, "JA3")                                                    \
    X(tls_ech, "tls.ech", text, tls_client, "encrypted ClientHello: none, grease_or_real, ours")      \
    X(quic_version, "quic.version", text, tls_client, "QUIC version of the first Initial, 8 hex digits") \
    X(tls_version, "tls.version", text, tls_server, "version the server chose, 4 hex digits")         \
    X(tls_ja4s, "tls.ja4s", text, tls_server, "JA4S")                                                 \
    X(tls_ja3s, "tls.ja3s", text, tls_server, "JA3S")                                                 \
    X(tls_ja4x, "tls.ja4x", text, certificate, "JA4X; one value a certificate in clear")              \
    X(cert_subject, "cert.subject", name, certificate, "subject common names")                        \
    X(cert_issuer, "cert.issuer", name, certificate, "issuer common names")                           \
    X(cert_serial, "cert.serial", text, certificate, "serial numbers, lower-case hex")                \
    X(cert_san, "cert.san", name, certificate, "names the first certificate is for; one value each")  \
    X(http_version, "http.version", text, http, "1.0, 1.1 or 2")                                      \
    X(http_method, "http.method", text, http, "method, as sent")                                      \
    X(http_path, "http.path", text, http, "path, ends before `?`")                                    \
    X(http_host, "http.host", name, http, "host the request names")                                   \
    X(http_user_agent, "http.user_agent", text, http, "User-Agent, as sent")                          \
    X(http_header_names, "http.header_names", text, http_headers, "header names in wire order as sent, joined by `,`") \
    X(http_header_order, "http.header_order", text, http_headers, "header order descriptor (Seine's own)")    \
    X(http_ja4h, "http.ja4h", text, http_headers, "JA4H")                                                     \
    X(http_header, "http.header", text, http_headers, "value of a header: http.header.NAME, lower case")      \
    X(http2_settings, "http2.settings", text, http2, "HTTP/2 client descriptor (Seine's own)")        \
    X(http2_akamai, "http2.akamai", text, http2, "SETTINGS|WINDOW_UPDATE|PRIORITY|order")             \
    X(http_body, "http.body", text, body, "first 4096 bytes of a clear-text request body")            \
    X(http_response_body, "http.response_body", text, response_body, "first 4096 bytes of a clear-text response body") \
    X(ssh_client, "ssh.client", text, ssh_client, "SSH banner of the client")                         \
    X(ssh_server, "ssh.server", text, ssh_server, "SSH banner of the server")                         \
    X(ssh_hassh, "ssh.hassh", text, ssh_client, "HASSH of the client")                                \
    X(ssh_hassh_server, "ssh.hassh_server", text, ssh_server, "HASSH of the server")

enum class Field : std::uint8_t {
#define SEINE_X(id, name, kind, group, meaning) id,
    SEINE_SIGNATURE_FIELDS(SEINE_X)
#undef SEINE_X
        count_
};
inline constexpr std::size_t kFieldCount = static_cast<std::size_t>(Field::count_);

struct FieldInfo {
    std::string_view name;
    FieldKind kind{};
    Group group{};
    std::string_view meaning;
};
const FieldInfo& info(Field field) noexcept;

// A field, and of http.header which one.
struct FieldRef {
    Field field{};
    std::string header;  // lower case; of http.header alone
    friend bool operator==(const FieldRef&, const FieldRef&) = default;
};

// False when there is no such field.
bool find_field(std::string_view name, FieldRef& out);
std::string name_of(const FieldRef& ref);
// The name nearest to a misspelt one; empty when none is near.
std::string nearest_field(std::string_view wrong);

inline constexpr std::size_t kBodyBytesMax = 4096;  // of a body that rules see
inline constexpr std::size_t kHeaderNameBytesMax = 64;

// Bodies: an alert says where in them a rule hit, and repeats nothing of them.
constexpr bool is_body(Field field) noexcept {
    return field == Field::http_body || field == Field::http_response_body;
}

}  // namespace seine::signature
