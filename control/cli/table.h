// Text for terminals: tables, numbers, times, and bytes that may not command the terminal.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seine::cli {

// Rows of cells, each column to the side that `sides` says (l or r); blanks at line ends left out.
// Widths count characters, not bytes, for UTF-8 text.
class Table {
  public:
    explicit Table(std::string_view sides) : sides_(sides) {}
    void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    [[nodiscard]] std::string text() const;

  private:
    std::string_view sides_;
    std::vector<std::vector<std::string>> rows_;
};

std::string grouped(std::uint64_t value);        // 1,234,567
std::string duration(std::uint64_t ns);          // 2 h 3 min
std::string bytes_text(std::uint64_t bytes);     // 1.5 GB
std::string percent(double share);               // 12.3 %; of 0 to 1
std::string utc_time(std::int64_t ns);           // 2026-02-03 04:05:06, UTC; "-" for 0
std::string ago(std::int64_t ns, std::int64_t now_ns);  // 5 min ago
// A text of a document on a terminal: control characters would be commands to it.
std::string shown(std::string_view text);

}  // namespace seine::cli
