// Which header and query names carry secrets, so that their values never reach a record.
#pragma once
#include <string_view>

#include "dataplane/base/fixed_string.h"
#include "dataplane/base/fixed_vector.h"

namespace seine::http {

// Authorization, Proxy-Authorization, Cookie, Set-Cookie, x-api-key and their common kin, matched
// without case. Built in; SecretNames adds what a deployment configures.
bool is_secret_header(std::string_view name) noexcept;
// Key-like names of query parameters: key, api_key, access_token, signature and kin.
bool is_secret_query_name(std::string_view name) noexcept;

// The built-in names and up to kAddedMax more. Filled at start, read on the packet path.
class SecretNames {
  public:
    static constexpr std::size_t kAddedMax = 64;
    static constexpr std::size_t kNameBytesMax = 64;
    // False when the list is full or the name empty or too long.
    [[nodiscard]] bool add(std::string_view name) noexcept;
    [[nodiscard]] bool contains(std::string_view header_name) const noexcept;
    // Of those that were added alone.
    [[nodiscard]] bool contains_added(std::string_view header_name) const noexcept;
    [[nodiscard]] std::size_t added_count() const noexcept { return added_.size(); }

  private:
    FixedVector<FixedString<kNameBytesMax>, kAddedMax> added_;  // lower case
};

}  // namespace seine::http
