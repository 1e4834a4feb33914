#include "control/cli/signature_try_store.h"

#include <algorithm>
#include <ctime>
#include <map>
#include <optional>

#include "control/cli/ask.h"
#include "control/cli/signature_place.h"
#include "control/cli/table.h"
#include "control/signature/joined.h"
#include "control/signature/value_trial.h"
#include "dataplane/signature/rule_file.h"

namespace seine::cli {
namespace {

using command::JsonValue;
using control_signature::CountedValue;
using control_signature::ValueHits;
using control_signature::ValueTrial;

constexpr std::size_t kExamplesMax = 3;
constexpr std::size_t kChangesShown = 20;
constexpr int kAskMs = 60'000;
constexpr double kFlowSecondsMax = 4;  // of looking at single flows, for each set

struct FlowHits {
    std::uint64_t flows = 0;  // counting what each kept one stands for
    std::map<std::string, std::string> clients;  // to an example
};

// One set, tried.
struct Tried {
    std::map<std::string, ValueHits> values;
    std::map<std::string, FlowHits> flows;  // rules that values alone do not decide
    std::uint64_t flows_read = 0;
};

struct Kept {
    std::vector<JsonValue> values;  // documents of `signature try`, one a field
    JsonValue flows;
    std::uint64_t accounts_in_all = 0;
    std::uint64_t flows_in_all = 0;
    std::vector<std::string> cut;  // fields of which not all values came
};

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

Result<std::unique_ptr<ValueTrial>> read_set(const std::string& folder, const Write& write) {
    signature::LoadedRules loaded = signature::read_rules(folder);
    if (loaded.problems.empty()) return ValueTrial::make(std::move(loaded.set));
    static_cast<void>(write(loaded.problems.lines()));
    return failed(folder + ": the mistakes are named above");
}

Result<JsonValue> asked(const Invocation& invocation, const Noun& noun, const Verb& verb, const command::Arguments& arguments) {
    Invocation one = invocation;
    one.noun = &noun;
    one.verb = &verb;
    one.timeout_ms = std::max(invocation.timeout_ms, kAskMs);
    const auto document = ask(one, arguments);
    if (!document) return document.error();
    auto json = JsonValue::parse(*document);
    if (!json) return Status(Code::corrupt, invocation.socket + ": the answer is " + json.error().message());
    return json;
}

Result<Kept> fetch(const Invocation& invocation, const std::set<std::string>& fields) {
    Kept kept;
    for (const std::string& field : fields) {
        command::Arguments arguments;
        arguments.set("field", field);
        arguments.set("days", invocation.arguments.text("days"));
        auto document = asked(invocation, *invocation.noun, *invocation.verb, arguments);
        if (!document) return document.error();
        kept.accounts_in_all = (*document)["accounts_in_all"].number();
        kept.flows_in_all = (*document)["flows_in_all"].number();
        if ((*document)["cut"].boolean()) kept.cut.push_back(field);
        kept.values.push_back(std::move(*document));
    }
    static constexpr Verb kList = {.name = "list", .meaning = ""};
    static constexpr Noun kFlow = {.name = "flow", .meaning = ""};
    command::Arguments arguments;
    arguments.set("limit", invocation.arguments.has("flows") ? invocation.arguments.text("flows") : "5000");
    arguments.set("since", invocation.arguments.text("days") + "d");
    auto flows = asked(invocation, kFlow, kList, arguments);
    if (!flows) return flows.error();
    kept.flows = std::move(*flows);
    return kept;
}

void try_values(ValueTrial& trial, const Kept& kept, Tried& out) {
    for (const JsonValue& document : kept.values) {
        CountedValue value;
        value.field = document["field"].text();
        if (!trial.fields().contains(value.field)) continue;
        for (const JsonValue& row : document["values"].items()) {
            value.value = row["value"].text();
            value.flows = row["flows"].number();
            value.accounts = row["accounts"].number();
            value.some_accounts.clear();
            for (const JsonValue& account : row["some_accounts"].items()) value.some_accounts.push_back(account.text());
            trial.add(value);
        }
    }
    out.values = trial.outcome();
}

// What a rule that asks for several fields would hit, on the newest single flows that are kept.
void try_flows(const ValueTrial& trial, const Kept& kept, Tried& out) {
    std::vector<std::size_t> rules;
    for (std::size_t i = 0; i < trial.set().rules.size(); ++i) {
        if (trial.set().rules[i].state != signature::State::disabled && trial.needs_flows(i)) rules.push_back(i);
    }
    const double begun = cpu_seconds();
    for (const JsonValue& row : kept.flows["flows"].items()) {
        if (rules.empty() || cpu_seconds() - begun > kFlowSecondsMax) break;
        const JsonValue& record = row["record"];
        control_signature::JoinedFlow flow(true);
        for (const auto& [key, value] : record.members()) {
            if (!value.is(JsonValue::Type::array)) flow.add(key, value.written());
            for (const JsonValue& item : value.items()) flow.add(key, item.written());
        }
        ++out.flows_read;
        for (const std::size_t rule : rules) {
            if (trial.evaluator().evaluate(trial.set().rules[rule], flow.subject()) != signature::Tri::yes) continue;
            FlowHits& hits = out.flows[trial.set().rules[rule].id];
            hits.flows += std::max<std::uint64_t>(1, row["stands_for"].number());
            const std::string client = record["src"].text() + ":" + record["sport"].written();
            const std::string account = row["accounts"].items().empty() ? "" : ", account " + row["accounts"].items()[0].text();
            hits.clients.emplace(client, client + " " + record["ja4"].text() + account);
        }
    }
}

struct Change {
    std::string rule;
    std::string example;
    std::uint64_t flows = 0;
    std::uint64_t accounts = 0;
};

std::string example_of(const CountedValue& value) {
    return value.field + " `" + value.value + "`" +
           (value.some_accounts.empty() ? "" : ", account " + value.some_accounts.front());
}

// Hits of `a` that `b` has not.
std::vector<Change> only_in(const Tried& a, const Tried& b) {
    std::vector<Change> out;
    for (const auto& [rule, hits] : a.values) {
        const auto other = b.values.find(rule);
        std::set<std::string> there;
        if (other != b.values.end())
            for (const CountedValue& value : other->second.hits) there.insert(value.field + " " + value.value);
        for (const CountedValue& value : hits.hits) {
            if (!there.contains(value.field + " " + value.value))
                out.push_back({rule, example_of(value), value.flows, value.accounts});
        }
    }
    for (const auto& [rule, hits] : a.flows) {
        const auto other = b.flows.find(rule);
        for (const auto& [client, example] : hits.clients) {
            if (other == b.flows.end() || !other->second.clients.contains(client)) out.push_back({rule, example, 1, 0});
        }
    }
    std::stable_sort(out.begin(), out.end(), [](const Change& x, const Change& y) { return x.flows > y.flows; });
    return out;
}

std::string changes_json(const std::vector<Change>& changes) {
    std::string out = "[";
    for (const Change& change : changes) {
        out += (out.size() == 1 ? "" : ",") + std::string("{\"rule\":") + json_text(change.rule) + ",\"example\":" +
               json_text(change.example) + ",\"flows\":" + std::to_string(change.flows) + ",\"accounts\":" +
               std::to_string(change.accounts) + "}";
    }
    return out + "]";
}

std::string as_json(const Invocation& invocation, const Kept& kept, const Tried& tried, const Tried* before) {
    std::string out = "{\"days\":" + invocation.arguments.text("days") + ",\"flows_in_all\":" + std::to_string(kept.flows_in_all) +
                      ",\"accounts_in_all\":" + std::to_string(kept.accounts_in_all) + ",\"flows_read\":" +
                      std::to_string(tried.flows_read) + ",\"cut\":[";
    for (const std::string& field : kept.cut) out += (out.back() == '[' ? "" : ",") + json_text(field);
    out += "],\"rules\":[";
    for (const auto& [rule, hits] : tried.values) {
        out += (out.back() == '[' ? "" : ",") + std::string("{\"id\":") + json_text(rule) + ",\"by\":" +
               json_text(name_of(hits.by)) +
               ",\"flows\":" + std::to_string(hits.flows) + ",\"accounts\":" + std::to_string(hits.accounts) + ",\"values\":" +
               std::to_string(hits.values);
        const auto flows = tried.flows.find(rule);
        out += ",\"kept_flows_hit\":" + std::to_string(flows == tried.flows.end() ? 0 : flows->second.flows) + ",\"examples\":[";
        for (std::size_t i = 0; i < std::min(hits.hits.size(), kExamplesMax); ++i)
            out += (out.back() == '[' ? "" : ",") + json_text(example_of(hits.hits[i]));
        if (flows != tried.flows.end()) {
            std::size_t shown_count = 0;
            for (const auto& [client, example] : flows->second.clients)
                if (shown_count++ < kExamplesMax) out += (out.back() == '[' ? "" : ",") + json_text(example);
        }
        out += "]}";
    }
    out += "]";
    if (before != nullptr)
        out += ",\"new\":" + changes_json(only_in(tried, *before)) + ",\"gone\":" + changes_json(only_in(*before, tried));
    return out + "}\n";
}

std::string share(std::uint64_t part, std::uint64_t of) {
    return of == 0 ? "-" : percent(std::min(1.0, static_cast<double>(part) / static_cast<double>(of)));
}

std::string as_text(const Invocation& invocation, const Kept& kept, const Tried& tried, const Tried* before) {
    std::string out = grouped(kept.flows_in_all) + " flows of " + grouped(kept.accounts_in_all) + " accounts in " +
                      invocation.arguments.text("days") + " days; " + grouped(tried.flows_read) + " single flows looked at\n";
    for (const std::string& field : kept.cut) out += "of " + field + " only the values with the most flows were tried\n";
    Table table("llrrrl");
    std::uint64_t silent = 0;
    for (const auto& [rule, hits] : tried.values) {
        const auto flows = tried.flows.find(rule);
        const bool in_flows = flows != tried.flows.end();
        if (hits.flows == 0 && !in_flows) {
            ++silent;
            continue;
        }
        if (table.empty()) table.row({"rule", "by", "flows", "accounts", "of all", "for example"});
        const bool exact = hits.by == ValueHits::By::values;
        const std::string most = hits.by == ValueHits::By::bound ? "<= " : "";
        const bool told = hits.by != ValueHits::By::nothing_kept;
        table.row({shown(rule), exact ? "values" : in_flows ? "single flows" : std::string(name_of(hits.by)),
                   told ? most + grouped(hits.flows) : "-", told ? most + grouped(hits.accounts) : "-",
                   told ? most + share(hits.accounts, kept.accounts_in_all) : "-",
                   shown(exact      ? example_of(hits.hits.front())
                         : in_flows ? grouped(flows->second.flows) + " hit, " + flows->second.clients.begin()->second
                                    : "no single flow that is kept hits")});
    }
    out += table.empty() ? "no rule hits\n" : table.text() + grouped(silent) + " rules hit nothing\n";
    if (before == nullptr) return out;
    const auto fresh = only_in(tried, *before);
    const auto gone = only_in(*before, tried);
    out += "\nagainst the other set: " + grouped(fresh.size()) + " newly hit, " + grouped(gone.size()) + " no longer hit\n";
    for (const auto& [list, sign] : {std::pair(&fresh, "+ "), std::pair(&gone, "- ")}) {
        for (std::size_t i = 0; i < std::min(list->size(), kChangesShown); ++i)
            out += sign + shown((*list)[i].rule) + "  " + shown((*list)[i].example) + "  " + grouped((*list)[i].flows) + " flows\n";
    }
    return out;
}

}  // namespace

Status try_on_store(const Invocation& invocation, const std::string& folder, const std::string& against, const Write& write) {
    const auto days = invocation.arguments.number("days", 7, 1, 3660);
    if (!days) return days.error();
    auto trial = read_set(folder, write);
    if (!trial) return trial.error();
    std::unique_ptr<ValueTrial> other;
    std::set<std::string> fields = (*trial)->fields();
    if (!against.empty()) {
        auto made = read_set(against, write);
        if (!made) return made.error();
        other = std::move(*made);
        fields.insert(other->fields().begin(), other->fields().end());
    }
    const auto kept = fetch(invocation, fields);
    if (!kept) return kept.error();
    Tried tried;
    try_values(**trial, *kept, tried);
    try_flows(**trial, *kept, tried);
    std::optional<Tried> before;
    if (other != nullptr) {
        before.emplace();
        try_values(*other, *kept, *before);
        try_flows(*other, *kept, *before);
    }
    const Tried* const compared = before ? &*before : nullptr;
    const std::string text = invocation.json ? as_json(invocation, *kept, tried, compared)
                                             : as_text(invocation, *kept, tried, compared);
    return write(text) ? Status() : failed("the output cannot be written");
}

}  // namespace seine::cli
