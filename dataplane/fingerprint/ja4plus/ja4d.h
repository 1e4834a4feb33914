// JA4D and JA4D6: the shape of one DHCP message (fingerprints.md "JA4D / JA4D6").
#pragma once
#include "dataplane/base/fixed_string.h"
#include "dataplane/dhcp/message.h"

namespace seine::fingerprint {

// Two lists of kOptionsMax five-digit codes and what stands around them.
inline constexpr std::size_t kJa4dBytesMax = 13 + 2 * 6 * dhcp::kOptionsMax;

//   type 5 | size 4 | i or n | d or n | _ options | _ requested options
// size: the largest message the client takes, or the length of the client's DUID for DHCPv6; 9999
// at most. A type without a name prints as five digits, an empty list as 00.
void ja4d(const dhcp::Message& message, FixedString<kJa4dBytesMax>& out) noexcept;

}  // namespace seine::fingerprint
