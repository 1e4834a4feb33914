#include "control/account/syslog.h"

#include <algorithm>

#include "control/account/secret_memory.h"

namespace seine::account {
namespace {

bool digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Up to and with the next blank; false when there is none.
bool skip_word(std::string_view& text) noexcept {
    const std::size_t blank = text.find(' ');
    if (blank == std::string_view::npos) return false;
    text.remove_prefix(blank + 1);
    return true;
}

// RFC 5424 section 6: VERSION SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID SP SD [SP
// MSG]
bool skip_5424(std::string_view& text) noexcept {
    for (int word = 0; word < 6; ++word) {
        if (!skip_word(text)) return false;
    }
    if (text.starts_with('-')) {
        text.remove_prefix(1);
    } else {
        while (text.starts_with('[')) {
            bool quoted = false;
            std::size_t at = 1;
            for (; at < text.size() && (quoted || text[at] != ']'); ++at) {
                if (text[at] == '\\') {
                    ++at;
                } else if (text[at] == '"') {
                    quoted = !quoted;
                }
            }
            if (at >= text.size()) return false;
            text.remove_prefix(at + 1);
        }
    }
    if (text.starts_with(' ')) text.remove_prefix(1);
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    return true;
}

// RFC 3164: "Mmm dd hh:mm:ss HOST TAG: "; HAProxy and nginx may leave the host out.
bool skip_3164(std::string_view& text) noexcept {
    if (text.size() < 16 || text[3] != ' ' || text[6] != ' ' || text[9] != ':' || text[12] != ':' ||
        text[15] != ' ') {
        return false;
    }
    text.remove_prefix(16);
    // The tag ends at the first ": "; host and tag hold no colon before it but in "tag[pid]:".
    const std::size_t end = text.find(": ");
    const std::size_t body = std::min(text.find_first_of("{\""), text.size());
    if (end == std::string_view::npos || end > body) return false;
    text.remove_prefix(end + 2);
    return true;
}

}  // namespace

Parse syslog_message(std::string_view datagram, std::string_view& message) noexcept {
    std::string_view text = datagram;
    if (!text.starts_with('<')) return Parse::malformed;
    std::size_t at = 1;
    while (at < text.size() && at < 4 && digit(text[at])) ++at;
    if (at == 1 || at >= text.size() || text[at] != '>') return Parse::malformed;
    text.remove_prefix(at + 1);
    const bool is_5424 = text.size() > 2 && digit(text[0]) && text[1] == ' ';
    if (!(is_5424 ? skip_5424(text) : skip_3164(text))) return Parse::malformed;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == '\0'))
        text.remove_suffix(1);
    message = text;
    return Parse::ok;
}

SyslogFrames::Next SyslogFrames::next(std::size_t& from, std::string_view& frame) const noexcept {
    const std::string_view rest(held_.data() + from, held_.size() - from);
    if (rest.empty()) return Next::wait;
    if (!digit(rest[0])) {
        const std::size_t end = rest.find('\n');
        if (end == std::string_view::npos)
            return rest.size() > kFrameBytesMax ? Next::broken : Next::wait;
        if (end > kFrameBytesMax) return Next::broken;
        frame = rest.substr(0, end);
        from += end + 1;
        return Next::frame;
    }
    std::size_t count = 0;
    std::size_t at = 0;
    for (; at < rest.size() && digit(rest[at]); ++at) {
        count = count * 10 + static_cast<std::size_t>(rest[at] - '0');
        if (count > kFrameBytesMax) return Next::broken;
    }
    if (at == rest.size()) return Next::wait;
    if (rest[at] != ' ' || count == 0) return Next::broken;
    if (rest.size() < at + 1 + count) return Next::wait;
    frame = rest.substr(at + 1, count);
    from += at + 1 + count;
    return Next::frame;
}

void SyslogFrames::forget() noexcept {
    if (!held_.empty()) wipe(held_.data(), held_.size());
    held_.clear();
}

}  // namespace seine::account
