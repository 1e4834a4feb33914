// What the rules are, what they did, and how they came: list, show, versions, diff, stats, export.
#include <algorithm>
#include <filesystem>

#include "control/cli/signature_place.h"
#include "control/cli/signature_set.h"
#include "control/cli/table.h"
#include "control/signature/difference.h"
#include "dataplane/signature/compile.h"
#include "dataplane/signature/rule_file.h"

namespace seine::cli {
namespace {

using signature::Rule;

Status printed(const Write& write, const std::string& text) {
    return write(text) ? Status() : failed("the output cannot be written");
}

// The rules of a folder, a version or what runs; a mistake in them is told whole.
Result<signature::RuleSet> rules_of(const Invocation& invocation, const std::string& typed,
                                    const Write& write) {
    const auto folder = rules_named(invocation, typed);
    if (!folder) return folder.error();
    signature::LoadedRules loaded = signature::read_rules(*folder);
    if (loaded.problems.empty()) return std::move(loaded.set);
    static_cast<void>(write(loaded.problems.lines()));
    return failed(*folder + ": the mistakes are named above");
}

std::string_view runs_in_text(const signature::RuleSet& set, const Rule& rule) {
    return runs_in(set, rule) == signature::RunsIn::control ? "control" : "dataplane";
}

// Line ends stay, other control characters do not.
std::string shown_lines(const std::string& text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        out += shown(std::string_view(text).substr(at, end - at)) + "\n";
        at = end + 1;
    }
    return out;
}

std::string rule_json(const signature::RuleSet& set, const Rule& rule, bool whole) {
    std::string out = "{\"id\":" + json_text(rule.id) +
                      ",\"version\":" + std::to_string(rule.version) +
                      ",\"pack\":" + json_text(rule.pack) + ",\"title\":" + json_text(rule.title) +
                      ",\"class\":" + json_text(rule.rule_class) + ",\"severity\":\"" +
                      std::string(name_of(rule.severity)) +
                      "\",\"confidence\":" + std::to_string(rule.confidence) + ",\"state\":\"" +
                      std::string(name_of(rule.state)) + "\",\"runs_in\":\"" +
                      std::string(runs_in_text(set, rule)) + "\"";
    if (!whole) return out + "}";
    out += ",\"source\":" + json_text(rule.source) + ",\"references\":[";
    for (std::size_t i = 0; i < rule.references.size(); ++i)
        out += (i == 0 ? "" : ",") + json_text(rule.references[i]);
    return out +
           "],\"condition\":" + json_text(control_signature::condition_text(set, rule.condition)) +
           ",\"place\":" + json_text(text_of(rule.place)) + "}";
}

}  // namespace

Status list_rules(const Invocation& invocation, const Write& write) {
    const auto set = rules_of(invocation, invocation.arguments.text("dir"), write);
    if (!set) return set.error();
    if (invocation.json) {
        std::string out = "[";
        for (const Rule& rule : set->rules)
            out += (out.size() == 1 ? "" : ",") + rule_json(*set, rule, false);
        return printed(write, out + "]\n");
    }
    Table table("lllrll");
    table.row({"rule", "state", "severity", "sure", "runs in", "title"});
    for (const Rule& rule : set->rules)
        table.row({rule.id, std::string(name_of(rule.state)), std::string(name_of(rule.severity)),
                   std::to_string(rule.confidence) + " %", std::string(runs_in_text(*set, rule)),
                   shown(rule.title)});
    return printed(write, table.text());
}

