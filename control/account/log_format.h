// How a gateway writes its log lines: which field says what.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::account {

// What a line can say. X(name, meaning)
#define SEINE_LOG_PROPERTIES(X)                                                                \
    X(time, "when: seconds, ms, us or ns since 1970, ISO 8601, or 28/Nov/2026:01:02:03 +0000") \
    X(duration, "how long the request took: seconds with a point, else ms")                    \
    X(conn_age, "how long the connection had been open at that time, likewise")                \
    X(client, "client address, perhaps with its port behind a colon")                          \
    X(client_port, "client port")                                                              \
    X(server, "address that the client connected to, perhaps with its port")                   \
    X(server_port, "its port")                                                                 \
    X(protocol, "HTTP/3 or h3 means QUIC; HTTP/2 or h2; anything else is over TCP")            \
    X(account, "name of the account")                                                          \
    X(org, "name of its organisation")                                                         \
    X(key, "API key, as in Authorization or x-api-key")                                        \
    X(uri, "request target; a key-like query parameter is taken where no key is given")        \
    X(unique_id, "unique id of the PROXY v2 header")                                           \
    X(request_id, "id of the request, where an inline source sees it too")                     \
    X(status, "status of the answer")                                                          \
    X(endpoint, "number of the endpoint")                                                      \
    X(model, "number of the model")                                                            \
    X(tier, "number of the tier")                                                              \
    X(user_agent, "User-Agent of the request; for rules that meet it with the TLS of its flow") \
    X(method, "method of the request; likewise")                                               \
    X(host, "host that the request names; likewise")

enum class LogProperty : std::uint8_t {
#define SEINE_X(name, meaning) name,
    SEINE_LOG_PROPERTIES(SEINE_X)
#undef SEINE_X
        count_
};
inline constexpr std::size_t kLogProperties = static_cast<std::size_t>(LogProperty::count_);
std::string_view name_of(LogProperty property) noexcept;
std::string_view meaning_of(LogProperty property) noexcept;

// A preset, or a preset changed by `pattern` and by field names.
struct LogFormat {
    enum class Kind : std::uint8_t { json, pattern };
    // Text and fields in turn: `literal` comes before the field. The last piece may have no field.
    struct Piece {
        std::string literal;
        std::string field;
        bool operator==(const Piece&) const = default;
    };
    Kind kind = Kind::json;
    // Field names that a property is read from; the first with a value counts.
    std::array<std::vector<std::string>, kLogProperties> fields;
    std::vector<Piece> pieces;  // of a pattern
    bool time_is_end = true;    // the line is written when the request ends
    bool server_counts = true;  // the server's address is the one that the dataplane sees
    bool operator==(const LogFormat&) const = default;
};

// "nginx", "haproxy", "envoy", "caddy", "json" (fields named as the properties are).
Result<LogFormat> log_preset(std::string_view name);
std::string_view log_preset_names() noexcept;

// "$remote_addr $remote_port [$msec] \"$request\"": text as it stands, fields by $name or ${name},
// $$ for a dollar. Fields are separated by text, or where one ends could not be told.
Status set_pattern(LogFormat& format, std::string_view pattern);

// "client" or "key" and so on, and "field" or "field|other".
Status set_field(LogFormat& format, std::string_view property, std::string_view fields);

}  // namespace seine::account
