#include "tools/bench/report.h"

#include <cmath>
#include <cstdio>

namespace seine::bench {
namespace {

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) < 0x20) {
            out += ' ';
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string number(double value) {
    if (!std::isfinite(value)) return "null";
    char text[40];
    std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}

std::string number(const std::optional<double>& value) { return value ? number(*value) : "null"; }

std::string shown(double value) {
    char text[40];
    const double size = std::fabs(value);
    std::snprintf(text, sizeof text, size >= 1000 ? "%.0f" : size >= 10 ? "%.1f" : "%.3g", value);
    return text;
}

}  // namespace

std::optional<bool> Row::met() const {
    if (!target) return std::nullopt;
    return bound == Bound::at_most ? value <= *target : value >= *target;
}

std::optional<double> Row::ratio() const {
    if (!baseline || *baseline == 0) return std::nullopt;
    return value / *baseline;
}

void Report::add(Row row) { rows_.push_back(std::move(row)); }

std::optional<double> Report::value(const std::string& name) const {
    for (const Row& row : rows_)
        if (row.name == name) return row.value;
    return std::nullopt;
}

std::string Report::json() const {
    std::string out = "{\"machine\":{";
    const char* comma = "";
    for (const auto& [key, value] : machine_.entries()) {
        out += comma + quoted(key) + ":" + quoted(value);
        comma = ",";
    }
    out += "},\"rows\":[";
    comma = "\n";
    for (const Row& row : rows_) {
        const auto met = row.met();
        out += comma;
        out += "{\"name\":" + quoted(row.name) + ",\"value\":" + number(row.value) + ",\"unit\":" + quoted(row.unit) +
               ",\"target\":" + number(row.target) + ",\"met\":" + (met ? *met ? "true" : "false" : "null") +
               ",\"baseline\":" + number(row.baseline) + ",\"ratio\":" + number(row.ratio()) +
               ",\"spread\":" + number(row.spread) + ",\"note\":" + quoted(row.note) + "}";
        comma = ",\n";
    }
    return out + "\n]}\n";
}

std::string Report::table() const {
    std::string out;
    for (const auto& [key, value] : machine_.entries()) out += key + ": " + value + "\n";
    char line[256];
    std::snprintf(line, sizeof line, "\n%-32s %10s %-22s %10s %5s %8s %7s  %s\n", "row", "value", "unit", "target",
                  "met", "ratio", "spread", "note");
    out += line;
    for (const Row& row : rows_) {
        const auto met = row.met();
        const auto ratio = row.ratio();
        std::string target;
        if (row.target) target = (row.bound == Bound::at_most ? "<= " : ">= ") + shown(*row.target);
        std::snprintf(line, sizeof line, "%-32s %10s %-22s %10s %5s %8s %6s%%  ", row.name.c_str(),
                      shown(row.value).c_str(), row.unit.c_str(), target.c_str(), met ? *met ? "yes" : "NO" : "",
                      ratio ? shown(*ratio).c_str() : "", row.spread ? shown(*row.spread * 100).c_str() : "-");
        out += line + row.note + "\n";
    }
    return out;
}

}  // namespace seine::bench
