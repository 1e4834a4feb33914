#include "control/signature/pattern_sample.h"

#include <algorithm>
#include <charconv>

namespace seine::control_signature {
namespace {

constexpr std::size_t kSampleBytesMax = 4096;
constexpr unsigned kDepthMax = 32;

class Sampler {
  public:
    explicit Sampler(std::string_view pattern) : rest_(pattern) {}

    // Alternatives up to `)` or the end; the first one is taken.
    std::string alternatives(unsigned depth) {
        if (depth > kDepthMax) return {};
        std::string out = sequence(depth);
        while (!rest_.empty() && rest_.front() == '|') {
            rest_.remove_prefix(1);
            static_cast<void>(sequence(depth));
        }
        return out;
    }

  private:
    std::string sequence(unsigned depth) {
        std::string out;
        while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
            const std::string piece = atom(depth);
            const unsigned times = repeats();
            for (unsigned i = 0; i < times && out.size() + piece.size() < kSampleBytesMax; ++i)
                out += piece;
        }
        return out;
    }

    std::string atom(unsigned depth) {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        switch (c) {
            case '^':
            case '$':
                return {};
            case '.':
                return "a";
            case '(':
                return group(depth);
            case '[':
                return set();
            case '\\':
                return escape();
            default:
                return std::string(1, c);
        }
    }

    std::string group(unsigned depth) {
        bool looks = false;
        if (rest_.substr(0, 1) == "?") {
            rest_.remove_prefix(1);
            looks = rest_.substr(0, 1) == "!" || rest_.substr(0, 2) == "<!";
            while (!rest_.empty() && rest_.front() != ':' && rest_.front() != '>' &&
                   rest_.front() != '!' && rest_.front() != '=' && rest_.front() != ')')
                rest_.remove_prefix(1);
            if (rest_.empty()) return {};
            if (rest_.front() != ')') rest_.remove_prefix(1);
        }
        std::string inside = alternatives(depth + 1);
        if (!rest_.empty()) rest_.remove_prefix(1);
        return looks ? std::string() : inside;
    }

    std::string escape() {
        if (rest_.empty()) return {};
        const char c = rest_.front();
        rest_.remove_prefix(1);
        switch (c) {
            case 'd':
                return "0";
            case 'w':
                return "a";
            case 's':
                return " ";
            case 'S':
            case 'D':
                return "a";
            case 'W':
                return "-";
            case 'n':
                return "\n";
            case 'r':
                return "\r";
            case 't':
                return "\t";
            case 'b':
            case 'B':
            case 'A':
            case 'z':
            case 'Z':
                return {};
            case 'x':
                return hex();
            default:
                return std::string(1, c);
        }
    }

    std::string hex() {
        unsigned value = 0;
        const auto done = std::from_chars(
            rest_.data(), rest_.data() + std::min<std::size_t>(2, rest_.size()), value, 16);
        rest_.remove_prefix(static_cast<std::size_t>(done.ptr - rest_.data()));
        return std::string(1, static_cast<char>(value));
    }

    // A byte of the set; of a negated one a byte that is not named.
    std::string set() {
        const bool negated = rest_.substr(0, 1) == "^";
        if (negated) rest_.remove_prefix(1);
        std::string named;
        bool first = true;
        while (!rest_.empty() && (rest_.front() != ']' || first)) {
            first = false;
            const char c = rest_.front();
            rest_.remove_prefix(1);
            named += c == '\\' ? escape() : std::string(1, c);
            if (rest_.size() > 1 && rest_.front() == '-' && rest_[1] != ']') rest_.remove_prefix(2);
        }
        if (!rest_.empty()) rest_.remove_prefix(1);
        if (!negated) return named.substr(0, 1);
        for (const char candidate : std::string_view("a0-_ Z~"))
            if (named.find(candidate) == std::string::npos) return std::string(1, candidate);
        return {};
    }

    unsigned repeats() {
        unsigned times = 1;
        if (rest_.empty()) return times;
        if (rest_.front() == '*' || rest_.front() == '?') times = 0;
        if (rest_.front() == '{') {
            const auto done = std::from_chars(rest_.data() + 1, rest_.data() + rest_.size(), times);
            const std::size_t end = rest_.find('}');
            if (done.ec != std::errc() || end == std::string_view::npos) return 1;
            rest_.remove_prefix(end + 1);
        } else if (rest_.front() == '*' || rest_.front() == '?' || rest_.front() == '+') {
            rest_.remove_prefix(1);
        } else {
            return times;
        }
        if (!rest_.empty() && (rest_.front() == '?' || rest_.front() == '+'))
            rest_.remove_prefix(1);
        return times;
    }

    std::string_view rest_;
};

}  // namespace

std::string sample_of(std::string_view pattern) { return Sampler(pattern).alternatives(0); }

}  // namespace seine::control_signature
