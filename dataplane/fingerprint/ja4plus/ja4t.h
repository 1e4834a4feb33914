// JA4T and JA4TS: window, options, MSS and scale of a SYN or SYN-ACK (JA4+: see NOTICE in this folder).
#pragma once
#include "dataplane/base/bytes.h"
#include "dataplane/base/fixed_string.h"

namespace seine::fingerprint {

// 40 option bytes print at most 40 two-letter items or 20 of four letters.
inline constexpr std::size_t kJa4tBytesMax = 104;
using Ja4tText = FixedString<kJa4tBytesMax>;

// JA4T of the first SYN without ACK, JA4TS of the first SYN-ACK; the caller picks the packet (D24, D31).
// `options` are the option bytes of the header as they stand, padding included (D23); a list that breaks
// off is printed as far as it is sound. `out` is replaced.
void ja4t(std::uint16_t window, ByteView options, Ja4tText& out) noexcept;

}  // namespace seine::fingerprint
