#include "control/signature/suricata_rule.h"

namespace seine::control_signature {
namespace {

constexpr std::size_t kLineBytesMax = std::size_t{64} << 10;
constexpr std::size_t kOptionsMax = 512;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
        text.remove_suffix(1);
    return text;
}

// The next word; a list in brackets is one, whatever blanks are in it.
std::string next_word(std::string_view& rest) {
    rest = trimmed(rest);
    std::size_t depth = 0;
    std::size_t end = 0;
    while (end < rest.size() && (depth > 0 || (rest[end] != ' ' && rest[end] != '\t'))) {
        if (rest[end] == '[') ++depth;
        if (rest[end] == ']' && depth > 0) --depth;
        ++end;
    }
    std::string out(rest.substr(0, end));
    rest.remove_prefix(end);
    return out;
}

// Up to the `;` that ends an option; false when there is none.
bool next_option(std::string_view& rest, std::string_view& out) {
    bool quoted = false;
    for (std::size_t i = 0; i < rest.size(); ++i) {
        if (rest[i] == '\\') {
            ++i;
        } else if (rest[i] == '"') {
            quoted = !quoted;
        } else if (rest[i] == ';' && !quoted) {
            out = trimmed(rest.substr(0, i));
            rest.remove_prefix(i + 1);
            return true;
        }
    }
    return false;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool append_hex(std::string_view text, std::string& out) {
    int high = -1;
    for (const char c : text) {
        if (c == ' ') continue;
        const int value = hex_value(c);
        if (value < 0) return false;
        if (high < 0) {
            high = value;
        } else {
            out.push_back(static_cast<char>(high * 16 + value));
            high = -1;
        }
    }
    return high < 0;
}

}  // namespace

Result<SuricataRule> parse_suricata(std::string_view line) {
    if (line.size() > kLineBytesMax)
        return failed("a line of more than " + std::to_string(kLineBytesMax) + " bytes");
    SuricataRule out;
    std::string_view rest = trimmed(line);
    for (std::string* word : {&out.action, &out.protocol, &out.source, &out.source_port,
                              &out.direction, &out.target, &out.target_port}) {
        *word = next_word(rest);
        if (word->empty()) return failed("the line ends before its options");
    }
    rest = trimmed(rest);
    if (rest.empty() || rest.front() != '(' || rest.back() != ')')
        return failed("the options are not in ( )");
    rest = rest.substr(1, rest.size() - 2);
    for (std::string_view option; !trimmed(rest).empty();) {
        if (!next_option(rest, option)) return failed("an option does not end with `;`");
        if (option.empty()) continue;
        if (out.options.size() == kOptionsMax)
            return failed("more than " + std::to_string(kOptionsMax) + " options");
        const std::size_t colon = option.find(':');
        out.options.push_back({std::string(trimmed(option.substr(0, colon))),
                               colon == std::string_view::npos
                                   ? ""
                                   : std::string(trimmed(option.substr(colon + 1)))});
    }
    return out;
}

Result<std::string> parse_content(std::string_view value, bool& negated) {
    negated = !value.empty() && value.front() == '!';
    if (negated) value = trimmed(value.substr(1));
    if (value.size() < 2 || value.front() != '"' || value.back() != '"')
        return failed("a content is not in quotes");
    value = value.substr(1, value.size() - 2);
    std::string out;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '\\' && i + 1 < value.size()) {
            out.push_back(value[++i]);
        } else if (value[i] == '|') {
            const std::size_t end = value.find('|', i + 1);
            if (end == std::string_view::npos || !append_hex(value.substr(i + 1, end - i - 1), out))
                return failed("a content with hex that is not whole");
            i = end;
        } else {
            out.push_back(value[i]);
        }
    }
    if (out.empty()) return failed("an empty content");
    return out;
}

}  // namespace seine::control_signature
