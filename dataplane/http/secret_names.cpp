// The built-in lists of secret-bearing names.
#include "dataplane/http/secret_names.h"

#include "dataplane/http/header_list.h"

namespace seine::http {
namespace {

constexpr std::string_view kHeaders[] = {
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "set-cookie2",
    "x-api-key",
    "api-key",
    "apikey",
    "x-goog-api-key",
    "x-auth-token",
    "x-access-token",
    "x-amz-security-token",
    "ocp-apim-subscription-key",
    "x-csrf-token",
    "authentication-info",
    "x-session-token",
    "x-functions-key",
    "x-xsrf-token",
};
constexpr std::string_view kQueryNames[] = {
    "key",
    "k",
    "apikey",
    "api_key",
    "api-key",
    "access_token",
    "token",
    "auth",
    "auth_token",
    "authtoken",
    "id_token",
    "secret",
    "client_secret",
    "password",
    "passwd",
    "pwd",
    "pass",
    "sig",
    "signature",
    "code",
    "session",
    "sessionid",
    "session_id",
    "refresh_token",
    "subscription-key",
    "x-amz-signature",
    "x-amz-security-token",
    "x-amz-credential",
    "x-api-key",
    "jwt",
};

template <std::size_t N>
bool any_equals(const std::string_view (&names)[N], std::string_view name) noexcept {
    for (const std::string_view known : names)
        if (equals_lower(name, known)) return true;
    return false;
}

}  // namespace

bool is_secret_header(std::string_view name) noexcept { return any_equals(kHeaders, name); }

bool is_secret_query_name(std::string_view name) noexcept { return any_equals(kQueryNames, name); }

bool SecretNames::add(std::string_view name) noexcept {
    if (name.empty() || name.size() > kNameBytesMax) return false;
    FixedString<kNameBytesMax> lower;
    for (const char c : name) lower.push(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
    return added_.push(lower);
}

bool SecretNames::contains(std::string_view header_name) const noexcept {
    return is_secret_header(header_name) || contains_added(header_name);
}

bool SecretNames::contains_added(std::string_view header_name) const noexcept {
    for (const auto& name : added_)
        if (equals_lower(header_name, name.view())) return true;
    return false;
}

}  // namespace seine::http
