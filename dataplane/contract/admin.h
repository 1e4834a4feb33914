// What an operator's program may say to the dataplane's admin socket, and what comes back.
//
//   0  u32 magic     "SADM"
//   4  u16 version   1
//   6  u8  kind
//   7  u8  flags     bit 0: more parts of this answer follow
//   8  u32 length    whole message
//  12  u32 sequence  chosen by the asker, repeated in every part of the answer
//  16  body
//
// One message is one packet of a SOCK_SEQPACKET unix socket, at most kAdminMessageBytesMax long. A
// document that is longer comes in parts. Little endian.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"

namespace seine::contract {

inline constexpr std::uint32_t kAdminMagic = 0x4d444153;
inline constexpr std::uint16_t kAdminVersion = 1;
inline constexpr std::size_t kAdminHeaderBytes = 16;
inline constexpr std::size_t kAdminMessageBytesMax = 64 * 1024;
inline constexpr std::size_t kAdminBodyBytesMax = kAdminMessageBytesMax - kAdminHeaderBytes;
inline constexpr std::size_t kAdminDocumentBytesMax = std::size_t{4} << 20;
inline constexpr std::size_t kAdminPathBytesMax = 4096;
inline constexpr std::uint8_t kAdminMore = 1;

enum class AdminKind : std::uint8_t {
    // Requests.
    stats = 1,    // no body; answered by `document`
    stop = 2,     // no body; answered by `done`, then the dataplane drains and ends
    reload = 3,   // body: ReloadRequest; another rule set from the next burst on
    verdict = 4,  // reserved, answered by `refused`
    confirm = 5,   // body: u64 generation; the set stays, though its time to be confirmed runs
    rollback = 6,  // no body; back to the last set that was confirmed
    rules = 7,     // no body; answered by `document`: every rule of the set in use with its counters
    ask = 16,     // body: a question to control (control/command/request.h)
    // Answers.
    document = 64,  // one JSON document (docs/stats.md), in parts if need be
    done = 65,      // no body
    refused = 66,   // body: one line of text that says why
    failure = 67,   // body: u8 code (base/status.h), then one line of text; of control
};

struct AdminMessage {
    AdminKind kind{};
    bool more = false;
    std::uint32_t sequence = 0;
    ByteView body;  // borrows
};

// Bytes written to `out`; 0 when it is too small or the body too long.
std::size_t encode_admin(std::span<std::uint8_t> out, const AdminMessage& message) noexcept;

// ok:        `out` is set and borrows from `packet`.
// need_more: shorter than its header or its length says.
// not_this:  another magic.
// malformed: a length that the packet contradicts, unknown flags, a body where the kind has none.
// limit:     longer than kAdminMessageBytesMax, or another version.
// A kind that is not known decodes as it is: the server refuses it by name.
Parse decode_admin(ByteView packet, AdminMessage& out) noexcept;

// `body` as packets that are sent in order: one, or as many parts as it needs. Allocates.
[[nodiscard]] std::vector<std::vector<std::uint8_t>> admin_packets(AdminKind kind, std::uint32_t sequence,
                                                                   std::string_view body);

// Body of AdminKind::reload: u64 generation, u32 seconds, then the path of the rule blob. A set that is not
// confirmed within that time gives way to the one before; 0: it stays at once.
struct ReloadRequest {
    std::uint64_t generation = 0;
    std::string_view path;  // borrows
    std::uint32_t confirm_seconds = 0;
};
std::size_t encode_reload(std::span<std::uint8_t> out, const ReloadRequest& request) noexcept;
// need_more: no generation; malformed: no path, or one with a zero byte; limit: past
// kAdminPathBytesMax.
Parse decode_reload(ByteView body, ReloadRequest& out) noexcept;

}  // namespace seine::contract
