// Laying out text.
#include "control/cli/table.h"

#include <algorithm>
#include <cstdio>

namespace seine::cli {
namespace {

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

std::string tenths(double value, const char* unit) {
    char text[48];
    std::snprintf(text, sizeof text, "%.1f %s", value, unit);
    return text;
}

struct Day {
    int year;
    unsigned month;
    unsigned day;
};

// Civil date of a day since 1970 (H. Hinnant's algorithm of 400-year eras, public domain).
Day civil(std::int64_t days) {
    days += 719468;
    const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const auto in_era = static_cast<unsigned>(days - era * 146097);
    const unsigned year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    const unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
    const unsigned shifted = (5 * in_year + 2) / 153;
    const unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
    return {static_cast<int>(year) + static_cast<int>(era) * 400 + (month <= 2 ? 1 : 0), month,
            in_year - (153 * shifted + 2) / 5 + 1};
}

}  // namespace

std::string Table::text() const {
    std::vector<std::size_t> widths;
    for (const auto& cells : rows_) {
        widths.resize(std::max(widths.size(), cells.size()));
        for (std::size_t i = 0; i < cells.size(); ++i)
            widths[i] = std::max(widths[i], width_of(cells[i]));
    }
    std::string out;
    for (const auto& cells : rows_) {
        std::string line;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const std::string blanks(widths[i] - width_of(cells[i]), ' ');
            if (i > 0) line += "   ";
            line += i >= sides_.size() || sides_[i] == 'l' ? cells[i] + blanks : blanks + cells[i];
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

std::string grouped(std::uint64_t value) {
    std::string digits = std::to_string(value);
    for (std::size_t at = digits.size(); at > 3;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

std::string duration(std::uint64_t ns) {
    const std::uint64_t seconds = ns / 1'000'000'000;
    const auto pair = [](std::uint64_t first, const char* unit, std::uint64_t second,
                         const char* small) {
        return std::to_string(first) + unit + " " + std::to_string(second) + small;
    };
    if (seconds >= 86400) return pair(seconds / 86400, " d", seconds % 86400 / 3600, " h");
    if (seconds >= 3600) return pair(seconds / 3600, " h", seconds % 3600 / 60, " min");
    if (seconds >= 60) return pair(seconds / 60, " min", seconds % 60, " s");
    return std::to_string(seconds) + "." + std::to_string(ns / 100'000'000 % 10) + " s";
}

std::string bytes_text(std::uint64_t bytes) {
    const auto value = static_cast<double>(bytes);
    if (bytes >= 1'000'000'000) return tenths(value / 1e9, "GB");
    if (bytes >= 1'000'000) return tenths(value / 1e6, "MB");
    if (bytes >= 1'000) return tenths(value / 1e3, "kB");
    return std::to_string(bytes) + " B";
}

std::string percent(double share) { return tenths(share * 100, "%"); }

std::string utc_time(std::int64_t ns) {
    if (ns <= 0) return "-";
    const std::int64_t seconds = ns / 1'000'000'000;
    const Day day = civil(seconds / 86400);
    const auto rest = static_cast<unsigned>(seconds % 86400);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u %02u:%02u:%02u", day.year, day.month, day.day,
                  rest / 3600, rest / 60 % 60, rest % 60);
    return text;
}

std::string ago(std::int64_t ns, std::int64_t now_ns) {
    if (ns <= 0) return "-";
    const std::int64_t seconds = std::max<std::int64_t>(0, now_ns - ns) / 1'000'000'000;
    if (seconds >= 86400) return std::to_string(seconds / 86400) + " d ago";
    if (seconds >= 3600) return std::to_string(seconds / 3600) + " h ago";
    if (seconds >= 60) return std::to_string(seconds / 60) + " min ago";
    return std::to_string(seconds) + " s ago";
}

std::string shown(std::string_view text) {
    std::string out(text);
    std::replace_if(
        out.begin(), out.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    return out;
}

}  // namespace seine::cli
