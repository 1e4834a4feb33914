#include "control/account/json_fields.h"

#include <array>

namespace seine::account {
namespace {

constexpr std::size_t kDepthMax = 8;
constexpr std::size_t kLeavesMax = 512;
constexpr std::size_t kPathBytesMax = 256;

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void append_utf8(std::string& out, std::uint32_t point) {
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xc0 | point >> 6);
        put(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        put(0xe0 | point >> 12);
        put(0x80 | (point >> 6 & 0x3f));
        put(0x80 | (point & 0x3f));
    } else {
        put(0xf0 | point >> 18);
        put(0x80 | (point >> 12 & 0x3f));
        put(0x80 | (point >> 6 & 0x3f));
        put(0x80 | (point & 0x3f));
    }
}

class Walk {
  public:
    Walk(std::string_view line, std::string& scratch, const VisitField& visit)
        : text_(line), scratch_(scratch), visit_(visit) {}

    Parse run() {
        blanks();
        if (peek() != '{') return Parse::malformed;
        Parse parse = open();
        while (parse == Parse::ok && depth_ > 0) parse = step();
        if (parse != Parse::ok) return parse;
        blanks();
        return at_ == text_.size() ? Parse::ok : Parse::malformed;
    }

  private:
    struct Level {
        bool list = false;
        bool fresh = true;  // no member yet
        unsigned place = 0;
        std::size_t path_bytes = 0;  // of the path above
    };
    [[nodiscard]] char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool take(char c) noexcept {
        if (peek() != c || at_ >= text_.size()) return false;
        ++at_;
        return true;
    }
    void blanks() noexcept {
        while (at_ < text_.size() &&
               (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r'))
            ++at_;
    }
    Parse open() {
        if (depth_ == kDepthMax) return Parse::limit;
        levels_[depth_++] = {peek() == '[', true, 0, path_.size()};
        ++at_;
        return Parse::ok;
    }
    // One member of the innermost container, or its end.
    Parse step() {
        Level& level = levels_[depth_ - 1];
        path_.resize(level.path_bytes);
        blanks();
        if (take(level.list ? ']' : '}')) {
            --depth_;
            return Parse::ok;
        }
        if (!level.fresh && !take(',')) return Parse::malformed;
        level.fresh = false;
        blanks();
        if (!path_.empty()) path_.push_back('.');
        if (level.list) {
            path_ += std::to_string(level.place++);
        } else {
            scratch_.clear();
            if (!string()) return Parse::malformed;
            path_ += value_;
            blanks();
            if (!take(':')) return Parse::malformed;
        }
        if (path_.size() > kPathBytesMax) return Parse::limit;
        blanks();
        return value();
    }
    Parse value() {
        const char c = peek();
        if (c == '{' || c == '[') return open();
        if (++leaves_ > kLeavesMax) return Parse::limit;
        if (c == '"') {
            scratch_.clear();
            if (!string()) return Parse::malformed;
            visit_(path_, value_);
            return Parse::ok;
        }
        const std::size_t first = at_;
        while (at_ < text_.size() &&
               std::string_view("+-.0123456789abcdefghijklmnopqrstuvwxyzE").find(peek()) !=
                   std::string_view::npos) {
            ++at_;
        }
        const std::string_view word = text_.substr(first, at_ - first);
        if (word == "null") return Parse::ok;
        const bool number = !word.empty() && (word[0] == '-' || (word[0] >= '0' && word[0] <= '9'));
        if (!number && word != "true" && word != "false") return Parse::malformed;
        visit_(path_, word);
        return Parse::ok;
    }
    // A string into value_: borrowed from the line when nothing in it is escaped, else from
    // scratch.
    bool string() {
        if (!take('"')) return false;
        const std::size_t first = at_;
        while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\') ++at_;
        if (peek() == '"') {
            value_ = text_.substr(first, at_ - first);
            ++at_;
            return true;
        }
        scratch_.append(text_.substr(first, at_ - first));
        while (at_ < text_.size() && text_[at_] != '"') {
            if (text_[at_] != '\\') {
                scratch_.push_back(text_[at_++]);
            } else if (!escape()) {
                return false;
            }
        }
        value_ = scratch_;
        return take('"');
    }
    bool escape() {
        ++at_;
        const char c = peek();
        ++at_;
        switch (c) {
            case '"':
            case '\\':
            case '/':
                scratch_.push_back(c);
                return true;
            case 'b':
                scratch_.push_back('\b');
                return true;
            case 'f':
                scratch_.push_back('\f');
                return true;
            case 'n':
                scratch_.push_back('\n');
                return true;
            case 'r':
                scratch_.push_back('\r');
                return true;
            case 't':
                scratch_.push_back('\t');
                return true;
            case 'x': {  // nginx's escape=default writes \xHH, which JSON does not know
                const std::uint32_t point = hex(2);
                if (point > 0xff) return false;
                scratch_.push_back(static_cast<char>(point));
                return true;
            }
            case 'u':
                break;
            default:
                return false;
        }
        std::uint32_t point = hex(4);
        if (point >= 0xd800 && point < 0xdc00 && text_.substr(at_, 2) == "\\u") {
            at_ += 2;
            const std::uint32_t low = hex(4);
            if (low < 0xdc00 || low > 0xdfff) return false;
            point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        }
        if (point > 0x10ffff) return false;
        append_utf8(scratch_, point);
        return true;
    }
    std::uint32_t hex(unsigned digits) noexcept {
        std::uint32_t value = 0;
        for (unsigned i = 0; i < digits; ++i) {
            const int digit = hex_digit(peek());
            if (digit < 0) return 0xffffffff;
            value = value << 4 | static_cast<std::uint32_t>(digit);
            ++at_;
        }
        return value;
    }

    std::string_view text_;
    std::string& scratch_;
    const VisitField& visit_;
    std::array<Level, kDepthMax> levels_{};
    std::size_t depth_ = 0;
    std::size_t leaves_ = 0;
    std::size_t at_ = 0;
    std::string path_;
    std::string_view value_;
};

}  // namespace

Parse walk_json(std::string_view line, std::string& scratch, const VisitField& visit) {
    return Walk(line, scratch, visit).run();
}

}  // namespace seine::account
