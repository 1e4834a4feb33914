#include "control/cli/signature_offline.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "control/cli/table.h"
#include "control/signature/cost.h"
#include "dataplane/contract/json.h"
#include "dataplane/signature/check.h"
#include "dataplane/signature/compile.h"
#include "dataplane/signature/rule_file.h"

namespace seine::cli {
namespace {

using signature::Problems;

void append_places(std::string& out, const char* key, const Problems& problems) {
    out += "\"" + std::string(key) + "\":[";
    const char* comma = "";
    for (const signature::Problem& problem : problems.kept()) {
        out += comma;
        out += "{\"file\":";
        contract::append_json_text(out, problem.place.file);
        out += ",\"line\":" + std::to_string(problem.place.line) +
               ",\"column\":" + std::to_string(problem.place.column) + ",\"text\":";
        contract::append_json_text(out, problem.text);
        out += "}";
        comma = ",";
    }
    out += "]";
}

std::string count_of(std::size_t count, const char* what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

Status answer(const std::string& folder, const Problems& problems) {
    if (problems.empty()) return {};
    const std::size_t count = problems.kept().size() + problems.left_out();
    return failed(folder + ": " + count_of(count, "mistake") + "; each is named above");
}

// What is sound but could be better.
Problems remarks_of(const signature::RuleSet& set) {
    Problems out;
    for (const signature::Rule& rule : set.rules) {
        if (rule.source.empty() && rule.references.empty())
            out.add(rule.place,
                    "rule `" + rule.id +
                        "` does not say where its knowledge comes from; add source or references");
        const auto must = std::count_if(rule.examples.begin(), rule.examples.end(),
                                        [](const auto& example) { return example.must_match; });
        if (must == static_cast<std::ptrdiff_t>(rule.examples.size()))
            out.add(rule.place, "rule `" + rule.id + "` shows nothing it must leave alone");
    }
    return out;
}

}  // namespace

Status test_rules(const std::string& folder, bool json, std::string& out) {
    signature::LoadedRules loaded = signature::read_rules(folder);
    signature::CheckCounts counts;
    if (loaded.problems.empty()) {
        const auto evaluator = signature::Evaluator::make(loaded.set);
        if (!evaluator) return evaluator.error();
        counts = signature::check_examples(*evaluator, loaded.problems);
    }
    if (json) {
        out = "{\"ok\":" + std::string(loaded.problems.empty() ? "true" : "false") +
              ",\"rules\":" + std::to_string(counts.rules) +
              ",\"examples\":" + std::to_string(counts.examples) +
              ",\"failed\":" + std::to_string(counts.failed) + ",";
        append_places(out, "problems", loaded.problems);
        out += "}\n";
    } else {
        out = loaded.problems.lines();
        if (loaded.problems.empty())
            out += count_of(counts.rules, "rule") + ", " + count_of(counts.examples, "example") +
                   ": all hold\n";
    }
    return answer(folder, loaded.problems);
}

namespace {

std::string nanoseconds_text(double ns) {
    char text[32];
    std::snprintf(text, sizeof text, "%.0f ns", ns);
    return text;
}

std::string cost_text(const control_signature::SetCost& cost) {
    Table table("lrrr");
    table.row({"field", "comparisons", "database", "a value"});
    for (const auto& field : cost.fields)
        table.row({field.field, grouped(field.comparisons), bytes_text(field.database_bytes),
                   field.nanoseconds > 0 ? nanoseconds_text(field.nanoseconds) : "-"});
    return table.text() + "cost per header block: a request head " +
           nanoseconds_text(cost.request_nanoseconds) + ", a ClientHello " +
           nanoseconds_text(cost.hello_nanoseconds) + "; where every value came before " +
           nanoseconds_text(cost.request_again_nanoseconds) + " and " +
           nanoseconds_text(cost.hello_again_nanoseconds) + " (this machine, one core); databases " +
           bytes_text(cost.database_bytes) + "\n";
}

std::string cost_json(const control_signature::SetCost& cost) {
    std::string out = ",\"cost\":{\"request_ns\":" + std::to_string(cost.request_nanoseconds) +
                      ",\"hello_ns\":" + std::to_string(cost.hello_nanoseconds) +
                      ",\"request_again_ns\":" + std::to_string(cost.request_again_nanoseconds) +
                      ",\"hello_again_ns\":" + std::to_string(cost.hello_again_nanoseconds) +
                      ",\"database_bytes\":" + std::to_string(cost.database_bytes) +
                      ",\"fields\":[";
    for (const auto& field : cost.fields) {
        out += out.back() == '[' ? "{\"field\":" : ",{\"field\":";
        contract::append_json_text(out, field.field);
        out += ",\"comparisons\":" + std::to_string(field.comparisons) +
               ",\"database_bytes\":" + std::to_string(field.database_bytes) +
               ",\"value_ns\":" + std::to_string(field.nanoseconds) + "}";
    }
    return out + "]}";
}

Result<control_signature::SetCost> cost_of(const signature::CompiledRules& rules) {
    signature::Generation::Limits limits;
    auto again = signature::Generation::make(rules, limits);
    limits.remember = false;
    auto fresh = signature::Generation::make(rules, limits);
    if (!again) return again.error();
    if (!fresh) return fresh.error();
    return control_signature::cost_of_set(**fresh, **again);
}

}  // namespace

Result<CostLimit> cost_limit_of(const std::string& typed) {
    CostLimit out;
    if (typed.empty()) return out;
    char* end = nullptr;
    out.times = std::strtod(typed.c_str(), &end);
    if (*end != 0 || !(out.times >= 1 && out.times <= 1e6))
        return Status(Code::usage, "--cost-limit takes how many times what an ordinary rule costs one may cost: 10, say");
    out.refused = true;
    return out;
}

std::vector<control_signature::PatternCost> measured_costs(const signature::RuleSet& set) {
    auto told = std::chrono::steady_clock::now();
    return control_signature::costs_of_patterns(set, [&](std::size_t done) {
        if (std::chrono::steady_clock::now() - told < std::chrono::seconds(2)) return;
        told = std::chrono::steady_clock::now();
        std::fprintf(stderr, "%s patterns measured\n", grouped(done).c_str());
    });
}

Status lint_rules(const std::string& folder, const CostLimit& limit, bool json, std::string& out) {
    signature::LoadedRules loaded = signature::read_rules(folder);
    Problems remarks;
    control_signature::SetCost cost;
    if (loaded.problems.empty()) {
        check_explosions(loaded.set, loaded.problems);
        const signature::CompiledRules compiled = compile(loaded.set, loaded.problems);
        if (loaded.problems.empty()) {
            remarks = remarks_of(loaded.set);
            const auto costs = measured_costs(loaded.set);
            name_confirmed_patterns(loaded.set, costs, remarks);
            name_dear_rules(loaded.set, costs, limit.times, limit.refused ? loaded.problems : remarks);
            auto measured = cost_of(compiled);
            if (!measured) return measured.error();
            cost = std::move(*measured);
        }
    }
    if (json) {
        out = "{\"ok\":" + std::string(loaded.problems.empty() ? "true" : "false") + ",";
        append_places(out, "problems", loaded.problems);
        out += ",";
        append_places(out, "remarks", remarks);
        out += cost_json(cost) + "}\n";
    } else {
        out = loaded.problems.lines() + remarks.lines();
        if (loaded.problems.empty())
            out += cost_text(cost) + count_of(loaded.set.rules.size(), "rule") + ": no mistake\n";
    }
    return answer(folder, loaded.problems);
}

std::string fields_table(bool json) {
    std::string out = json ? "[" : "";
    for (std::size_t i = 0; i < signature::kFieldCount; ++i) {
        const signature::FieldInfo& one = signature::info(static_cast<signature::Field>(i));
        const bool header = static_cast<signature::Field>(i) == signature::Field::http_header;
        const std::string name = std::string(one.name) + (header ? ".NAME" : "");
        if (!json) {
            out += "| `" + name + "` | " + std::string(name_of(one.group)) + " | " +
                   std::string(one.meaning) + " |\n";
            continue;
        }
        out += i == 0 ? "{\"name\":" : ",{\"name\":";
        contract::append_json_text(out, name);
        out += ",\"group\":\"" + std::string(name_of(one.group)) + "\",\"meaning\":";
        contract::append_json_text(out, one.meaning);
        out += "}";
    }
    return json ? out + "]\n" : out;
}

}  // namespace seine::cli
