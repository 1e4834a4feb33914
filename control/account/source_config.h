// One account source as the operator writes it.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/account/log_format.h"
#include "dataplane/base/status.h"

namespace seine::account {

// One line a source: NAME KIND PLACE [key=value ..]; a value with blanks stands in double quotes.
//
//   edge     file        /var/log/nginx/seine.log  format=nginx gateway=7
//   gw       unix        /run/seine/account.sock   mode=0660
//   gw2      udp         127.0.0.1:4711
//   slog     syslog-udp  127.0.0.1:5514            format=haproxy gateway=8
//   appl     inline      -                         gateway=9
//
// kinds: unix, udp (account records, binary or JSON lines); file; syslog-unix, syslog-udp,
// syslog-tcp; inline (requests in clear that the dataplane sees behind the terminator). Keys:
// gateway (its number; the records of unix and udp bring their own), format (a preset), pattern,
// PROPERTY=FIELD|FIELD.. (log_format.h), time (start or end: when the line's time was), server
// (as-logged or any: whether the server address is the one the dataplane sees), mode (of a unix
// socket), from (end or start: where a log is begun that was never read before), unsigned (yes:
// records without a MAC are taken over UDP too).
struct SourceConfig {
    enum class Kind : std::uint8_t {
        unix_records,
        udp_records,
        file,
        syslog_unix,
        syslog_udp,
        syslog_tcp,
        inline_http
    };
    std::string name;
    Kind kind{};
    std::string place;
    std::uint32_t gateway = 0;
    std::uint32_t socket_mode = 0660;
    bool unsigned_records = false;
    bool from_start = false;  // a log that is there at the very first start is read whole
    LogFormat format;
    bool operator==(const SourceConfig&) const = default;
};

// usage: what is wrong and what to write.
Result<SourceConfig> read_source(std::string_view line);
// The same of a line that is in words already.
Result<SourceConfig> read_source(const std::vector<std::string>& words);
// Listens at its place, where one socket can be.
bool has_socket(SourceConfig::Kind kind) noexcept;
std::string_view name_of(SourceConfig::Kind kind) noexcept;

}  // namespace seine::account
