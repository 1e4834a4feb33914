#include "control/account/source_config.h"

#include <algorithm>
#include <vector>

#include "control/account/log_line.h"
#include "control/model/value.h"

namespace seine::account {
namespace {

using Kind = SourceConfig::Kind;
struct KindName {
    std::string_view name;
    Kind kind;
};
constexpr KindName kKinds[] = {
    {"unix", Kind::unix_records},
    {"udp", Kind::udp_records},
    {"file", Kind::file},
    {"syslog-unix", Kind::syslog_unix},
    {"syslog-udp", Kind::syslog_udp},
    {"syslog-tcp", Kind::syslog_tcp},
    {"inline", Kind::inline_http},
};

Status wrong(std::string message) { return {Code::usage, std::move(message)}; }

// Words of a line; double quotes keep blanks together, a backslash in them the next character.
Result<std::vector<std::string>> words_of(std::string_view line) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < line.size();) {
        if (line[at] == ' ' || line[at] == '\t') {
            ++at;
            continue;
        }
        std::string& word = words.emplace_back();
        bool quoted = false;
        for (; at < line.size() && (quoted || (line[at] != ' ' && line[at] != '\t')); ++at) {
            if (line[at] == '"') {
                quoted = !quoted;
            } else if (quoted && line[at] == '\\' && at + 1 < line.size()) {
                word.push_back(line[++at]);
            } else {
                word.push_back(line[at]);
            }
        }
        if (quoted) return wrong("a double quote is not closed");
    }
    return words;
}

Status set(SourceConfig& source, const std::string& key, const std::string& value) {
    std::uint64_t number = 0;
    if (key == "gateway") {
        if (!read_number(value, UINT32_MAX, number))
            return wrong("gateway is a number below 4294967296");
        source.gateway = static_cast<std::uint32_t>(number);
    } else if (key == "mode") {
        number = 0;
        for (const char c : value) {
            if (c < '0' || c > '7') return wrong("mode is octal, as in 0660");
            number = number * 8 + static_cast<std::uint64_t>(c - '0');
        }
        if (number == 0 || number > 0777) return wrong("mode is octal, as in 0660");
        source.socket_mode = static_cast<std::uint32_t>(number);
    } else if (key == "unsigned") {
        if (value != "yes" && value != "no") return wrong("unsigned is yes or no");
        source.unsigned_records = value == "yes";
    } else if (key == "from") {
        if (value != "start" && value != "end") return wrong("from is start or end (of the log)");
        source.from_start = value == "start";
    } else if (key == "time") {
        if (value != "start" && value != "end")
            return wrong("time is start or end (of the request)");
        source.format.time_is_end = value == "end";
    } else if (key == "server" && (value == "any" || value == "as-logged")) {
        source.format.server_counts = value == "as-logged";
    } else if (key == "pattern") {
        return set_pattern(source.format, value);
    } else {
        return set_field(source.format, key, value);
    }
    return {};
}

}  // namespace

std::string_view name_of(Kind kind) noexcept {
    for (const KindName& known : kKinds) {
        if (known.kind == kind) return known.name;
    }
    return {};
}

bool has_socket(Kind kind) noexcept { return kind != Kind::file && kind != Kind::inline_http; }

Result<SourceConfig> read_source(std::string_view line) {
    const auto words = words_of(line);
    if (!words) return words.error();
    return read_source(*words);
}

Result<SourceConfig> read_source(const std::vector<std::string>& words) {
    if (words.size() < 3) return wrong("an account source is: NAME KIND PLACE [key=value ..]");
    SourceConfig source;
    source.name = words[0];
    source.place = words[2];
    const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                   [&words](const KindName& k) { return k.name == words[1]; });
    if (kind == std::end(kKinds)) {
        std::string known;
        for (const KindName& k : kKinds) known += " " + std::string(k.name);
        return wrong("account source '" + source.name + "': no kind is called '" + words[1] +
                     "'; there are" + known);
    }
    source.kind = kind->kind;
    // A gateway of its own, the same at every start.
    source.gateway = static_cast<std::uint32_t>(model::value_id(source.name) | 0x80000000u);
    std::string preset = "json";
    for (const std::string& word : words) {
        if (word.starts_with("format=")) preset = word.substr(7);
    }
    auto format = log_preset(preset);
    if (!format) return wrong("account source '" + source.name + "': " + format.error().message());
    source.format = *format;
    for (std::size_t i = 3; i < words.size(); ++i) {
        const std::string& word = words[i];
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos || equals == 0) {
            return wrong("account source '" + source.name + "': expected key=value, not '" + word +
                         "'");
        }
        if (word.starts_with("format=")) continue;
        const Status taken = set(source, word.substr(0, equals), word.substr(equals + 1));
        if (!taken.ok()) return wrong("account source '" + source.name + "': " + taken.message());
    }
    return source;
}

}  // namespace seine::account
