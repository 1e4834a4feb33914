// HTTP/2 client fingerprint `S|W|P|H` and Seine's own descriptor of the same opening.
#pragma once
#include "dataplane/base/fixed_string.h"
#include "dataplane/http/h2_connection.h"

namespace seine::fingerprint {

inline constexpr std::size_t kH2ClientBytesMax = 1536;
inline constexpr std::size_t kH2SettingsBytesMax = 768;

// fingerprints.md "HTTP/2 client fingerprint": `1:65536;4:131072|12517377|0|m,p,a,s`. `first` is
// the request of the client's first HEADERS. False: the opening was cut or not seen whole; `out` is
// empty.
bool h2_client(const http::H2Opening& opening, const http::Request& first,
               FixedString<kH2ClientBytesMax>& out) noexcept;

// Seine's own `h2_settings`: `1=65536,4=131072/12517377/mpas/0`: settings in wire order, the
// connection window's increment (0: none), first letters of the pseudo-headers, number of PRIORITY
// frames. Same failures.
bool h2_settings(const http::H2Opening& opening, const http::Request& first,
                 FixedString<kH2SettingsBytesMax>& out) noexcept;

}  // namespace seine::fingerprint