Status show_rule(const Invocation& invocation, const Write& write) {
    const std::string& id = invocation.arguments.text("rule");
    const auto set = rules_of(invocation, invocation.arguments.text("in"), write);
    if (!set) return set.error();
    const auto rule = std::find_if(set->rules.begin(), set->rules.end(),
                                   [&](const Rule& one) { return one.id == id; });
    if (rule == set->rules.end())
        return Status(Code::not_found,
                      "no rule `" + id + "` here; seinectl signature list shows them");
    if (invocation.json) return printed(write, rule_json(*set, *rule, true) + "\n");
    std::string out = rule->id + " (version " + std::to_string(rule->version) + ", pack " +
                      rule->pack + ", " + text_of(rule->place) + ")\n" + shown(rule->title) +
                      "\n\n" + rule->rule_class + ", " + std::string(name_of(rule->severity)) +
                      ", " + std::to_string(rule->confidence) + " % sure, " +
                      std::string(name_of(rule->state)) + ", runs in " +
                      std::string(runs_in_text(*set, *rule)) + "\n";
    if (!rule->source.empty()) out += "known from: " + shown(rule->source) + "\n";
    for (const std::string& reference : rule->references) out += "see: " + shown(reference) + "\n";
    return printed(
        write, out + "\n" + shown_lines(control_signature::condition_text(*set, rule->condition)));
}

Status show_versions(const Invocation& invocation, const Write& write) {
    const auto running = running_rules(invocation);
    if (!running) return running.error();
    const auto versions = control_signature::VersionStore(running->folder).list();
    if (invocation.json) {
        std::string out = "[";
        for (const auto& one : versions)
            out += std::string(out.size() == 1 ? "" : ",") +
                   "{\"version\":" + std::to_string(one.number) +
                   ",\"time_ns\":" + std::to_string(one.time_ns) +
                   ",\"author\":" + json_text(one.author) + ",\"reason\":" + json_text(one.reason) +
                   ",\"rules\":" + std::to_string(one.rules) +
                   ",\"parent\":" + std::to_string(one.parent) +
                   ",\"runs\":" + (one.number == running->generation ? "true" : "false") + "}";
        return printed(write, out + "]\n");
    }
    Table table("rlrlll");
    table.row({"version", "time", "rules", "author", "reason", ""});
    for (const auto& one : versions) {
        const bool runs = one.number == running->generation;
        table.row({std::to_string(one.number), utc_time(one.time_ns), grouped(one.rules),
                   shown(one.author), shown(one.reason),
                   !runs              ? ""
                   : running->pending ? "runs, not confirmed"
                                      : "runs"});
    }
    return printed(write, table.text());
}

Status show_difference(const Invocation& invocation, const Write& write) {
    const auto before = rules_of(invocation, invocation.arguments.text("before"), write);
    if (!before) return before.error();
    const auto after = rules_of(invocation, invocation.arguments.text("after"), write);
    if (!after) return after.error();
    const auto changes = control_signature::difference(*before, *after);
    std::string out = invocation.json ? "[" : "";
    for (const auto& change : changes) {
        if (!invocation.json) {
            out += std::string(name_of(change.kind)) + " " + change.id;
            for (std::size_t i = 0; i < change.parts.size(); ++i)
                out += (i == 0 ? ": " : ", ") + shown(change.parts[i]);
            out += "\n";
            continue;
        }
        out += std::string(out.size() == 1 ? "" : ",") + "{\"id\":" + json_text(change.id) +
               ",\"change\":\"" + std::string(name_of(change.kind)) + "\",\"parts\":[";
        for (std::size_t i = 0; i < change.parts.size(); ++i)
            out += (i == 0 ? "" : ",") + json_text(change.parts[i]);
        out += "]}";
    }
    if (invocation.json) return printed(write, out + "]\n");
    return printed(write, out.empty() ? "no difference\n" : out);
}

Status export_rules(const Invocation& invocation, const Write& write) {
    const std::string& target = invocation.arguments.text("target");
    std::error_code error;
    if (std::filesystem::exists(target, error))
        return failed(target + ": is there already; name a folder that is not");
    const auto from = rules_named(invocation, invocation.arguments.text("version"));
    if (!from) return from.error();
    const Status copied = control_signature::copy_rules(*from, target);
    if (!copied.ok()) return copied;
    return printed(write, invocation.json ? "{\"folder\":" + json_text(target) + "}\n"
                                          : "the rules are in " + target + "\n");
}

}  // namespace seine::cli
