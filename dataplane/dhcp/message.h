// DHCPv4 and DHCPv6 messages, as far as a fingerprint of the client needs them.
#pragma once
#include "dataplane/base/bytes.h"
#include "dataplane/base/fixed_vector.h"
#include "dataplane/base/status.h"

namespace seine::dhcp {

inline constexpr std::size_t kOptionsMax = 128;
inline constexpr std::uint16_t kClientPortV4 = 68;
inline constexpr std::uint16_t kServerPortV4 = 67;
inline constexpr std::uint16_t kClientPortV6 = 546;
inline constexpr std::uint16_t kServerPortV6 = 547;

enum class Family : std::uint8_t { v4, v6 };

using OptionCodes = FixedVector<std::uint16_t, kOptionsMax>;

// A plain value; nothing borrows. Option values other than those below are stepped over unread.
struct Message {
    Family family{};
    std::uint8_t type = 0;                // option 53 of DHCPv4, msg-type of DHCPv6
    bool requests_address = false;        // option 50, or 4 (IA_TA) of DHCPv6
    bool has_fqdn = false;                // option 81, or 39 of DHCPv6
    std::uint16_t max_message_bytes = 0;  // option 57 of DHCPv4; 0 when absent
    std::uint16_t client_duid_bytes = 0;  // option 1 of DHCPv6; 0 when absent
    OptionCodes options;    // wire order, repeats kept, without pad and end; of DHCPv6 the options
                            // inside IA_NA, IA_TA, IA_PD and their addresses and prefixes too
    OptionCodes requested;  // option 55, or 6 of DHCPv6
};

//   op | htype | hlen | hops | xid 4 | secs 2 | flags 2 | 4 addresses | chaddr 16
//   | sname 64 | file 128 | cookie 63 82 53 63 | code, length, value ... | 255
// ok:        an end option or the end of the bytes closes the list, and option 53 was there.
// not_this:  no DHCP: header, cookie or option 53 is missing (BOOTP has no type).
// need_more: the bytes end inside an option (a cut capture).
// malformed: options 53 or 57 of another length than theirs.
// limit:     more than kOptionsMax options or requested ones.
// RFC 2131 section 2, RFC 2132. Options that overload `file` and `sname` are not read.
Parse read_v4(ByteView datagram, Message& out) noexcept;

//   msg-type | transaction id 3 | options       or, for relays (12, 13):
//   msg-type | hops | link-address 16 | peer-address 16 | options
//   option: code 2 | length 2 | value
// ok:        the options fill the datagram. A relay's own options are listed, not those it carries.
// not_this:  fewer than four bytes, or a message type that is not assigned (1 to 37).
// need_more: the bytes end inside a header or an option (a cut capture).
// malformed: an identity association shorter than its fixed part, or options inside one that reach
//            past its end; an odd list of requested options.
// limit:     more than kOptionsMax options or requested ones.
// RFC 8415 sections 8, 9 and 21.
Parse read_v6(ByteView datagram, Message& out) noexcept;

// Whether a datagram is DHCPv4: by its cookie, whatever the ports.
[[nodiscard]] bool looks_like_v4(ByteView datagram) noexcept;
// Whether it is DHCPv6, which has no magic: ports 546 and 547, an assigned type, and options that
// fill the datagram exactly.
[[nodiscard]] bool looks_like_v6(ByteView datagram, std::uint16_t source_port,
                                 std::uint16_t target_port) noexcept;

}  // namespace seine::dhcp
