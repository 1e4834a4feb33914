// The field table: one line per field; layout, codec, JSON and docs/records.md all follow from it.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace seine::contract {

// The version that a writer of this table puts into every frame. A field is only ever appended,
// with the next number and the version that brings it; numbers, names and types never change.
inline constexpr std::uint16_t kContractVersion = 1;

// What a field holds. Those before `text` have a place in the fixed part of a frame; the rest are
// typed strings behind it and may repeat (one string an item, numbers may share one).
enum class FieldType : std::uint8_t {
    u8,
    u16,
    u32,
    u64,
    i64,
    boolean,
    choice,  // u8, printed by the name that choice_name() gives
    hex16,   // u16, printed as 4 hex digits (a code point of a registry)
    hex32,   // u32, printed as 8 hex digits
    ip,      // 16 bytes; an IPv4 address is v4-mapped (::ffff:a.b.c.d)
    text,    // any bytes
    text_list,
    u16_list,
    hex64_list,     // keyed hashes, printed as 16 hex digits
    exchange_list,  // u32 start in ms, u32 request bytes, u32 response bytes; printed [[a,b,c],..]
};
constexpr bool is_fixed(FieldType type) noexcept { return type < FieldType::text; }

// What one flat object per flow keeps when the records of a flow are folded.
enum class Fold : std::uint8_t {
    first,     // the first record that has it; of a list, all items of that record
    last,      // the last record that has it (totals, times)
    append,    // lists: the items of all records in order
    distinct,  // lists: as append, each item once
};

