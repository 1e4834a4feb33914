// What a run found: one row per figure, printed as a table or as JSON.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/machine.h"

namespace seine::bench {

enum class Bound : bool { at_most, at_least };

struct Row {
    std::string name;
    double value = 0;
    std::string unit;
    std::optional<double> target{};
    Bound bound = Bound::at_most;
    std::optional<double> baseline{};  // measured in the same run, in the row's unit
    std::optional<double> spread{};    // half of p5 to p95 over the median; 0.1 is 10 %
    std::string note{};

    [[nodiscard]] std::optional<bool> met() const;
    [[nodiscard]] std::optional<double> ratio() const;  // value over baseline
};

class Report {
  public:
    explicit Report(Machine machine) : machine_(std::move(machine)) {}
    void add(Row row);
    [[nodiscard]] const std::vector<Row>& rows() const noexcept { return rows_; }
    [[nodiscard]] const Machine& machine() const noexcept { return machine_; }
    // Value of a row by name, if it was measured in this run.
    [[nodiscard]] std::optional<double> value(const std::string& name) const;
    // {machine, rows: [{name, value, unit, target, met, baseline, ratio, spread, note}]}
    [[nodiscard]] std::string json() const;
    [[nodiscard]] std::string table() const;

  private:
    Machine machine_;
    std::vector<Row> rows_;
};

}  // namespace seine::bench
