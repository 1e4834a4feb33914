// Each reader walks its syntax once.
#include "tests/siem/readers.h"

#include <set>

namespace seine::tests {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool has_control(std::string_view text) {
    for (const char c : text) {
        if (is_control(c)) return true;
    }
    return false;
}

// Recursive descent over JSON; positions only.
class Json {
  public:
    explicit Json(std::string_view text) : text_(text) {}
    bool whole() { return value(0) && at_ == text_.size(); }

  private:
    bool take(char c) {
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    bool word(std::string_view wanted) {
        if (text_.substr(at_, wanted.size()) != wanted) return false;
        at_ += wanted.size();
        return true;
    }
    bool string(std::string* out) {
        if (!take('"')) return false;
        const std::size_t start = at_;
        while (at_ < text_.size() && text_[at_] != '"') {
            if (is_control(text_[at_]) && text_[at_] != 0x7f) return false;
            if (text_[at_] == '\\') {
                ++at_;
                if (at_ >= text_.size()) return false;
                if (text_[at_] == 'u') {
                    for (int i = 1; i <= 4; ++i) {
                        if (at_ + 4 >= text_.size() ||
                            std::string_view("0123456789abcdefABCDEF")
                                    .find(text_[at_ + static_cast<std::size_t>(i)]) ==
                                std::string_view::npos)
                            return false;
                    }
                } else if (std::string_view("\"\\/bfnrt").find(text_[at_]) ==
                           std::string_view::npos) {
                    return false;
                }
            }
            ++at_;
        }
        if (out != nullptr) out->assign(text_.substr(start, at_ - start));
        return take('"');
    }
    bool number() {
        const std::size_t start = at_;
        take('-');
        while (at_ < text_.size() &&
               std::string_view("0123456789.eE+-").find(text_[at_]) != std::string_view::npos)
            ++at_;
        return at_ > start && text_[at_ - 1] >= '0' && text_[at_ - 1] <= '9';
    }
    bool value(int depth) {
        if (depth > 16 || at_ >= text_.size()) return false;
        switch (text_[at_]) {
            case '{':
                return object(depth);
            case '[': {
                ++at_;
                if (take(']')) return true;
                do {
                    if (!value(depth + 1)) return false;
                } while (take(','));
                return take(']');
            }
            case '"':
                return string(nullptr);
            case 't':
                return word("true");
            case 'f':
                return word("false");
            case 'n':
                return word("null");
            default:
                return number();
        }
    }
    bool object(int depth) {
        std::set<std::string> keys;
        ++at_;
        if (take('}')) return true;
        do {
            std::string key;
            if (!string(&key) || !keys.insert(key).second || !take(':') || !value(depth + 1))
                return false;
        } while (take(','));
        return take('}');
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

// Splits at bare pipes; `escapes`: a backslash takes the next byte as it is.
std::optional<std::vector<std::string>> header_fields(std::string_view& line, std::size_t count,
                                                      bool escapes) {
    std::vector<std::string> fields(1);
    std::size_t at = 0;
    for (; at < line.size() && fields.size() <= count; ++at) {
        if (escapes && line[at] == '\\') {
            if (++at == line.size() || (line[at] != '|' && line[at] != '\\')) return std::nullopt;
            fields.back().push_back(line[at]);
        } else if (line[at] == '|') {
            fields.emplace_back();
        } else {
            fields.back().push_back(line[at]);
        }
    }
    if (fields.size() != count + 1) return std::nullopt;
    fields.pop_back();
    line.remove_prefix(at);
    return fields;
}

bool is_key(std::string_view text) {
    if (text.empty()) return false;
    for (const char c : text) {
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_'))
            return false;
    }
    return true;
}

}  // namespace

std::optional<Record> read_cef(std::string_view line) {
    if (has_control(line) || !line.starts_with("CEF:")) return std::nullopt;
    Record record;
    const auto header = header_fields(line, 7, true);
    if (!header) return std::nullopt;
    record.header = *header;
    // Keys stand before bare equals signs; a value ends before the blank in front of the next key.
    std::string key;
    std::string value;
    std::size_t key_at = 0;
    bool have_key = false;
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (line[at] == '\\') {
            if (++at == line.size()) return std::nullopt;
            const char c = line[at];
            if (c != '\\' && c != '=' && c != 'n' && c != 'r') return std::nullopt;
            value.push_back(c == 'n' ? '\n' : c == 'r' ? '\r' : c);
        } else if (line[at] == '=') {
            const std::size_t blank = value.rfind(' ');
            std::string next =
                have_key ? (blank == std::string::npos ? "" : value.substr(blank + 1)) : value;
            if (!is_key(next)) return std::nullopt;
            if (have_key && !record.values.emplace(key, value.substr(0, blank)).second)
                return std::nullopt;
            key = std::move(next);
            value.clear();
            have_key = true;
            key_at = at;
        } else {
            value.push_back(line[at]);
        }
    }
    static_cast<void>(key_at);
    if (!have_key || !record.values.emplace(key, value).second) return std::nullopt;
    return record;
}

std::optional<Record> read_leef(std::string_view line) {
    if (has_control(line) || !line.starts_with("LEEF:2.0|")) return std::nullopt;
    Record record;
    const auto header = header_fields(line, 6, false);
    if (!header || header->back() != "^") return std::nullopt;
    record.header = *header;
    while (!line.empty()) {
        const std::size_t end = std::min(line.find('^'), line.size());
        const std::string_view part = line.substr(0, end);
        const std::size_t equals = part.find('=');
        if (equals == std::string_view::npos || !is_key(part.substr(0, equals)))
            return std::nullopt;
        if (!record.values.emplace(part.substr(0, equals), part.substr(equals + 1)).second)
            return std::nullopt;
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return record;
}

std::optional<Record> read_structured_data(std::string_view line) {
    if (has_control(line) || line.empty() || line[0] != '[') return std::nullopt;
    Record record;
    std::size_t at = line.find_first_of(" ]");
    if (at == std::string_view::npos) return std::nullopt;
    record.header.emplace_back(line.substr(1, at - 1));
    while (at < line.size() && line[at] == ' ') {
        const std::size_t equals = line.find('=', at);
        if (equals == std::string_view::npos || line.substr(equals + 1, 1) != "\"")
            return std::nullopt;
        const std::string name(line.substr(at + 1, equals - at - 1));
        if (!is_key(name) || name.size() > 32) return std::nullopt;
        std::string value;
        for (at = equals + 2; at < line.size() && line[at] != '"'; ++at) {
            if (line[at] == ']') return std::nullopt;
            if (line[at] == '\\' && at + 1 < line.size() &&
                std::string_view("\"\\]").find(line[at + 1]) != std::string_view::npos)
                ++at;
            value.push_back(line[at]);
        }
        if (at >= line.size() || !record.values.emplace(name, value).second) return std::nullopt;
        ++at;
    }
    if (line.substr(at, 2) != "] ") return std::nullopt;
    record.header.emplace_back(line.substr(at + 2));
    return record;
}

bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const std::size_t more = lead < 0x80                    ? 0
                                 : lead >= 0xc2 && lead <= 0xdf ? 1
                                 : (lead & 0xf0) == 0xe0        ? 2
                                 : lead >= 0xf0 && lead <= 0xf4 ? 3
                                                                : 9;
        if (more == 9 || at + more >= text.size() + (more == 0 ? 1 : 0)) return false;
        std::uint32_t code = more == 0 ? lead : lead & (0x3fu >> more);
        for (std::size_t i = 1; i <= more; ++i) {
            const auto next = static_cast<unsigned char>(text[at + i]);
            if ((next & 0xc0) != 0x80) return false;
            code = code << 6 | (next & 0x3fu);
        }
        if (more == 2 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) return false;
        if (more == 3 && (code < 0x10000 || code > 0x10ffff)) return false;
        at += more + 1;
    }
    return true;
}

bool is_json(std::string_view text) { return is_utf8(text) && Json(text).whole(); }

}  // namespace seine::tests
