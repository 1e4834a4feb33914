#include "control/account/log_line.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "control/account/json_fields.h"
#include "control/account/secret_memory.h"

namespace seine::account {

LogLine::LogLine(const LogFormat& format) : format_(format) { scratch_.reserve(kValueBytesMax); }

void LogLine::forget() noexcept {
    wipe(arena_.data(), used_);
    used_ = 0;
    held_ = {};
    found_ = too_long_ = false;
    scratch_.resize(scratch_.capacity());
    wipe(scratch_.data(), scratch_.size());
    scratch_.clear();
}

Parse LogLine::read(std::string_view line) {
    forget();
    if (line.size() > kLineBytesMax) return Parse::limit;
    const Parse parse = format_.kind == LogFormat::Kind::json
                            ? walk_json(line, scratch_,
                                        [this](std::string_view path, std::string_view value) {
                                            keep(path, value);
                                        })
                            : read_pattern(line);
    if (parse != Parse::ok) return parse;
    if (too_long_) return Parse::limit;
    return found_ ? Parse::ok : Parse::not_this;
}

Parse LogLine::read_pattern(std::string_view line) {
    for (std::size_t i = 0; i < format_.pieces.size(); ++i) {
        const LogFormat::Piece& piece = format_.pieces[i];
        if (!line.starts_with(piece.literal)) return Parse::malformed;
        line.remove_prefix(piece.literal.size());
        if (piece.field.empty()) return line.empty() ? Parse::ok : Parse::malformed;
        // A field ends where the text after it begins; the last one takes what is left.
        const std::string& next = format_.pieces[i + 1].literal;
        const std::size_t end = next.empty() ? line.size() : line.find(next);
        if (end == std::string_view::npos) return Parse::malformed;
        keep(piece.field, line.substr(0, end));
        line.remove_prefix(end);
    }
    return Parse::ok;
}

void LogLine::keep(std::string_view field, std::string_view value) {
    for (std::size_t i = 0; i < kLogProperties; ++i) {
        const auto& names = format_.fields[i];
        const auto name = std::find(names.begin(), names.end(), field);
        if (name == names.end()) continue;
        found_ = true;
        if (value.empty() || value == "-") continue;
        const auto rank = static_cast<std::size_t>(name - names.begin());
        Held& held = held_[i];
        if (held.bytes != 0 && held.rank <= rank) continue;
        if (value.size() > kValueBytesMax || used_ + value.size() > arena_.size()) {
            // A target may be long; it matters for a key in its query alone.
            too_long_ = too_long_ || static_cast<LogProperty>(i) != LogProperty::uri;
            continue;
        }
        std::memcpy(arena_.data() + used_, value.data(), value.size());
        held = {used_, value.size(), rank};
        used_ += value.size();
    }
}

// ---- numbers

bool read_number(std::string_view text, std::uint64_t most, std::uint64_t& out) noexcept {
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || error != std::errc{} || stop != end || value > most) return false;
    out = value;
    return true;
}

namespace {

// Digits with or without a fraction, as nanoseconds of `unit_ns`.
bool read_decimal(std::string_view text, std::int64_t unit_ns, std::int64_t& out) noexcept {
    const std::size_t point = text.find('.');
    std::uint64_t whole = 0;
    const auto most = static_cast<std::uint64_t>(INT64_MAX / unit_ns / 2);
    if (!read_number(text.substr(0, point), most, whole)) return false;
    std::int64_t fraction = 0;
    if (point != std::string_view::npos) {
        std::int64_t scale = unit_ns;
        const std::string_view digits = text.substr(point + 1);
        if (digits.empty()) return false;
        for (const char c : digits) {
            if (c < '0' || c > '9') return false;
            scale /= 10;
            fraction += (c - '0') * scale;
        }
    }
    out = static_cast<std::int64_t>(whole) * unit_ns + fraction;
    return true;
}

// Days since 1970 of a date of the Gregorian calendar.
std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) noexcept {
    year -= month <= 2 ? 1 : 0;
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const std::int64_t of_era = year - era * 400;
    const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

class Cursor {
  public:
    explicit Cursor(std::string_view text) : text_(text) {}
    bool digits(std::size_t count, std::int64_t& out) noexcept {
        if (text_.size() < count) return false;
        out = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (text_[i] < '0' || text_[i] > '9') return false;
            out = out * 10 + (text_[i] - '0');
        }
        text_.remove_prefix(count);
        return true;
    }
    bool literal(char c) noexcept {
        if (text_.empty() || text_[0] != c) return false;
        text_.remove_prefix(1);
        return true;
    }
    // "+hh:mm" or "+hhmm".
    bool zone(std::int64_t& seconds) noexcept {
        if (literal('Z')) return seconds = 0, true;
        const bool minus = literal('-');
        std::int64_t hours = 0;
        std::int64_t minutes = 0;
        if (!minus && !literal('+')) return false;
        if (!digits(2, hours)) return false;
        static_cast<void>(literal(':'));
        if (!digits(2, minutes)) return false;
        seconds = (minus ? -1 : 1) * (hours * 3600 + minutes * 60);
        return true;
    }
    bool clock(std::int64_t& seconds) noexcept {
        std::int64_t h = 0, m = 0, s = 0;
        if (!digits(2, h) || !literal(':') || !digits(2, m) || !literal(':') || !digits(2, s))
            return false;
        if (h > 23 || m > 59 || s > 60) return false;
        seconds = h * 3600 + m * 60 + s;
        return true;
    }
    // The digits after a point, as nanoseconds.
    bool fraction(std::int64_t& ns) noexcept {
        if (!literal('.')) return true;
        std::size_t count = 0;
        while (count < text_.size() && text_[count] >= '0' && text_[count] <= '9') ++count;
        if (count == 0) return false;
        std::int64_t scale = kSecond;
        for (std::size_t i = 0; i < count; ++i) ns += (text_[i] - '0') * (scale /= 10);
        text_.remove_prefix(count);
        return true;
    }
    bool month_name(std::int64_t& month) noexcept {
        constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
        const std::size_t at =
            text_.size() < 3 ? std::string_view::npos : kMonths.find(text_.substr(0, 3));
        if (at == std::string_view::npos || at % 3 != 0) return false;
        month = static_cast<std::int64_t>(at / 3) + 1;
        text_.remove_prefix(3);
        return true;
    }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

  private:
    std::string_view text_;
};

