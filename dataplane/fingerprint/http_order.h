// Seine's own descriptor of a request's header order, free of any licence: `hdr_order`.
#pragma once
#include "dataplane/base/fixed_string.h"
#include "dataplane/http/message.h"

namespace seine::crypto {
class Digester;
}

namespace seine::fingerprint {

inline constexpr std::size_t kHdrOrderBytesMax = 24;

//   11bt09_1f0c5a77b3e2
//   || || `- first 12 hex digits of SHA-256 over the names in lower case, wire order, joined with
//   `,`
//   || |`--- number of those names, two digits, capped at 99
//   || `---- letter case of the names as sent: `l` lower, `t` Title-Case, `m` anything else
//   |`------ `b` the method sends a body (POST, PUT, PATCH), `n` any other
//   `------- version digits: 10, 11, 20
// Left out, since they come and go with a client's state and not with its software: pseudo-headers,
// Cookie, Referer, the conditional fields (If-*), Range and If-Range. No name left: twelve zeros.
void hdr_order(const http::Request& request, crypto::Digester& digester,
               FixedString<kHdrOrderBytesMax>& out) noexcept;

}  // namespace seine::fingerprint
