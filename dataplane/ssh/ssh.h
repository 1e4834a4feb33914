// SSH in clear: the version exchange and the first KEXINIT of each side (RFC 4253 sections 4.2,
// 6, 7.1).
#pragma once
#include <string_view>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"

namespace seine::ssh {

inline constexpr std::size_t kBannerBytesMax = 255;    // one line (RFC 4253 section 4.2)
inline constexpr std::size_t kLinesBeforeMax = 32;     // a server's lines before its banner
inline constexpr std::size_t kPacketBytesMax = 35000;  // RFC 4253 section 6.1

// ok: the bytes begin with `SSH-`. need_more: with a part of it. not_this: neither. A server that
// sends lines first is not recognised by this; its client is.
Parse looks_like_ssh(ByteView bytes) noexcept;

struct Banner {
    std::string_view text;      // `SSH-2.0-OpenSSH_9.2p1 Debian-2`, line end off
    std::string_view protocol;  // `2.0`
    std::string_view software;  // `OpenSSH_9.2p1`
    std::size_t consumed = 0;   // bytes up to the end of the banner line, lines before it included
    // Protocol 2.0 or 1.99: KEXINIT follows. SSH 1.x sends another key exchange, which is not read.
    bool has_kexinit = false;
};
// ok, need_more; not_this: the first line is not text or no banner comes within kLinesBeforeMax
// lines; malformed: the banner has no second dash or holds a NUL; limit: a line longer than
// allowed.
Parse parse_banner(ByteView bytes, Banner& out) noexcept;

//  | packet_length (4) | padding_length (1) | payload | padding |
struct Packet {
    ByteView payload;  // begins with the message number
    std::size_t consumed = 0;
};
// One packet before keys are in use. ok; need_more; malformed: padding longer than the packet or
// less than four bytes; limit: longer than kPacketBytesMax, which is what ciphertext looks like.
Parse parse_packet(ByteView bytes, Packet& out) noexcept;

// Name lists as sent, comma joined.
struct KexInit {
    std::string_view kex;
    std::string_view host_key;
    std::string_view encryption_c2s;
    std::string_view encryption_s2c;
    std::string_view mac_c2s;
    std::string_view mac_s2c;
    std::string_view compression_c2s;
    std::string_view compression_s2c;
    std::string_view languages_c2s;
    std::string_view languages_s2c;
    bool first_kex_follows = false;
};
// ok; not_this: another message; malformed: a list runs past the payload or holds bytes that are
// not printable. `payload` is whole, so need_more is never given.
Parse parse_kexinit(ByteView payload, KexInit& out) noexcept;

// One direction from its first byte to its KEXINIT.
class Direction {
  public:
    enum class Event : std::uint8_t { none, banner, kexinit };
    // Drop `consume` bytes, handle the event, call again while ok. After kexinit (or a banner
    // without one, or a 1.99 banner whose connection goes on in SSH 1) done() is true and nothing
    // needs to be shown any more.
    struct Step {
        Parse parse = Parse::need_more;
        Event event = Event::none;
        std::size_t consume = 0;
    };
    Step feed(ByteView bytes, Banner& banner, KexInit& kexinit) noexcept;
    [[nodiscard]] bool done() const noexcept { return at_ == At::done; }

  private:
    static constexpr std::uint8_t kPacketsBeforeMax = 8;  // SSH_MSG_IGNORE and DEBUG before KEXINIT
    enum class At : std::uint8_t { banner, packets, done };
    Step broken(Parse parse, ByteView bytes) noexcept;
    At at_ = At::banner;
    bool either_ = false;  // the banner said 1.99
    std::uint8_t packets_ = 0;
};

}  // namespace seine::ssh