bool date_fits(std::int64_t year, std::int64_t month, std::int64_t day) noexcept {
    return year >= 1970 && year < 2200 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

bool read_iso(std::string_view text, Nanos& out) noexcept {
    Cursor at(text);
    std::int64_t year = 0, month = 0, day = 0, seconds = 0, ns = 0, zone = 0;
    if (!at.digits(4, year) || !at.literal('-') || !at.digits(2, month) || !at.literal('-') ||
        !at.digits(2, day)) {
        return false;
    }
    if (!at.literal('T') && !at.literal(' ')) return false;
    if (!at.clock(seconds) || !at.fraction(ns) || !at.zone(zone) || !at.empty()) return false;
    if (!date_fits(year, month, day)) return false;
    out = {(days_of(year, month, day) * 86400 + seconds - zone) * kSecond + ns};
    return true;
}

bool read_common_log(std::string_view text, Nanos& out) noexcept {
    Cursor at(text);
    std::int64_t year = 0, month = 0, day = 0, seconds = 0, zone = 0;
    if (!at.digits(2, day) || !at.literal('/') || !at.month_name(month) || !at.literal('/') ||
        !at.digits(4, year) || !at.literal(':') || !at.clock(seconds) || !at.literal(' ') ||
        !at.zone(zone) || !at.empty() || !date_fits(year, month, day)) {
        return false;
    }
    out = {(days_of(year, month, day) * 86400 + seconds - zone) * kSecond};
    return true;
}

}  // namespace

bool read_time(std::string_view text, Nanos& out) noexcept {
    if (text.size() >= 2 && text.front() == '[' && text.back() == ']')
        text = text.substr(1, text.size() - 2);
    if (text.find_first_not_of("0123456789.") != std::string_view::npos) {
        return read_iso(text, out) || read_common_log(text, out);
    }
    // The unit by the size of the number: 1e11 s is the year 5138, 1e11 ms is 1973.
    const std::size_t digits = std::min(text.find('.'), text.size());
    const std::int64_t unit = digits <= 11   ? kSecond
                              : digits <= 14 ? kMillisecond
                              : digits <= 17 ? kMicrosecond
                                             : 1;
    return read_decimal(text, unit, out.count);
}

bool read_duration(std::string_view text, std::int64_t& out_ns) noexcept {
    const bool seconds = text.find('.') != std::string_view::npos;
    return read_decimal(text, seconds ? kSecond : kMillisecond, out_ns);
}

bool read_end(std::string_view text, model::Address& address, std::uint16_t& port) noexcept {
    if (model::from_text(text, address)) return true;
    const std::size_t colon = text.rfind(':');
    std::uint64_t number = 0;
    if (colon == std::string_view::npos || !read_number(text.substr(colon + 1), 65535, number) ||
        !model::from_text(text.substr(0, colon), address)) {
        return false;
    }
    port = static_cast<std::uint16_t>(number);
    return true;
}

std::string_view key_in_uri(std::string_view target) noexcept {
    constexpr std::string_view kNames[] = {
        "key",     "k",         "apikey",       "api_key",
        "api-key", "x-api-key", "access_token", "subscription-key"};
    const std::size_t mark = target.find('?');
    if (mark == std::string_view::npos) return {};
    std::string_view query = target.substr(mark + 1);
    query = query.substr(0, query.find_first_of(" #"));
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const auto is = [&pair, equals](std::string_view name) {
            return pair.substr(0, equals) == name;
        };
        if (equals + 1 < pair.size() && std::any_of(std::begin(kNames), std::end(kNames), is)) {
            return pair.substr(equals + 1);
        }
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return {};
}

}  // namespace seine::account
