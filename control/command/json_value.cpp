// A strict JSON reader (RFC 8259) of bounded depth.
#include "control/command/json_value.h"

#include <charconv>

namespace seine::command {

class JsonReader {
  public:
    explicit JsonReader(std::string_view document) : all_(document), rest_(document) {}
    bool document(JsonValue& out) {
        if (!value(out, 0)) return false;
        space();
        return rest_.empty();
    }
    [[nodiscard]] std::size_t at() const { return all_.size() - rest_.size(); }

  private:
    bool value(JsonValue& out, int depth);
    bool array(JsonValue& out, int depth);
    bool object(JsonValue& out, int depth);
    bool text(std::string& out);
    bool escape(std::string& out);
    bool number(JsonValue& out);
    bool word(std::string_view expected, JsonValue& out, JsonValue::Type type);
    bool digits();
    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    // True when the next character is `c`, blanks before it stepped over.
    bool next(char c) {
        space();
        return take(c);
    }
    void space() {
        while (!rest_.empty() &&
               std::string_view(" \t\r\n").find(rest_.front()) != std::string_view::npos) {
            rest_.remove_prefix(1);
        }
    }
    std::string_view all_;
    std::string_view rest_;
};

bool JsonReader::value(JsonValue& out, int depth) {
    space();
    if (rest_.empty() || depth > JsonValue::kDepthMax) return false;
    switch (rest_.front()) {
        case '{':
            return object(out, depth);
        case '[':
            return array(out, depth);
        case '"':
            out.type_ = JsonValue::Type::text;
            return text(out.text_);
        case 't':
            return word("true", out, JsonValue::Type::boolean);
        case 'f':
            return word("false", out, JsonValue::Type::boolean);
        case 'n':
            return word("null", out, JsonValue::Type::null);
        default:
            return number(out);
    }
}

bool JsonReader::word(std::string_view expected, JsonValue& out, JsonValue::Type type) {
    if (rest_.substr(0, expected.size()) != expected) return false;
    rest_.remove_prefix(expected.size());
    out.type_ = type;
    out.text_ = expected;
    return true;
}

bool JsonReader::array(JsonValue& out, int depth) {
    out.type_ = JsonValue::Type::array;
    take('[');
    if (next(']')) return true;
    do {
        if (!value(out.items_.emplace_back(), depth + 1)) return false;
    } while (next(','));
    return take(']');
}

bool JsonReader::object(JsonValue& out, int depth) {
    out.type_ = JsonValue::Type::object;
    take('{');
    if (next('}')) return true;
    do {
        space();
        auto& [name, member] = out.members_.emplace_back();
        if (!text(name) || !next(':') || !value(member, depth + 1)) return false;
    } while (next(','));
    return take('}');
}

bool JsonReader::text(std::string& out) {
    if (!take('"')) return false;
    while (!rest_.empty()) {
        const char c = rest_.front();
        if (static_cast<unsigned char>(c) < 0x20) return false;
        rest_.remove_prefix(1);
        if (c == '"') return true;
        if (c != '\\') {
            out.push_back(c);
        } else if (!escape(out)) {
            return false;
        }
    }
    return false;
}

bool JsonReader::escape(std::string& out) {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    static constexpr std::string_view kFrom = "\"\\/bfnrt";
    static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    if (const std::size_t at = kFrom.find(c); at != std::string_view::npos) {
        out.push_back(kTo[at]);
        return true;
    }
    unsigned code = 0;
    if (c != 'u' || rest_.size() < 4) return false;
    const auto done = std::from_chars(rest_.data(), rest_.data() + 4, code, 16);
    if (done.ec != std::errc() || done.ptr != rest_.data() + 4) return false;
    rest_.remove_prefix(4);
    if (code < 0x100) {
        out.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
        out.push_back(static_cast<char>(0xc0 | (code >> 6)));
        out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
    } else {
        out.push_back(static_cast<char>(0xe0 | (code >> 12)));
        out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3f)));
        out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
    }
    return true;
}

bool JsonReader::digits() {
    const std::size_t before = rest_.size();
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') rest_.remove_prefix(1);
    return rest_.size() < before;
}

bool JsonReader::number(JsonValue& out) {
    const std::string_view start = rest_;
    static_cast<void>(take('-'));
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
        if (!take('+')) static_cast<void>(take('-'));
        if (!digits()) return false;
    }
    out.type_ = JsonValue::Type::number;
    out.text_ = start.substr(0, start.size() - rest_.size());
    return true;
}

Result<JsonValue> JsonValue::parse(std::string_view document) {
    JsonValue out;
    JsonReader reader(document);
    if (reader.document(out)) return out;
    return Status(Code::corrupt, "not JSON at byte " + std::to_string(reader.at()));
}

std::uint64_t JsonValue::number() const noexcept {
    std::uint64_t value = 0;
    if (type_ != Type::number) return 0;
    const auto done = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    return done.ec == std::errc() && done.ptr == text_.data() + text_.size() ? value : 0;
}

double JsonValue::real() const noexcept {
    double value = 0;
    if (type_ != Type::number) return 0;
    const auto done = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    return done.ec == std::errc() ? value : 0;
}

std::int64_t JsonValue::whole() const noexcept {
    std::int64_t value = 0;
    if (type_ != Type::number) return 0;
    const auto done = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    return done.ec == std::errc() && done.ptr == text_.data() + text_.size() ? value : 0;
}

const std::string& JsonValue::text() const noexcept {
    static const std::string kEmpty;
    return type_ == Type::text ? text_ : kEmpty;
}

const JsonValue& JsonValue::operator[](std::string_view name) const noexcept {
    static const JsonValue kNull;
    for (const auto& [each, member] : members_) {
        if (each == name) return member;
    }
    return kNull;
}

}  // namespace seine::command
