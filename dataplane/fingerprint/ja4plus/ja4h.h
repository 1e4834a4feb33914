// JA4H: one fingerprint per HTTP request (fingerprints.md "JA4H", D9 to D13).
#pragma once
#include "dataplane/base/fixed_string.h"
#include "dataplane/http/message.h"

namespace seine::crypto {
class Digester;
}

namespace seine::fingerprint {

inline constexpr std::size_t kJa4hBytesMax = 64;  // 12 + 3 * (1 + 12) and room for odd versions
inline constexpr std::size_t kJa4hRawBytesMax = 4096;

// Works for HTTP/1.x and HTTP/2 requests alike; pseudo-headers, Cookie and Referer stay out of
// count and list. The hashes always cover everything the request holds; only the raw forms are cut
// at their cap (out.truncated()). At most kJa4hCookiesMax cookies are sorted; a request with more
// gives false.
inline constexpr std::size_t kJa4hCookiesMax = 256;

// False: no fingerprint (a method of less than two letters, or too many cookies); `out` is empty.
bool ja4h(const http::Request& request, crypto::Digester& digester,
          FixedString<kJa4hBytesMax>& out) noexcept;

// The forms that hold values in clear, for replay only. `_r` sorts cookies, `_ro` keeps the wire
// order.
enum class CookieOrder : std::uint8_t { sorted, wire };
bool ja4h_raw(const http::Request& request, CookieOrder order,
              FixedString<kJa4hRawBytesMax>& out) noexcept;

}  // namespace seine::fingerprint