// X(number, name, type, unit, fold, since, meaning). The name is also the JSON key.
#define SEINE_RECORD_FIELDS(X)                                                                   \
    X(1, t_first_ns, i64, "ns since 1970", first, 1, "first packet of the flow")                 \
    X(2, t_last_ns, i64, "ns since 1970", last, 1,                                               \
      "last packet of the flow so far; in a request record the head's")                          \
    X(3, src, ip, "", first, 1, "client address (innermost)")                                    \
    X(4, sport, u16, "", first, 1, "client port")                                                \
    X(5, dst, ip, "", first, 1, "server address (innermost)")                                    \
    X(6, dport, u16, "", first, 1, "server port")                                                \
    X(7, proto, choice, "", first, 1, "transport protocol")                                      \
    X(8, app, choice, "", last, 1, "what the flow carries, by its bytes")                        \
    X(9, seen, choice, "", last, 1, "directions of which packets were captured")                 \
    X(10, sni, text, "", first, 1, "server name of the ClientHello, as sent")                    \
    X(11, alpn, text_list, "", first, 1, "protocols the ClientHello offers, as sent")            \
    X(12, ja4, text, "", first, 1, "JA4 of the first ClientHello")                               \
    X(13, ja4_r, text, "", first, 1, "JA4, lists sorted but not hashed")                         \
    X(14, ja4_o, text, "", first, 1, "JA4 over lists in wire order")                             \
    X(15, ja4_ro, text, "", first, 1, "lists in wire order, not hashed")                         \
    X(16, ja4_norm, text, "", first, 1, "JA4 without pre_shared_key, early_data and padding")    \
    X(17, ja4_later, text_list, "", append, 1, "JA4 of ClientHellos after a retry request")      \
    X(18, ja4s, text, "", first, 1, "JA4S of the first ServerHello")                             \
    X(19, ja4s_r, text, "", first, 1, "JA4S, extensions not hashed")                             \
    X(20, ja3, text, "", first, 1, "JA3 of the first ClientHello")                               \
    X(21, ja3s, text, "", first, 1, "JA3S of the first ServerHello")                             \
    X(22, ja4h, text_list, "", append, 1, "JA4H, one a request")                                 \
    X(23, ja4h_r, text_list, "", append, 1,                                                      \
      "JA4H not hashed, with cookie values (seine-replay --raw alone)")                          \
    X(24, ja4h_ro, text_list, "", append, 1,                                                     \
      "ja4h_r with cookies in wire order (seine-replay --raw alone)")                            \
    X(25, ja4x, text_list, "", append, 1, "JA4X, one a certificate")                             \
    X(26, ja4l_c, text, "", first, 1, "JA4L of the client: microseconds_TTL")                    \
    X(27, ja4l_s, text, "", first, 1, "JA4L of the server: microseconds_TTL")                    \
    X(28, ja4t, text, "", first, 1, "JA4T of the first SYN")                                     \
    X(29, ja4ts, text, "", first, 1, "JA4TS of the first SYN-ACK")                               \
    X(30, ja4ssh, text_list, "", append, 1, "JA4SSH, one a full window of 200 packets")          \
    X(31, ja4ssh_final, text, "", last, 1, "JA4SSH of the last, partial window")                 \
    X(32, ja4d, text_list, "", append, 1, "JA4D or JA4D6, one a DHCP message")                   \
    X(33, hassh, text, "", first, 1, "HASSH of the SSH client")                                  \
    X(34, hassh_server, text, "", first, 1, "HASSH of the SSH server")                           \
    X(35, h2_akamai, text, "", first, 1,                                                         \
      "HTTP/2 client fingerprint: SETTINGS|WINDOW_UPDATE|PRIORITY|order")                        \
    X(36, h2_settings, text, "", first, 1, "HTTP/2 client descriptor (Seine's own)")             \
    X(37, hdr_order, text_list, "", append, 1,                                                   \
      "header order descriptor, one a request (Seine's own)")                                    \
    X(38, syn, text, "", first, 1, "SYN descriptor (Seine's own)")                               \
    X(39, tls_version, hex16, "", first, 1, "version the server chose")                          \
    X(40, tls_cipher, hex16, "", first, 1, "cipher suite the server chose")                      \
    X(41, tls_alert, u8, "", first, 1,                                                           \
      "description of the first TLS alert in clear (RFC 8446 section 6)")                        \
    X(42, ech, choice, "", first, 1, "encrypted ClientHello")                                    \
    X(43, quic_version, hex32, "", first, 1, "version of the client's first Initial")            \
    X(44, session_presented, hex64_list, "", distinct, 1,                                        \
      "keyed hashes of tickets, PSK identities and QUIC tokens the client showed")               \
    X(45, session_issued, hex64_list, "", distinct, 1,                                           \
      "keyed hashes of tickets the server gave in clear")                                        \
    X(46, rtt_tcp_us, u32, "us", first, 1, "SYN-ACK to the client's ACK, at this place")         \
    X(47, rtt_tls_us, u32, "us", first, 1,                                                       \
      "last byte of the server's first flight to the client's next")                             \
    X(48, rtt_valid, boolean, "", first, 1, "the two may be compared (detection.md 3.1)")        \
    X(49, rtt_causes, text_list, "", first, 1, "why they may not")                               \
    X(50, late_hello_us, u32, "us", first, 1,                                                    \
      "end of the TCP handshake to the client's first payload")                                  \
    X(51, proxied_src, ip, "", first, 1, "client address by the PROXY header")                   \
    X(52, proxied_sport, u16, "", first, 1, "client port by the PROXY header")                   \
    X(53, proxied_dst, ip, "", first, 1, "server address by the PROXY header")                   \
    X(54, proxied_dport, u16, "", first, 1, "server port by the PROXY header")                   \
    X(55, proxied_unique_id, text, "", first, 1, "unique id of the PROXY v2 header (TLV 0x05)")  \
    X(56, preface, text_list, "", distinct, 1,                                                   \
      "what came before TLS or HTTP: proxy, socks5, smtp, ..")                                   \
    X(57, vlan, u16_list, "", first, 1, "VLAN ids, outermost first")                             \
    X(58, tunnel, text_list, "", first, 1, "tunnels, outermost first: kind:id")                  \
    X(59, outer_src, ip, "", first, 1,                                                           \
      "source of the outermost address pair, of a tunnelled flow")                               \
    X(60, outer_dst, ip, "", first, 1,                                                           \
      "target of the outermost address pair, of a tunnelled flow")                               \
    X(61, cert_subject, text_list, "", append, 1, "subject, one a certificate in clear")         \
    X(62, cert_issuer, text_list, "", append, 1, "issuer, one a certificate")                    \
    X(63, cert_serial, text_list, "", append, 1, "serial number in hex, one a certificate")      \
    X(64, cert_san, text_list, "", append, 1, "names the first certificate is for")              \
    X(65, ssh_client, text, "", first, 1, "SSH banner of the client")                            \
    X(66, ssh_server, text, "", first, 1, "SSH banner of the server")                            \
    X(67, request_no, u32, "", last, 1, "ordinal of the request on its connection, from 0")      \
    X(68, stream_no, u32, "", first, 1, "HTTP/2 stream of the request")                          \
    X(69, http_version, text, "", first, 1, "1.0, 1.1 or 2")                                     \
    X(70, method, text, "", first, 1, "request method, as sent")                                 \
    X(71, path, text, "", first, 1, "request path, ends before `?`")                             \
    X(72, host, text, "", first, 1, "host the request names, without user information")          \
    X(73, user_agent, text, "", first, 1, "User-Agent, as sent")                                 \
    X(74, header_names, text_list, "", first, 1,                                                 \
      "header names of the request in wire order, as sent")                                      \
    X(75, status, u16, "", first, 1, "status of the response")                                   \
    X(76, request_head_bytes, u32, "bytes", first, 1, "size of the request head")                \
    X(77, request_body_bytes, u64, "bytes", first, 1,                                            \
      "size of the request body, where the head gives it")                                       \
    X(78, response_head_bytes, u32, "bytes", first, 1, "size of the response head")              \
    X(79, response_body_bytes, u64, "bytes", first, 1,                                           \
      "size of the response body, where the head gives it")                                      \
    X(80, requests, u32, "", last, 1, "clear-text request heads so far")                         \
    X(81, exchanges, exchange_list, "ms, bytes, bytes", append, 1,                               \
      "turns seen through TLS or QUIC: start after t_first, request and response bytes")         \
    X(82, ttl_c, u8, "", first, 1, "TTL or hop limit of the client's first packet")              \
    X(83, ttl_s, u8, "", first, 1, "TTL or hop limit of the server's first packet")              \
    X(84, packets_c, u64, "packets", last, 1, "from the client")                                 \
    X(85, packets_s, u64, "packets", last, 1, "from the server")                                 \
    X(86, payload_c, u64, "bytes", last, 1, "TCP or UDP payload from the client")                \
    X(87, payload_s, u64, "bytes", last, 1, "TCP or UDP payload from the server")                \
    X(88, retrans, u32, "segments", last, 1, "segments that brought nothing new")                \
    X(89, conflicts, u32, "segments", last, 1,                                                   \
      "segments whose bytes differ from those received first")                                   \
    X(90, end_reason, choice, "", last, 1, "why the flow ended")                                 \
    X(91, incomplete, text_list, "", distinct, 1, "why a value that one would expect is absent") \
    X(92, worker, u16, "", last, 1, "worker that saw the flow (not in the flat object)")         \
    X(93, ip_version, u8, "", first, 1, "4 or 6, of the innermost header")                       \
    X(94, tls_traits, text, "", first, 1,                                                        \
      "what the client's TLS library does and does not (Seine's own)")                           \
    X(95, api_keys, hex64_list, "", distinct, 1,                                                 \
      "keyed hashes of the API keys that a request in clear shows, without their scheme")        \
    X(96, forwarded_for, text, "", first, 1,                                                     \
      "client of the nearest proxy by Forwarded or X-Forwarded-For, as sent")                    \
    X(97, forwarded_port, u16, "", first, 1, "client port by the nearest proxy's header")        \
    X(98, request_id, text, "", first, 1, "X-Request-Id of the request")                         \
    X(99, rules, text_list, "", distinct, 1,                                                     \
      "ids of the rules that hit; of a finding the one it is about")                             \
    X(100, rule_version, u32, "", first, 1, \
      "finding: version of the rule")                                                            \
    X(101, rule_generation, u64, "", first, 1, \
      "finding: generation of the rule set that hit")                                            \
    X(102, rule_title, text, "", first, 1, \
      "finding: title of the rule")                                                              \
    X(103, rule_class, text, "", first, 1, \
      "finding: class of the rule")                                                              \
    X(104, severity, choice, "", first, 1, \
      "finding: how grave")                                                                      \
    X(105, confidence, u8, "percent", first, 1, \
      "finding: how sure a hit is what the title says")                                          \
    X(106, rule_field, text_list, "", first, 1, \
      "finding: fields that hit")                                                                \
    X(107, rule_value, text_list, "", first, 1, \
      "finding: their values, capped; secrets as redacted:hash, bodies as offset+length")        \
    X(108, rule_swallowed, u64, "hits", first, 1, \
      "finding: hits of this rule that its limits swallowed since its last finding")             \
    X(109, source_swallowed, u64, "hits", first, 1, \
      "finding: of them, hits of this source")

