// Who a request says it comes from: API keys, the client before a proxy, the request's id.
#pragma once
#include <cstdint>
#include <string_view>

#include "dataplane/base/fixed_vector.h"
#include "dataplane/http/message.h"
#include "dataplane/http/secret_names.h"

namespace seine::http {

// Views borrow from the request. Values are as sent, but for blanks around.
struct Caller {
    static constexpr std::size_t kKeysMax = 4;
    static constexpr std::size_t kTextBytesMax = 128;
    // Values of key headers (with their scheme) and of key-like query parameters; secret.
    FixedVector<std::string_view, kKeysMax> keys;
    // The last element of Forwarded (RFC 7239, its `for`) or else X-Forwarded-For: what the nearest
    // proxy says of its own client. An address, with a port where the proxy gives it. Empty: none,
    // or longer than kTextBytesMax.
    std::string_view forwarded_for;
    // Client port by X-Forwarded-Client-Port, X-Client-Port or X-Real-Port; 0: none.
    std::uint16_t forwarded_port = 0;
    std::string_view request_id;  // X-Request-Id; empty: none, or longer than kTextBytesMax
};

// Names of headers that carry API keys: Authorization, x-api-key and their kin, and `added`.
bool is_key_header(std::string_view name, const SecretNames& added) noexcept;

void read_caller(const Request& request, const SecretNames& added, Caller& out) noexcept;

// The last `for` of a Forwarded value, quotes left out; empty when there is none.
std::string_view last_forwarded(std::string_view value) noexcept;

}  // namespace seine::http
