#include "control/cli/signature_try.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include "control/cli/child_lines.h"
#include "control/cli/signature_place.h"
#include "control/cli/signature_try_store.h"
#include "control/cli/table.h"
#include "control/signature/joined.h"
#include "dataplane/signature/check.h"
#include "dataplane/signature/rule_file.h"

namespace seine::cli {
namespace {

using command::JsonValue;
using control_signature::JoinedFlow;
using control_signature::JoinedRequest;
using control_signature::JoinedRules;

constexpr std::size_t kExamplesMax = 3;

struct Found {
    std::uint64_t hits = 0;
    std::vector<std::string> examples;  // "10.0.0.1:4711 http.user_agent `curl/8`"
    std::map<std::string, std::uint64_t> clients;
};
// By rule; and every hit as one text, so that two sets can be compared.
struct Outcome {
    std::map<std::string, Found> rules;
    std::map<std::string, std::string> hits;  // "rule client" to its example
    std::uint64_t flows = 0;
    std::uint64_t requests = 0;  // of gateway logs
    std::uint64_t unjoined = 0;  // of them, without a flow

    void add(const std::string& rule, const std::string& client, const std::string& values) {
        Found& found = rules[rule];
        ++found.hits;
        ++found.clients[client];
        const std::string example = client + " " + values;
        if (found.examples.size() < kExamplesMax && found.clients[client] == 1)
            found.examples.push_back(example);
        hits.emplace(rule + " " + client, example);
    }
};

// A flow of the captures, by its client's address and port.
struct TriedFlow {
    JoinedFlow fields;
    double first_s = 0;
    double last_s = 0;
};
using TriedFlows = std::map<std::string, std::vector<TriedFlow>>;

std::string client_of(const JsonValue& record) {
    return record["src"].text() + ":" + record["sport"].written();
}

// Values of a finding: field `value`, ..
std::string values_of(const JsonValue& record) {
    std::string out;
    const auto& fields = record["rule_field"].items();
    const auto& values = record["rule_value"].items();
    for (std::size_t i = 0; i < fields.size() && i < values.size(); ++i)
        out += (i == 0 ? "" : ", ") + fields[i].text() + " `" + values[i].text() + "`";
    return out;
}

class Trial {
  public:
    explicit Trial(std::unique_ptr<JoinedRules> joined) : joined_(std::move(joined)) {}

    Status replay(const std::string& folder, const std::vector<std::string>& captures) {
        std::vector<std::string> words = {"--events", "--signatures", folder};
        words.insert(words.end(), captures.begin(), captures.end());
        Status broken;
        const Status ended = for_each_line("seine-replay", words, [&](std::string_view line) {
            const auto record = JsonValue::parse(line);
            if (record)
                take(*record);
            else if (broken.ok())
                broken = failed("seine-replay printed a line that is " + record.error().message());
        });
        return ended.ok() ? broken : ended;
    }

    // A gateway's log, one JSON object a line: remote_addr, remote_port, msec, method, host, uri,
    // user_agent.
    Status join(const std::string& path) {
        std::ifstream file(path);
        if (!file) return failed(path + ": cannot be read");
        std::size_t number = 0;
        for (std::string line; std::getline(file, line);) {
            ++number;
            if (line.empty()) continue;
            const auto request = JsonValue::parse(line);
            if (!request)
                return failed(path + ":" + std::to_string(number) + ": " +
                              request.error().message());
            join(*request);
        }
        return {};
    }

    Outcome outcome;

  private:
    void take(const JsonValue& record) {
        const std::string& kind = record["kind"].text();
        const std::string client = client_of(record);
        if (kind == "finding") {
            for (const JsonValue& rule : record["rules"].items())
                outcome.add(rule.text(), client, values_of(record));
            return;
        }
        const double first_s = static_cast<double>(record["t_first_ns"].whole()) * 1e-9;
        auto& flows = flows_[client];
        if (flows.empty() || flows.back().first_s != first_s) {
            flows.emplace_back().first_s = first_s;
            ++outcome.flows;
        }
        TriedFlow& flow = flows.back();
        flow.last_s = static_cast<double>(record["t_last_ns"].whole()) * 1e-9;
        for (const auto& [key, value] : record.members()) {
            if (value.is(JsonValue::Type::array)) {
                for (const JsonValue& item : value.items()) flow.fields.add(key, item.written());
            } else {
                flow.fields.add(key, value.written());
            }
        }
    }

    static double seconds_of(const JsonValue& value) {
        return value.is(JsonValue::Type::text) ? std::strtod(value.text().c_str(), nullptr)
                                               : value.real();
    }

    // The flow of this client that was live at the time, or came last before it. Clocks differ a
    // little.
    [[nodiscard]] const TriedFlow* flow_at(const std::string& client, double at_s) const {
        const auto found = flows_.find(client);
        if (found == flows_.end()) return nullptr;
        const TriedFlow* best = nullptr;
        for (const TriedFlow& flow : found->second)
            if (best == nullptr || flow.first_s <= at_s + 1.0) best = &flow;
        return best;
    }

    void join(const JsonValue& line) {
        ++outcome.requests;
        JoinedRequest request;
        request.method = line["method"].text();
        request.host = line["host"].text();
        request.path = line["uri"].text();
        request.user_agent = line["user_agent"].text();
        const bool proxied = !line["realip"].text().empty();
        const std::string direct = line["remote_addr"].text() + ":" + line["remote_port"].written();
        const TriedFlow* flow = flow_at(direct, seconds_of(line["msec"]));
        if (flow == nullptr && proxied)
            flow = flow_at(line["realip"].text() + ":" + line["realport"].written(),
                           seconds_of(line["msec"]));
        if (flow == nullptr) {
            ++outcome.unjoined;
            return;
        }
        for (const auto& hit : joined_->match(flow->fields, request)) {
            std::string values;
            for (const auto& item : hit.evidence)
                values += (values.empty() ? "" : ", ") + signature::name_of(item.field) + " `" +
                          item.value + "`";
            outcome.add(joined_->set().rules[hit.rule].id, direct, values);
        }
    }

