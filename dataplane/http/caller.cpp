#include "dataplane/http/caller.h"

#include <algorithm>

namespace seine::http {
namespace {

constexpr std::string_view kKeyHeaders[] = {
    "authorization",  "x-api-key",       "api-key",
    "apikey",         "x-goog-api-key",  "x-auth-token",
    "x-access-token", "x-functions-key", "ocp-apim-subscription-key",
};
constexpr std::string_view kKeyParameters[] = {
    "key", "k", "apikey", "api_key", "api-key", "x-api-key", "access_token", "subscription-key"};
constexpr std::string_view kPortHeaders[] = {"x-forwarded-client-port", "x-client-port",
                                             "x-real-port"};

template <std::size_t N>
bool any_equals(const std::string_view (&names)[N], std::string_view name) noexcept {
    return std::any_of(std::begin(names), std::end(names),
                       [name](std::string_view known) { return equals_lower(name, known); });
}

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// The last element of a comma-separated list; commas inside quotes are part of it.
std::string_view last_element(std::string_view list) noexcept {
    std::size_t start = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i] == '"') quoted = !quoted;
        if (list[i] == ',' && !quoted) start = i + 1;
    }
    return trim(list.substr(start));
}

std::uint16_t port_of(std::string_view text) noexcept {
    std::uint32_t port = 0;
    if (text.empty() || text.size() > 5) return 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return 0;
        port = port * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return port > 0xffff ? std::uint16_t{0} : static_cast<std::uint16_t>(port);
}

std::string_view if_short(std::string_view text) noexcept {
    return text.size() > Caller::kTextBytesMax ? std::string_view{} : text;
}

void add_query_keys(std::string_view target, Caller& out) noexcept {
    const std::size_t mark = target.find('?');
    if (mark == std::string_view::npos) return;
    std::string_view query = target.substr(mark + 1);
    query = query.substr(0, query.find('#'));
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        const std::size_t equals = pair.find('=');
        if (equals != std::string_view::npos && equals + 1 < pair.size() &&
            any_equals(kKeyParameters, pair.substr(0, equals)) &&
            !out.keys.push(pair.substr(equals + 1))) {
            return;
        }
        query.remove_prefix(std::min(end + 1, query.size()));
    }
}

}  // namespace

bool is_key_header(std::string_view name, const SecretNames& added) noexcept {
    return any_equals(kKeyHeaders, name) || added.contains_added(name);
}

std::string_view last_forwarded(std::string_view value) noexcept {
    std::string_view element = last_element(value);
    std::string_view found;
    while (!element.empty()) {
        bool quoted = false;
        std::size_t end = 0;
        for (; end < element.size() && (quoted || element[end] != ';'); ++end) {
            if (element[end] == '"') quoted = !quoted;
        }
        const std::string_view pair = trim(element.substr(0, end));
        const std::size_t equals = pair.find('=');
        if (equals != std::string_view::npos && equals_lower(trim(pair.substr(0, equals)), "for")) {
            found = trim(pair.substr(equals + 1));
        }
        element.remove_prefix(std::min(end + 1, element.size()));
    }
    if (found.size() >= 2 && found.front() == '"' && found.back() == '"') {
        found = found.substr(1, found.size() - 2);
    }
    return found;
}

void read_caller(const Request& request, const SecretNames& added, Caller& out) noexcept {
    out = {};
    std::string_view listed;
    for (const HeaderField& header : request.headers) {
        if (is_key_header(header.name, added)) {
            // Past the bound the request has more keys than anybody needs.
            if (!out.keys.push(header.value)) continue;
        } else if (equals_lower(header.name, "forwarded")) {
            out.forwarded_for = last_forwarded(header.value);
        } else if (equals_lower(header.name, "x-forwarded-for")) {
            listed = last_element(header.value);
        } else if (equals_lower(header.name, "x-request-id")) {
            out.request_id = if_short(trim(header.value));
        } else if (any_equals(kPortHeaders, header.name)) {
            out.forwarded_port = port_of(trim(header.value));
        }
    }
    if (out.forwarded_for.empty()) out.forwarded_for = listed;
    out.forwarded_for = if_short(out.forwarded_for);
    add_query_keys(request.target, out);
}

}  // namespace seine::http
