// Account record v1: what a gateway tells about one request, 160 bytes, little endian, packed in
// table order.
#pragma once
#include <array>
#include <span>
#include <string_view>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"

namespace seine::contract {

// X(name, bytes, meaning)
#define SEINE_ACCOUNT_FIELDS(X)                                                                   \
    X(magic, 2, "0x4153, on the wire `SA`")                                                       \
    X(version, 1, "1")                                                                            \
    X(flags, 2,                                                                                   \
      "1 ipv6, 2 resumed, 4 h2, 8 h3, 16 signup, 32 key_created, 64 declared_intermediary; the "  \
      "rest 0")                                                                                   \
    X(gateway_id, 4, "which gateway")                                                             \
    X(seq, 4, "counts up by one a record; a new boot_epoch begins anew")                          \
    X(t_req_us, 8, "start of the request, us since 1970 by the gateway's clock")                  \
    X(t_conn_us, 8, "start of the connection, likewise; 0: not known")                            \
    X(client_ip, 16, "client as the gateway saw it; IPv4 v4-mapped (::ffff:a.b.c.d)")             \
    X(client_port, 2, "")                                                                         \
    X(server_ip, 16, "address the client connected to")                                           \
    X(server_port, 2, "")                                                                         \
    X(proto, 1, "6 TCP, 17 UDP, 0 where there was no connection")                                 \
    X(stream_no, 4, "HTTP/2 or HTTP/3 stream, else 0")                                            \
    X(account_tag, 16, "keyed tag of the account")                                                \
    X(org_tag, 16, "keyed tag of the organisation; in a rekey the old account tag; 0: not known") \
    X(boot_epoch, 2, "changes at each start of the gateway")                                      \
    X(type, 1, "0 request, 1 rekey, 2 closed, 3 directory")                                       \
    X(mac_key_id, 1, "which key made the mac")                                                    \
    X(reserved, 4, "0")                                                                           \
    X(key_tag, 8, "keyed tag of the API key; 0: not known")                                       \
    X(tag_epoch, 2, "epoch of the tag keys")                                                      \
    X(endpoint_id, 2, "the gateway's own number of the endpoint")                                 \
    X(model_id, 2, "the gateway's own number of the model")                                       \
    X(status_class, 1, "2, 3, 4 or 5 of the answer; 0: none")                                     \
    X(limit_flag, 1, "1: the request met a limit")                                                \
    X(tok_in_b, 1, "log2 of the tokens in, rounded down; 255: not known")                         \
    X(tok_out_b, 1, "log2 of the tokens out, likewise")                                           \
    X(tier, 1, "the gateway's own number of the tier")                                            \
    X(trust, 1, "0 to 255, higher is more trusted")                                               \
    X(first_seen_day, 4, "day of the sign-up since 1970; 0: not known")                           \
    X(session_hint, 8, "keyed hash that also stands in the flow's session evidence; 0: none")     \
    X(platform_id, 2, "platform the client claims, the gateway's own number")                     \
    X(header_desc, 8, "keyed hash of the header order; 0: none")                                  \
    X(mac, 8, "SipHash-2-4 of all bytes before it, under the key mac_key_id")

inline constexpr std::size_t kAccountRecordBytes = 160;
inline constexpr std::size_t kAccountRecordsPerDatagramMax = 8;
inline constexpr std::uint16_t kAccountMagic = 0x4153;
inline constexpr std::uint8_t kAccountVersion = 1;
inline constexpr std::size_t kAccountMacAt = kAccountRecordBytes - 8;

struct AccountFieldInfo {
    std::string_view name;
    std::size_t bytes = 0;
    std::string_view meaning;
};
inline constexpr AccountFieldInfo kAccountFields[] = {
#define SEINE_X(name, bytes, meaning) {#name, bytes, meaning},
    SEINE_ACCOUNT_FIELDS(SEINE_X)
#undef SEINE_X
};
constexpr std::size_t account_bytes_before(std::size_t field) noexcept {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < field; ++i) bytes += kAccountFields[i].bytes;
    return bytes;
}
static_assert(account_bytes_before(std::size(kAccountFields)) == kAccountRecordBytes);

