// Hostile bytes made harmless for each syntax: the only place where a text meets its quotes.
//
// Whatever bytes go in, what comes out is valid UTF-8 without control characters, and reads as one
// value in its syntax. A byte that is not part of valid UTF-8, and a control character for which
// the syntax has no escape of its own, is written as \xNN.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "control/export/text_buffer.h"

namespace seine::siem {

// Inside the quotes of JSON (RFC 8259): quotes, backslashes and control characters escaped.
void append_json_inner(TextBuffer& out, std::string_view text);
// With the quotes.
void append_json_string(TextBuffer& out, std::string_view text);
// The header of CEF: pipes and backslashes escaped.
void append_cef_header(TextBuffer& out, std::string_view text);
// A value of CEF's extension: equals signs and backslashes escaped, line ends as \n and \r.
void append_cef_value(TextBuffer& out, std::string_view text);
// The header of LEEF, which knows no escape: pipes are \x7c.
void append_leef_header(TextBuffer& out, std::string_view text);
// A value of LEEF: the delimiter ^ is \x5e, tabs and line ends \t, \n and \r.
void append_leef_value(TextBuffer& out, std::string_view text);
// A PARAM-VALUE of RFC 5424 structured data, without its quotes.
void append_sd_value(TextBuffer& out, std::string_view text);
// Free text: a syslog MSG.
void append_plain(TextBuffer& out, std::string_view text);
std::string plain_text(std::string_view text);
// A header field of RFC 5424 (HOSTNAME, APP-NAME, MSGID): printable ASCII without blanks, at most
// `bytes_max` of it, "-" when nothing is left.
void append_syslog_token(TextBuffer& out, std::string_view text, std::size_t bytes_max);

// Numbers and times. Same value, same text.
void append_number(TextBuffer& out, std::uint64_t value);
void append_number(std::string& out, std::uint64_t value);
void append_real(TextBuffer& out, double value);  // finite; six digits behind the point at most
// 2026-07-01T12:00:00.123456 with `digits` (3, 6 or 9) behind the point and `zone` after them.
void append_time(TextBuffer& out, std::int64_t ns, int digits, std::string_view zone);
// The same as a text of its own.
std::string time_text(std::int64_t ns, int digits, std::string_view zone);

}  // namespace seine::siem
