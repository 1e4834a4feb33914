// Values as a client of an API sends them, for measuring with; their lengths matter, not what they say.
#pragma once
#include <string_view>

#include "dataplane/signature/field.h"

namespace seine::control_signature {

struct OrdinaryValue {
    signature::Field field;
    std::string_view value;
};
inline constexpr OrdinaryValue kHelloValues[] = {
    {signature::Field::tls_sni, "api.example.com"},
    {signature::Field::tls_alpn, "h2"},
    {signature::Field::tls_alpn, "http/1.1"},
    {signature::Field::tls_ja4, "t13d3112h2_e8f1e7e78f70_b26ce05bbdd6"},
    {signature::Field::tls_ja4_norm, "t13d3110h2_e8f1e7e78f70_aabbccddeeff"},
    {signature::Field::tls_ja4_o, "t13d3112h2_0a1b2c3d4e5f_112233445566"},
    {signature::Field::tls_ja3, "e7d705a3286e19ea42f587b344ee6865"},
    {signature::Field::tls_traits, "231f/001d/PEetmSa58"},
    {signature::Field::tcp_syn, "4/64/x44/M1460.S.T.N.W7/de"},
    {signature::Field::tcp_ja4t, "64240_2-4-8-1-3_1460_7"},
};
inline constexpr OrdinaryValue kRequestValues[] = {
    {signature::Field::http_method, "POST"},
    {signature::Field::http_host, "api.example.com"},
    {signature::Field::http_path, "/v1/chat/completions"},
    {signature::Field::http_version, "1.1"},
    {signature::Field::http_user_agent,
     "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
     "Safari/537.36"},
    {signature::Field::http_header_names,
     "Host,User-Agent,Accept,Accept-Encoding,Authorization,Content-Type,Content-Length"},
    {signature::Field::http_header_order, "11/host,user-agent,accept,accept-encoding/0123456789ab"},
    {signature::Field::http_ja4h, "po11nn070000_8c54617ec1e0_000000000000_000000000000"},
};
struct OrdinaryHeader {
    std::string_view name;
    std::string_view value;
};
inline constexpr OrdinaryHeader kHeaderValues[] = {{"Accept", "application/json"},
                               {"Accept-Encoding", "gzip, deflate, br"},
                               {"Accept-Language", "en-US,en;q=0.9"},
                               {"Content-Type", "application/json"},
                               {"Content-Length", "412"},
                               {"Connection", "keep-alive"}};

// Of a field that is not among them, a header's.
constexpr std::string_view ordinary_value(signature::Field field) noexcept {
    for (const OrdinaryValue& one : kHelloValues)
        if (one.field == field) return one.value;
    for (const OrdinaryValue& one : kRequestValues)
        if (one.field == field) return one.value;
    return kHeaderValues[0].value;
}

}  // namespace seine::control_signature