enum class AccountType : std::uint8_t { request = 0, rekey = 1, closed = 2, directory = 3 };

// Bits of `flags`.
struct AccountFlags {
    static constexpr std::uint16_t ipv6 = 1, resumed = 2, h2 = 4, h3 = 8, signup = 16,
                                   key_created = 32, declared_intermediary = 64;
    static constexpr std::uint16_t all = 127;
};

struct AccountRecord {
    std::uint16_t flags = 0;
    std::uint32_t gateway_id = 0;
    std::uint32_t seq = 0;
    std::uint64_t t_req_us = 0;
    std::uint64_t t_conn_us = 0;
    std::array<std::uint8_t, 16> client_ip{};
    std::uint16_t client_port = 0;
    std::array<std::uint8_t, 16> server_ip{};
    std::uint16_t server_port = 0;
    std::uint8_t proto = 0;
    std::uint32_t stream_no = 0;
    std::array<std::uint8_t, 16> account_tag{};
    std::array<std::uint8_t, 16> org_tag{};
    std::uint16_t boot_epoch = 0;
    AccountType type = AccountType::request;
    std::uint8_t mac_key_id = 0;
    std::uint64_t key_tag = 0;
    std::uint16_t tag_epoch = 0;
    std::uint16_t endpoint_id = 0;
    std::uint16_t model_id = 0;
    std::uint8_t status_class = 0;
    std::uint8_t limit_flag = 0;
    std::uint8_t tok_in_b = 255;
    std::uint8_t tok_out_b = 255;
    std::uint8_t tier = 0;
    std::uint8_t trust = 0;
    std::uint32_t first_seen_day = 0;
    std::uint64_t session_hint = 0;
    std::uint16_t platform_id = 0;
    std::uint64_t header_desc = 0;
    std::uint64_t mac = 0;
    friend bool operator==(const AccountRecord&, const AccountRecord&) = default;
};

// Lays down all but the mac, which the caller computes over account_mac_bytes() and sets.
void encode_account(std::span<std::uint8_t, kAccountRecordBytes> out,
                    const AccountRecord& record) noexcept;
void set_account_mac(std::span<std::uint8_t, kAccountRecordBytes> record,
                     std::uint64_t mac) noexcept;
// The bytes that the mac covers.
inline ByteView account_mac_bytes(
    std::span<const std::uint8_t, kAccountRecordBytes> record) noexcept {
    return record.first<kAccountMacAt>();
}

// Reads one record; whether its mac is right is the caller's to check (SipHash lives in crypto, the
// keys in control), before anything in it is believed. need_more: fewer than 160 bytes. not_this:
// another magic. limit: another version. malformed: an unknown type, flag or protocol, reserved
// bytes that are not 0.
Parse decode_account(ByteView bytes, AccountRecord& out) noexcept;

// Number of records in a datagram.
// need_more: its end cuts a record, or it is empty. limit: more than 8.
Parse count_accounts(ByteView datagram, std::size_t& count) noexcept;

// Replay rule of one (gateway_id, boot_epoch): a sequence is taken once, and only while it is less
// than 65,536 behind the highest. About 8 KiB.
class SequenceWindow {
  public:
    static constexpr std::uint32_t kWindow = 65536;
    enum class Answer : std::uint8_t { fresh, duplicate, too_old };
    // Takes `seq` when it is fresh. Sequences wrap; a jump ahead of up to 2^31 is a jump ahead, and
    // what it steps over stays open for late comers inside the window.
    Answer take(std::uint32_t seq) noexcept;
    // Sequences that left the window without having come.
    [[nodiscard]] std::uint64_t missed() const noexcept { return missed_; }

  private:
    [[nodiscard]] bool marked(std::uint32_t seq) const noexcept {
        return ((bits_[seq % kWindow / 64] >> (seq % 64)) & 1) != 0;
    }
    std::array<std::uint64_t, kWindow / 64> bits_{};
    std::uint32_t highest_ = 0;
    std::uint32_t span_ = 0;  // sequences in the window so far, at most kWindow
    std::uint64_t missed_ = 0;
    bool begun_ = false;
};

}  // namespace seine::contract
