// Who is who in a labelled world: truth.jsonl and truth_exchanges.csv. For the grader alone.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/model/tag.h"
#include "dataplane/base/status.h"

namespace seine::evaluate {

// A name of the truth by number: 0 is none, others index WorldTruth::names.
using NameId = std::uint16_t;

struct TruthRow {
    model::AccountTag account;
    model::OrgTag org;
    NameId farm = 0;
    NameId campaign = 0;
    NameId confounder = 0;
    bool active = false;         // had at least one connection in the window
    std::int32_t replaces = -1;  // row of the closed account this one stands in for
    std::int64_t closed_ns = 0;  // 0: never
};

// Exchanges of a farm account on one connection.
struct FarmUse {
    std::uint32_t row = 0;
    std::uint32_t exchanges = 0;
    std::int64_t t_open_ns = 0;
};

struct WorldTruth {
    std::string level;
    std::uint64_t seed = 0;
    double days = 0;
    std::int64_t start_ns = 0;
    std::vector<std::string> names{""};
    std::vector<TruthRow> rows;
    std::vector<FarmUse> uses;  // in order of t_open
    std::unordered_map<model::AccountTag, std::uint32_t> row_of;

    [[nodiscard]] std::size_t benign_active() const;
    [[nodiscard]] std::size_t farm_active() const;
};

// Reads world.json, truth.jsonl and truth_exchanges.csv of `folder`.
Result<WorldTruth> read_truth(const std::string& folder);

}  // namespace seine::evaluate
