#include "control/account/log_format.h"

#include <algorithm>

namespace seine::account {
namespace {

struct Property {
    std::string_view name;
    std::string_view meaning;
};
constexpr Property kProperties[] = {
#define SEINE_X(name, meaning) {#name, meaning},
    SEINE_LOG_PROPERTIES(SEINE_X)
#undef SEINE_X
};
static_assert(std::size(kProperties) == kLogProperties);

struct PresetField {
    LogProperty property;
    std::string_view fields;
};
using P = LogProperty;

// tools/gateway/nginx writes these; names that other common formats use stand beside them.
constexpr PresetField kNginx[] = {
    {P::time, "msec|time_iso8601|time_local"},
    {P::duration, "request_time"},
    {P::conn_age, "connection_time"},
    {P::client, "realip_remote_addr|remote_addr"},
    {P::client_port, "realip_remote_port|remote_port"},
    {P::server, "server_addr"},
    {P::server_port, "server_port"},
    {P::protocol, "server_protocol|http|http3"},
    {P::account, "account"},
    {P::org, "org"},
    {P::key, "authorization|http_authorization|x_api_key|http_x_api_key|key"},
    {P::uri, "request_uri|uri|request"},
    {P::unique_id, "unique_id|proxy_protocol_tlv_unique_id"},
    {P::request_id, "request_id"},
    {P::status, "status"},
    {P::user_agent, "user_agent|http_user_agent"},
    {P::method, "method|request_method"},
    {P::host, "host|http_host"},
};
// tools/gateway/haproxy writes these.
constexpr PresetField kHaproxy[] = {
    {P::time, "time_ms"},
    {P::duration, "duration_ms"},
    {P::conn_age, "conn_age_ms"},
    {P::client, "client"},
    {P::client_port, "client_port"},
    {P::server, "frontend"},
    {P::server_port, "frontend_port"},
    {P::protocol, "http"},
    {P::account, "account"},
    {P::org, "org"},
    {P::key, "authorization|x_api_key|key"},
    {P::uri, "uri"},
    {P::unique_id, "unique_id"},
    {P::request_id, "request_id"},
    {P::status, "status"},
    {P::user_agent, "user_agent"},
    {P::method, "method"},
    {P::host, "host"},
};
// Envoy's json_format with its command operators under their own names, lower case.
constexpr PresetField kEnvoy[] = {
    {P::time, "start_time"},
    {P::client, "downstream_direct_remote_address|downstream_remote_address"},
    {P::server, "downstream_local_address"},
    {P::protocol, "protocol"},
    {P::account, "account|dynamic_metadata.account"},
    {P::org, "org"},
    {P::key, "authorization|x_api_key|req.authorization|req.x-api-key"},
    {P::uri, "path|req.path"},
    {P::request_id, "request_id|x_request_id|req.x-request-id"},
    {P::status, "response_code"},
    {P::user_agent, "user_agent|req.user-agent"},
    {P::method, "method|req.method"},
    {P::host, "authority|req.authority|host"},
};
// Caddy's own access log (log_credentials lets it write the headers of keys).
constexpr PresetField kCaddy[] = {
    {P::time, "ts|msec"},
    {P::duration, "duration"},
    {P::client, "request.remote_ip|remote_addr"},
    {P::client_port, "request.remote_port|remote_port"},
    {P::protocol, "request.proto|http"},
    {P::account, "user_id|account"},
    {P::org, "org"},
    {P::key, "request.headers.Authorization.0|request.headers.X-Api-Key.0|authorization|x_api_key"},
    {P::uri, "request.uri|uri"},
    {P::request_id, "request.headers.X-Request-Id.0|request_id"},
    {P::status, "status"},
    {P::user_agent, "request.headers.User-Agent.0|user_agent"},
    {P::method, "request.method|method"},
    {P::host, "request.host|host"},
};

template <std::size_t N>
LogFormat of(const PresetField (&fields)[N]) {
    LogFormat format;
    for (const PresetField& field : fields) {
        static_cast<void>(set_field(format, name_of(field.property), field.fields));
    }
    return format;
}

bool is_name(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

std::string_view name_of(LogProperty property) noexcept {
    return kProperties[static_cast<std::size_t>(property)].name;
}
std::string_view meaning_of(LogProperty property) noexcept {
    return kProperties[static_cast<std::size_t>(property)].meaning;
}
std::string_view log_preset_names() noexcept { return "nginx haproxy envoy caddy json"; }

Result<LogFormat> log_preset(std::string_view name) {
    if (name == "nginx") return of(kNginx);
    if (name == "haproxy") return of(kHaproxy);
    if (name == "caddy") return of(kCaddy);
    if (name == "envoy") {
        LogFormat format = of(kEnvoy);
        format.time_is_end = false;
        return format;
    }
    if (name == "json") {
        LogFormat format;
        for (std::size_t i = 0; i < kLogProperties; ++i) {
            format.fields[i] = {std::string(kProperties[i].name)};
        }
        return format;
    }
    return Status(Code::usage, "no log format is called '" + std::string(name) + "'; there are " +
                                   std::string(log_preset_names()));
}

Status set_pattern(LogFormat& format, std::string_view pattern) {
    std::vector<LogFormat::Piece> pieces(1);
    for (std::size_t at = 0; at < pattern.size();) {
        if (pattern[at] != '$') {
            pieces.back().literal.push_back(pattern[at++]);
            continue;
        }
        if (pattern.substr(at, 2) == "$$") {
            pieces.back().literal.push_back('$');
            at += 2;
            continue;
        }
        const bool braced = at + 1 < pattern.size() && pattern[at + 1] == '{';
        std::size_t end = at + (braced ? 2 : 1);
        const std::size_t first = end;
        while (end < pattern.size() && is_name(pattern[end])) ++end;
        if (end == first || (braced && (end == pattern.size() || pattern[end] != '}'))) {
            return Status(Code::usage, "pattern, column " + std::to_string(at + 1) +
                                           ": a field is $name or ${name}; $$ is a dollar");
        }
        if (pieces.size() > 1 && pieces.back().literal.empty()) {
            return Status(Code::usage,
                          "pattern, column " + std::to_string(at + 1) +
                              ": two fields without text between them cannot be told apart");
        }
        pieces.back().field = pattern.substr(first, end - first);
        pieces.emplace_back();
        at = end + (braced ? 1 : 0);
    }
    if (pieces.size() < 2) return Status(Code::usage, "the pattern names no field");
    format.kind = LogFormat::Kind::pattern;
    format.pieces = std::move(pieces);
    return {};
}

Status set_field(LogFormat& format, std::string_view property, std::string_view fields) {
    for (std::size_t i = 0; i < kLogProperties; ++i) {
        if (kProperties[i].name != property) continue;
        format.fields[i].clear();
        while (!fields.empty()) {
            const std::size_t end = std::min(fields.find('|'), fields.size());
            if (end > 0) format.fields[i].emplace_back(fields.substr(0, end));
            fields.remove_prefix(std::min(end + 1, fields.size()));
        }
        return {};
    }
    std::string known;
    for (const Property& name : kProperties) known += (known.empty() ? "" : " ") + std::string(name.name);
    return Status(Code::usage,
                  "a log line has no property '" + std::string(property) + "'; there are " + known);
}

}  // namespace seine::account
