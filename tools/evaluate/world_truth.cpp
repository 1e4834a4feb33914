#include "tools/evaluate/world_truth.h"

#include <charconv>
#include <fstream>

#include <simdjson.h>

namespace seine::evaluate {
namespace {

using simdjson::dom::element;

// Text of a field, empty for null.
std::string_view text_of(element v) {
    std::string_view text;
    if (v.get_string().get(text) != simdjson::SUCCESS) return {};
    return text;
}

class Names {
  public:
    explicit Names(std::vector<std::string>& names) : names_(names) {}
    NameId id(std::string_view name) {
        if (name.empty()) return 0;
        for (std::size_t i = 1; i < names_.size(); ++i) {
            if (names_[i] == name) return static_cast<NameId>(i);
        }
        names_.emplace_back(name);
        return static_cast<NameId>(names_.size() - 1);
    }

  private:
    std::vector<std::string>& names_;
};

Status read_world_file(const std::string& path, WorldTruth& out) {
    simdjson::padded_string text;
    if (simdjson::padded_string::load(path).get(text) != simdjson::SUCCESS)
        return failed(path + ": cannot be read; --world names a folder with world.json in it");
    simdjson::dom::parser parser;
    simdjson::dom::element doc;
    std::string_view level;
    if (parser.parse(text).get(doc) != simdjson::SUCCESS ||
        doc["level"].get_string().get(level) != simdjson::SUCCESS)
        return failed(path + ": has no `level`; is it the world.json of a generated world?");
    out.level = level;
    if (doc["seed"].get_uint64().get(out.seed) != simdjson::SUCCESS ||
        doc["days"].get_double().get(out.days) != simdjson::SUCCESS ||
        doc["start_ns"].get_int64().get(out.start_ns) != simdjson::SUCCESS || out.days <= 0)
        return failed(path + ": `seed`, `days` or `start_ns` is missing");
    return {};
}

// False when a field that must be there is not.
bool read_row(simdjson::dom::object object, Names& names, TruthRow& row, std::string& replaces) {
    bool have_tag = false;
    for (const auto& [key, v] : object) {
        if (key == "account_tag") have_tag = from_text(text_of(v), row.account);
        if (key == "org_tag" && !from_text(text_of(v), row.org)) return false;
        if (key == "farm") row.farm = names.id(text_of(v));
        if (key == "campaign") row.campaign = names.id(text_of(v));
        if (key == "confounder") row.confounder = names.id(text_of(v));
        if (key == "active" && v.get_bool().get(row.active) != simdjson::SUCCESS) return false;
        if (key == "replaces") replaces = text_of(v);
        if (key == "closed_ns" && !v.is_null() &&
            v.get_int64().get(row.closed_ns) != simdjson::SUCCESS)
            return false;
    }
    return have_tag;
}

Status read_rows(const std::string& path, WorldTruth& out) {
    std::ifstream in(path);
    if (!in) return failed(path + ": cannot be read; only a labelled world can be graded");
    Names names(out.names);
    simdjson::dom::parser parser;
    std::string line;
    std::vector<std::pair<std::uint32_t, std::string>> replaced;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        if (line.empty()) continue;
        TruthRow row;
        std::string replaces;
        simdjson::dom::object object;
        if (parser.parse(line).get_object().get(object) != simdjson::SUCCESS ||
            !read_row(object, names, row, replaces))
            return failed(path + ":" + std::to_string(number) + ": not a line of a truth file");
        const auto at = static_cast<std::uint32_t>(out.rows.size());
        if (!out.row_of.emplace(row.account, at).second)
            return failed(path + ":" + std::to_string(number) +
                          ": this account has a line already");
        if (!replaces.empty()) replaced.emplace_back(at, std::move(replaces));
        out.rows.push_back(row);
    }
    for (const auto& [row, tag] : replaced) {
        model::AccountTag before;
        if (!from_text(tag, before)) continue;
        const auto found = out.row_of.find(before);
        if (found != out.row_of.end())
            out.rows[row].replaces = static_cast<std::int32_t>(found->second);
    }
    return {};
}

Status read_uses(const std::string& path, WorldTruth& out) {
    std::ifstream in(path);
    if (!in) return failed(path + ": cannot be read");
    std::string line;
    std::getline(in, line);
    for (std::size_t number = 2; std::getline(in, line); ++number) {
        FarmUse use;
        const char* at = line.data();
        const char* const end = at + line.size();
        auto step = std::from_chars(at, end, use.row);
        if (step.ec == std::errc() && step.ptr < end)
            step = std::from_chars(step.ptr + 1, end, use.t_open_ns);
        if (step.ec == std::errc() && step.ptr < end)
            step = std::from_chars(step.ptr + 1, end, use.exchanges);
        if (step.ec != std::errc() || step.ptr != end || use.row >= out.rows.size())
            return failed(path + ":" + std::to_string(number) +
                          ": expected truth_row,t_open_ns,exchanges");
        out.uses.push_back(use);
    }
    return {};
}

}  // namespace

std::size_t WorldTruth::benign_active() const {
    std::size_t n = 0;
    for (const TruthRow& row : rows) n += row.farm == 0 && row.active;
    return n;
}

std::size_t WorldTruth::farm_active() const {
    std::size_t n = 0;
    for (const TruthRow& row : rows) n += row.farm != 0 && row.active;
    return n;
}

Result<WorldTruth> read_truth(const std::string& folder) {
    WorldTruth out;
    if (Status s = read_world_file(folder + "/world.json", out); !s.ok()) return s;
    if (Status s = read_rows(folder + "/truth.jsonl", out); !s.ok()) return s;
    if (Status s = read_uses(folder + "/truth_exchanges.csv", out); !s.ok()) return s;
    return out;
}

}  // namespace seine::evaluate
