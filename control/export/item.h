// The items that an event is made of, whatever the format: one line each, and every format's table
// names them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace seine::siem {

enum class ItemType : std::uint8_t {
    text,    // bytes as they came, capped; each format escapes them
    number,  // not negative
    real,
    time,  // nanoseconds since 1970
    flag,
    list,  // texts
};

// X(name, type, meaning). Items of the flow are those of docs/records.md under the same names where
// they have one.
#define SEINE_EXPORT_ITEMS(X)                                                                   \
    X(uid, text, "unique in the installation: sensor name and sequence")                        \
    X(sequence, number, "rises by one per event of an installation, gaps after a restart")      \
    X(kind, text, "signature_alert, flow_summary, farm, account_evidence or health")            \
    X(at, time, "when it happened")                                                             \
    X(known_at, time, "when Seine knew")                                                        \
    X(severity, number, "1 info, 2 low, 3 medium, 4 high, 5 critical")                          \
    X(severity_name, text, "the same in words")                                                 \
    X(confidence, real, "0 to 1, where stated")                                                 \
    X(title, text, "what happened, in one line")                                                \
    X(message, text, "what happened, whole")                                                    \
    X(count, number, "how many an aggregate stands for; 1 otherwise")                           \
    X(sensor, text, "name of this installation")                                                \
    X(product_version, text, "version of Seine")                                                \
    X(flow_id, text, "dataplane-epoch-counter")                                                 \
    X(flow_number, number, "the flow id folded into 63 bits, for formats that want a number")   \
    X(community_id, text,                                                                       \
      "Community ID v1 with seed 0 of the untruncated addresses; left out where addresses are " \
      "truncated")                                                                              \
    X(t_first, time, "first packet")                                                            \
    X(t_last, time, "last packet so far")                                                       \
    X(duration_ns, number, "t_last less t_first")                                               \
    X(src, text, "client address")                                                              \
    X(sport, number, "client port")                                                             \
    X(dst, text, "server address")                                                              \
    X(dport, number, "server port")                                                             \
    X(proto, text, "tcp or udp")                                                                \
    X(proto_upper, text, "TCP or UDP")                                                          \
    X(proto_number, number, "6 or 17")                                                          \
    X(ip_version, number, "4 or 6")                                                             \
    X(network_type, text, "ipv4 or ipv6")                                                       \
    X(app, text, "tls, quic, dtls, http1, h2, ssh or dhcp")                                     \
    X(app_name, text, "tls, quic, dtls, http, ssh or dhcp")                                     \
    X(seen_directions, text, "both, client or server")                                          \
    X(proxied_src, text, "client address by the PROXY header")                                  \
    X(proxied_sport, number, "client port by the PROXY header")                                 \
    X(vlan, list, "VLAN ids, outermost first")                                                  \
    X(tunnel, list, "tunnels, outermost first")                                                 \
    X(sni, text, "server name of the ClientHello")                                              \
    X(alpn, list, "protocols the ClientHello offers")                                           \
    X(tls_version, text, "version the server chose: 1.2, 1.3, ..")                              \
    X(tls_version_name, text, "the same as TLS 1.3, or UNDETERMINED")                           \
    X(tls_cipher, text, "cipher suite the server chose, four hex digits")                       \
    X(ech, text, "encrypted ClientHello: none, grease_or_real or ours")                         \
    X(quic_version, text, "version of the client's first Initial, eight hex digits")            \
    X(ja4, text, "JA4")                                                                         \
    X(quic_ja4, text, "JA4, of QUIC alone")                                                     \
    X(quic_sni, text, "server name, of QUIC alone")                                             \
    X(ja4_norm, text, "JA4 without what sessions change")                                       \
    X(ja4s, text, "JA4S")                                                                       \
    X(ja3, text, "JA3")                                                                         \
    X(ja3s, text, "JA3S")                                                                       \
    X(ja4h, list, "JA4H")                                                                       \
    X(ja4x, list, "JA4X")                                                                       \
    X(ja4l_c, text, "JA4L of the client")                                                       \
    X(ja4l_s, text, "JA4L of the server")                                                       \
    X(ja4t, text, "JA4T")                                                                       \
    X(ja4ts, text, "JA4TS")                                                                     \
    X(ja4ssh, list, "JA4SSH")                                                                   \
    X(hassh, text, "HASSH of the client")                                                       \
    X(hassh_server, text, "HASSH of the server")                                                \
    X(h2_akamai, text, "HTTP/2 client fingerprint")                                             \
    X(h2_settings, text, "HTTP/2 client descriptor")                                            \
    X(hdr_order, list, "header order descriptors")                                              \
    X(syn, text, "SYN descriptor")                                                              \
    X(fingerprints, list, "every fingerprint above, for a search over all")                     \
    X(rtt_tcp_us, number, "round trip of TCP in microseconds")                                  \
    X(rtt_tls_us, number, "round trip of TLS in microseconds")                                  \
    X(rtt_gap_us, number, "rtt_tls_us less rtt_tcp_us, where the two may be compared")          \
    X(rtt_valid, flag, "the two may be compared")                                               \
    X(late_hello_us, number, "end of the TCP handshake to the first payload")                   \
    X(cert_subject, text, "subject of the first certificate in clear")                          \
    X(cert_issuer, text, "its issuer")                                                          \
    X(cert_serial, text, "its serial number in hex")                                            \
    X(ssh_client, text, "SSH banner of the client")                                             \
    X(ssh_server, text, "SSH banner of the server")                                             \
    X(http_version, text, "1.0, 1.1 or 2")                                                      \
    X(method, text, "request method")                                                           \
    X(path, text, "request path, without query")                                                \
    X(host, text, "host the request names")                                                     \
    X(user_agent, text, "User-Agent")                                                           \
    X(status, number, "status of the response")                                                 \
    X(request_bytes, number, "request body, where its head says")                               \
    X(response_bytes, number, "response body, where its head says")                             \
    X(requests, number, "clear-text requests so far")                                           \
    X(exchanges, number, "turns seen through TLS or QUIC")                                      \
    X(ttl, number, "TTL or hop limit of the client's first packet")                             \
    X(packets_c, number, "packets from the client")                                             \
    X(packets_s, number, "packets from the server")                                             \
    X(packets, number, "both")                                                                  \
    X(bytes_c, number, "payload bytes from the client")                                         \
    X(bytes_s, number, "payload bytes from the server")                                         \
    X(bytes, number, "both")                                                                    \
    X(retrans, number, "segments that brought nothing new")                                     \
    X(end_reason, text, "why the flow ended")                                                   \
    X(incomplete, list, "why something is missing")                                             \
    X(account, text, "keyed tag of the account, 32 hex digits")                                 \
    X(organisation, text, "keyed tag of its organisation")                                      \
    X(rule_id, text, "rule that matched")                                                       \
    X(rule_number, number, "the same as a number: 31 bits of its hash")                         \
    X(rule_version, number, "its version")                                                      \
    X(rule_title, text, "its title")                                                            \
    X(rule_category, text, "its class")                                                         \
    X(rule_field, text, "field it matched on")                                                  \
    X(rule_value, text, "what it matched, redacted as records are")                             \
    X(farm, text, "farm, F-<number>")                                                           \
    X(farm_event, text,                                                                         \
      "found, grown, rotated, dormant, woken, remediated, dismissed, merged or split")          \
    X(farm_state, text, "emerging, active, rotating, dormant, remediated or dismissed")         \
    X(farm_other, text, "farm it was merged into or split from")                                \
    X(accounts_before, number, "accounts before")                                               \
    X(accounts_now, number, "accounts now")                                                     \
    X(farm_reason, text, "the test and its figures")                                            \
    X(score_nats, real, "log of the odds that this is a farm")                                  \
    X(risk_score, number, "the same from 0 to 100: 100 / (1 + exp(-score))")                    \
    X(evidence, list, "sentences of the evidence, strongest first, with their nats")            \
    X(evidence_count, number, "how many lines there are")                                       \
    X(evidence_groups, list, "channel groups it rests on: net stk lnk time mix prx")            \
    X(cut_values, number, "values that were cut or left out to keep the event within its bounds")

enum class Item : std::uint8_t {
#define SEINE_X(name, type, meaning) name,
    SEINE_EXPORT_ITEMS(SEINE_X)
#undef SEINE_X
};

struct ItemInfo {
    std::string_view name;
    ItemType type{};
    std::string_view meaning;
};
inline constexpr ItemInfo kItems[] = {
#define SEINE_X(name, type, meaning) {#name, ItemType::type, meaning},
    SEINE_EXPORT_ITEMS(SEINE_X)
#undef SEINE_X
};
inline constexpr std::size_t kItemCount = sizeof kItems / sizeof kItems[0];
constexpr const ItemInfo& info(Item item) noexcept {
    return kItems[static_cast<std::size_t>(item)];
}

// Kinds of event that a row of a format's table is for.
using Kinds = std::uint8_t;
inline constexpr Kinds kAlert = 1, kFlow = 2, kFarm = 4, kEvidence = 8, kHealth = 16;
inline constexpr Kinds kAnyKind = 31;

}  // namespace seine::siem
