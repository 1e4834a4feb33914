// Cells: organisations that agree on values of several channels, more often than the rest explains.
//
//   n = n_xy, n_x, n_y, N count organisations in the window; a triple takes its pair for x.
//   mu = n_x (n_y - n) / (N - n_x)                     what everybody else would lead to expect
//   OR = (n+.5)(N-n_x-n_y+n+.5) / ((n_x-n+.5)(n_y-n+.5))
//   G  = n ln(n/mu) - (n - mu)
//   r  = min(6, ln OR, ln(n / max(mu, .05)))  if n >= 5, n > mu and G > 14, else 0
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/detect/population.h"
#include "dataplane/base/status.h"

namespace seine::detect {

struct CellMaths {
    double mu = 0, log_odds = 0, deviance = 0;
    double nats = 0;  // r
};
inline constexpr double kCellOrgsMin = 5, kDevianceMin = 14, kCellNatsMax = 6, kOthersMin = 100;
[[nodiscard]] CellMaths cell_maths(double n, double n_x, double n_y, double n_all) noexcept;

// Weight of a shared session among n organisations: 3 + 0.6 ln(n/2), 6 at most.
[[nodiscard]] double session_nats(double n) noexcept;

struct Template {
    std::array<Channel, 3> channels{};
    std::size_t parts = 0;
    std::string name;
    [[nodiscard]] std::uint8_t groups() const noexcept;
};
// "prefix.stk", of two or three known channels of different groups.
[[nodiscard]] Result<Template> read_template(std::string_view text);
[[nodiscard]] const std::vector<std::string>& default_templates();

struct Cell {
    static constexpr std::uint32_t kNone = 0xffffffffu;
    std::array<std::uint32_t, 3> token{kNone, kNone, kNone};  // of the population; sessions: none
    std::uint16_t template_index = 0;
    std::uint8_t groups = 0;
    std::uint32_t n = 0;
    double mu = 0;
    double nats = 0;
    std::size_t first = 0;  // in members
    std::uint32_t count = 0;
};

class Cells {
  public:
    // The template that stands for addresses with more organisations than their stacks explain,
    // and the one for components of accounts that share sessions or connections.
    static constexpr std::uint16_t kCrowd = 0xfffe, kLinked = 0xffff;

    Cells(const Population& population, const std::vector<Template>& templates);
    std::vector<Cell> cells;
    [[nodiscard]] std::span<const std::uint32_t> members(const Cell& cell) const noexcept {
        return {members_.data() + cell.first, cell.count};
    }
    // Cells of a row, strongest first.
    [[nodiscard]] std::span<const std::uint32_t> of_row(std::size_t row) const noexcept {
        return {of_row_.data() + begin_[row], begin_[row + 1] - begin_[row]};
    }
    std::uint64_t pairs = 0;  // (account, cell) pairs looked at

  private:
    struct Found {
        std::vector<Cell> cells;
        std::vector<std::uint32_t> members;
        std::uint64_t pairs = 0;
    };
    static Found of_template(const Population& population, const Template& shape,
                             std::uint16_t index);
    static Found crowds(const Population& population);
    static Found linked(const Population& population);
    void append(Found&& found);
    void index_rows(std::size_t rows);

    std::vector<std::uint32_t> members_;
    std::vector<std::size_t> begin_;
    std::vector<std::uint32_t> of_row_;
};

}  // namespace seine::detect
