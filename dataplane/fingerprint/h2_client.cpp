// The client's HTTP/2 opening as text, in the common format and in Seine's own.
#include "dataplane/fingerprint/h2_client.h"

namespace seine::fingerprint {
namespace {

// First letters of the pseudo-headers, `separator` between them unless it is 0.
template <std::size_t Cap>
void append_pseudo_order(const http::Request& first, char separator,
                         FixedString<Cap>& out) noexcept {
    constexpr std::size_t kPseudoMax = 16;  // four are defined; more is hostile
    std::size_t count = 0;
    for (const http::HeaderField& field : first.headers) {
        if (field.name.size() < 2 || field.name.front() != ':' || count == kPseudoMax) continue;
        if (count++ > 0 && separator != 0) out.push(separator);
        out.push(field.name[1]);
    }
}

template <std::size_t Cap>
void append_settings(const http::H2Opening& opening, char equals, char separator,
                     FixedString<Cap>& out) noexcept {
    bool more = false;
    for (const http::H2Setting& setting : opening.settings) {
        if (more) out.push(separator);
        more = true;
        out.append_decimal(setting.id);
        out.push(equals);
        out.append_decimal(setting.value);
    }
}

template <std::size_t Cap>
void append_priorities(const http::H2Opening& opening, FixedString<Cap>& out) noexcept {
    if (opening.priorities.empty()) out.push('0');
    bool more = false;
    for (const http::H2Priority& priority : opening.priorities) {
        if (more) out.push(',');
        more = true;
        out.append_decimal(priority.stream);
        out.append(priority.exclusive ? ":1:" : ":0:");
        out.append_decimal(priority.depends_on);
        out.push(':');
        out.append_decimal(priority.weight);
    }
}

bool whole(const http::H2Opening& opening) noexcept {
    return opening.settled && opening.settings_seen && !opening.cut;
}

}  // namespace

bool h2_client(const http::H2Opening& opening, const http::Request& first,
               FixedString<kH2ClientBytesMax>& out) noexcept {
    out.clear();
    if (!whole(opening)) return false;
    append_settings(opening, ':', ';', out);
    out.push('|');
    if (opening.window_seen) {
        out.append_decimal(opening.window_increment);
    } else {
        out.append("00");
    }
    out.push('|');
    append_priorities(opening, out);
    out.push('|');
    append_pseudo_order(first, ',', out);
    return true;
}

bool h2_settings(const http::H2Opening& opening, const http::Request& first,
                 FixedString<kH2SettingsBytesMax>& out) noexcept {
    out.clear();
    if (!whole(opening)) return false;
    append_settings(opening, '=', ',', out);
    out.push('/');
    out.append_decimal(opening.window_seen ? opening.window_increment : 0);
    out.push('/');
    append_pseudo_order(first, 0, out);
    out.push('/');
    out.append_decimal(opening.priorities.size());
    return true;
}

}  // namespace seine::fingerprint
