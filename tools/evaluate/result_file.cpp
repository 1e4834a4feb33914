#include "tools/evaluate/result_file.h"

#include <cstdio>
#include <fstream>

#include <simdjson.h>

namespace seine::evaluate {

Status write_result(const std::string& path, const std::vector<Verdict>& verdicts,
                    const WorldTruth& truth) {
    std::ofstream out(path);
    if (!out) return failed(path + ": cannot be written");
    char number[64];
    for (std::size_t row = 0; row < verdicts.size(); ++row) {
        const Verdict& v = verdicts[row];
        if (!v.alerted && v.score_nats == 0) continue;
        std::snprintf(number, sizeof number, "%.6g", v.score_nats);
        out << R"({"account":")" << to_text(truth.rows[row].account) << R"(","score_nats":)"
            << number << R"(,"alerted":)" << (v.alerted ? "true" : "false")
            << R"(,"first_alert_ns":)";
        if (v.first_alert_ns)
            out << *v.first_alert_ns;
        else
            out << "null";
        out << R"(,"farm":)";
        if (v.farm.empty())
            out << "null}\n";
        else
            out << '"' << v.farm << "\"}\n";
    }
    out.close();
    if (!out) return failed(path + ": cannot be written to its end; is the disk full?");
    return {};
}

Result<std::vector<Verdict>> read_result(const std::string& path, const WorldTruth& truth) {
    std::ifstream in(path);
    if (!in) return failed(path + ": cannot be read");
    std::vector<Verdict> out(truth.rows.size());
    simdjson::dom::parser parser;
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        if (line.empty()) continue;
        const std::string where = path + ":" + std::to_string(number) + ": ";
        simdjson::dom::element object;
        std::string_view account, farm;
        model::AccountTag tag;
        Verdict v;
        if (parser.parse(line).get(object) != simdjson::SUCCESS ||
            object["account"].get(account) != simdjson::SUCCESS || !from_text(account, tag) ||
            object["alerted"].get(v.alerted) != simdjson::SUCCESS)
            return failed(where + "expected an object with `account` and `alerted`");
        const auto row = truth.row_of.find(tag);
        if (row == truth.row_of.end())
            return failed(where + "account " + std::string(account) + " is not in this world");
        if (object["score_nats"].get(v.score_nats) != simdjson::SUCCESS) v.score_nats = 0;
        std::int64_t at = 0;
        if (object["first_alert_ns"].get(at) == simdjson::SUCCESS) v.first_alert_ns = at;
        if (object["farm"].get(farm) == simdjson::SUCCESS) v.farm = farm;
        out[row->second] = std::move(v);
    }
    return out;
}

}  // namespace seine::evaluate