    std::unique_ptr<JoinedRules> joined_;
    TriedFlows flows_;
};

Result<Outcome> try_set(const Invocation& invocation, const std::string& folder,
                        const Write& write) {
    signature::LoadedRules loaded = signature::read_rules(folder);
    if (!loaded.problems.empty()) {
        static_cast<void>(write(loaded.problems.lines()));
        return failed(folder + ": the mistakes are named above");
    }
    auto joined = JoinedRules::make(std::move(loaded.set));
    if (!joined) return joined.error();
    Trial trial(std::move(*joined));
    Status step = trial.replay(folder, invocation.arguments.texts("pcap"));
    for (const std::string& log : invocation.arguments.texts("gateway"))
        if (step.ok()) step = trial.join(log);
    if (!step.ok()) return step;
    return std::move(trial.outcome);
}

// Hits of `a` that `b` has not.
std::vector<std::pair<std::string, std::string>> only_in(const Outcome& a, const Outcome& b) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& hit : a.hits)
        if (b.hits.find(hit.first) == b.hits.end()) out.push_back(hit);
    return out;
}

std::string as_json(const Outcome& outcome, const Outcome* before) {
    std::string out = "{\"flows\":" + std::to_string(outcome.flows) +
                      ",\"requests\":" + std::to_string(outcome.requests) +
                      ",\"unjoined\":" + std::to_string(outcome.unjoined) + ",\"rules\":[";
    for (const auto& [rule, found] : outcome.rules) {
        out += (out.back() == '[' ? "" : ",") + std::string("{\"id\":") + json_text(rule) +
               ",\"hits\":" + std::to_string(found.hits) + ",\"clients\":[";
        for (const auto& [client, count] : found.clients)
            out += (out.back() == '[' ? "" : ",") + json_text(client);
        out += "],\"examples\":[";
        for (const std::string& example : found.examples)
            out += (out.back() == '[' ? "" : ",") + json_text(example);
        out += "]}";
    }
    out += "]";
    if (before != nullptr) {
        for (const bool fresh : {true, false}) {
            out += std::string(",\"") + (fresh ? "new" : "gone") + "\":[";
            for (const auto& [hit, example] :
                 fresh ? only_in(outcome, *before) : only_in(*before, outcome))
                out += (out.back() == '[' ? "" : ",") + std::string("{\"rule\":") +
                       json_text(hit.substr(0, hit.find(' '))) +
                       ",\"example\":" + json_text(example) + "}";
            out += "]";
        }
    }
    return out + "}\n";
}

std::string as_text(const Outcome& outcome, const Outcome* before) {
    std::string out = grouped(outcome.flows) + " flows";
    if (outcome.requests > 0)
        out += ", " + grouped(outcome.requests) + " requests of gateway logs, " +
               grouped(outcome.unjoined) + " without a flow";
    out += outcome.rules.empty() ? ": no rule hits\n" : "\n";
    Table table("lrrl");
    if (!outcome.rules.empty()) table.row({"rule", "hits", "clients", "for example"});
    for (const auto& [rule, found] : outcome.rules)
        table.row({rule, grouped(found.hits), grouped(found.clients.size()),
                   shown(found.examples.empty() ? "" : found.examples[0])});
    out += table.text();
    if (before == nullptr) return out;
    const auto fresh = only_in(outcome, *before);
    const auto gone = only_in(*before, outcome);
    out += "\nagainst the other set: " + grouped(fresh.size()) + " newly hit, " +
           grouped(gone.size()) + " no longer hit\n";
    for (const auto& [list, sign] : {std::pair(&fresh, "+ "), std::pair(&gone, "- ")})
        for (std::size_t i = 0; i < list->size() && i < 20; ++i)
            out += sign + (*list)[i].first.substr(0, (*list)[i].first.find(' ')) + "  " +
                   shown((*list)[i].second) + "\n";
    return out;
}

}  // namespace

Status try_rules(const Invocation& invocation, const Write& write) {
    const bool days = invocation.arguments.has("days");
    if (days == !invocation.arguments.texts("pcap").empty())
        return Status(Code::usage, days ? "captures or the store: either --pcap FILE or --days N"
                                        : "on what? Name captures (--pcap FILE), or days of the store (--days N)");
    if (days) {
        std::string against;
        if (invocation.arguments.has("against")) {
            auto folder = rules_named(invocation, invocation.arguments.text("against"));
            if (!folder) return folder.error();
            against = std::move(*folder);
        }
        return try_on_store(invocation, invocation.arguments.text("dir"), against, write);
    }
    const auto outcome = try_set(invocation, invocation.arguments.text("dir"), write);
    if (!outcome) return outcome.error();
    Outcome before;
    const bool compare = invocation.arguments.has("against");
    if (compare) {
        const auto folder = rules_named(invocation, invocation.arguments.text("against"));
        if (!folder) return folder.error();
        const auto other = try_set(invocation, *folder, write);
        if (!other) return other.error();
        before = *other;
    }
    const Outcome* const other = compare ? &before : nullptr;
    return write(invocation.json ? as_json(*outcome, other) : as_text(*outcome, other))
               ? Status()
               : failed("the output cannot be written");
}

}  // namespace seine::cli