enum class Field : std::uint16_t {
#define SEINE_X(number, name, type, unit, fold, since, meaning) name = number,
    SEINE_RECORD_FIELDS(SEINE_X)
#undef SEINE_X
};

struct FieldInfo {
    std::uint16_t number = 0;
    std::string_view name;
    FieldType type{};
    std::string_view unit;
    Fold fold{};
    std::uint16_t since = 0;
    std::string_view meaning;
};
inline constexpr FieldInfo kFields[] = {
#define SEINE_X(number, name, type, unit, fold, since, meaning) \
    {number, #name, FieldType::type, unit, Fold::fold, since, meaning},
    SEINE_RECORD_FIELDS(SEINE_X)
#undef SEINE_X
};
inline constexpr std::size_t kFieldCount = sizeof kFields / sizeof kFields[0];
constexpr const FieldInfo& info(Field field) noexcept {
    return kFields[static_cast<std::size_t>(field) - 1];
}

// The kinds of record (docs/records.md). A finding goes to the ring that flows cannot fill.
enum class Kind : std::uint8_t { open = 1, request = 2, update = 3, close = 4, finding = 5 };
// "open", ..; empty for a number that is no kind.
std::string_view name_of(Kind kind) noexcept;
// As in the table above: "u8", "text_list"; "first", "append".
std::string_view name_of(FieldType type) noexcept;
std::string_view name_of(Fold fold) noexcept;

// Values of the choice fields. Zero is never written: a value that is not known is absent.
enum class Proto : std::uint8_t { tcp = 6, udp = 17 };
enum class App : std::uint8_t { tls = 1, quic = 2, dtls = 3, http1 = 4, h2 = 5, ssh = 6, dhcp = 7 };
enum class Seen : std::uint8_t { both = 1, client = 2, server = 3 };
enum class Ech : std::uint8_t { none = 1, grease_or_real = 2, ours = 3 };
enum class Severity : std::uint8_t { info = 1, low = 2, medium = 3, high = 4, critical = 5 };
enum class EndReason : std::uint8_t {
    fin = 1,
    rst = 2,
    reused = 3,
    idle = 4,
    half_open = 5,
    end = 6,
    evicted = 7
};

// Name of a choice field's value; empty when the number has none (a newer writer).
std::string_view choice_name(Field field, std::uint64_t value) noexcept;

// Bytes of one value in the fixed part, or of one item of a list of numbers; 0 for texts.
constexpr std::size_t value_bytes(FieldType type) noexcept {
    switch (type) {
        case FieldType::u8:
        case FieldType::boolean:
        case FieldType::choice:
            return 1;
        case FieldType::u16:
        case FieldType::hex16:
        case FieldType::u16_list:
            return 2;
        case FieldType::u32:
        case FieldType::hex32:
            return 4;
        case FieldType::u64:
        case FieldType::i64:
        case FieldType::hex64_list:
            return 8;
        case FieldType::ip:
            return 16;
        case FieldType::exchange_list:
            return 12;
        case FieldType::text:
        case FieldType::text_list:
            return 0;
    }
    return 0;
}

// Where a field of the fixed part lies: its offset after the frame header and its bit in the
// presence map (its place among the fixed fields). Both follow from table order alone, so an
// appended field moves none.
struct Slot {
    static constexpr std::uint16_t kNone = 0xffff;
    std::uint16_t offset = kNone;
    std::uint16_t bit = kNone;
};
struct FixedLayout {
    std::array<Slot, kFieldCount> slots{};
    std::size_t field_count = 0;
    std::size_t bytes = 0;
};
constexpr FixedLayout make_fixed_layout() noexcept {
    FixedLayout layout;
    for (std::size_t i = 0; i < kFieldCount; ++i) {
        if (!is_fixed(kFields[i].type)) continue;
        layout.slots[i] = {static_cast<std::uint16_t>(layout.bytes),
                           static_cast<std::uint16_t>(layout.field_count++)};
        layout.bytes += value_bytes(kFields[i].type);
    }
    return layout;
}
inline constexpr FixedLayout kFixedLayout = make_fixed_layout();
constexpr Slot slot(Field field) noexcept {
    return kFixedLayout.slots[static_cast<std::size_t>(field) - 1];
}

constexpr bool numbers_are_positions() noexcept {
    for (std::size_t i = 0; i < kFieldCount; ++i) {
        if (kFields[i].number != i + 1 || kFields[i].since == 0 ||
            kFields[i].since > kContractVersion)
            return false;
    }
    return true;
}
static_assert(numbers_are_positions(), "fields are numbered 1, 2, 3.. and only ever appended");
static_assert(kFixedLayout.field_count <= 128, "the presence map of a frame has 128 bits");

}  // namespace seine::contract
