// `seinectl flow`: single flows, as they ended.
#include <algorithm>
#include <poll.h>

#include "control/cli/ask.h"
#include "control/cli/nouns.h"
#include "control/cli/table.h"

namespace seine::cli {
namespace {

using command::JsonValue;

constexpr std::string_view kHeadings[] = {"time", "client", "server", "app", "fingerprint", "known as", "account", "flow"};

std::string endpoint(const JsonValue& record, const char* address, const char* port) {
    const std::string& text = record[address].text();
    const bool v6 = text.find(':') != std::string::npos;
    return (v6 ? "[" + text + "]" : text) + ":" + std::to_string(record[port].number());
}

std::string account_cell(const JsonValue& flow) {
    const auto& accounts = flow["accounts"].items();
    if (accounts.empty()) return "-";
    std::string out = accounts.front().text().substr(0, 12);
    if (accounts.size() > 1) out += " +" + std::to_string(accounts.size() - 1);
    return out;
}

std::vector<std::string> cells_of(const JsonValue& flow) {
    const JsonValue& record = flow["record"];
    const bool proxied = !record["proxied_src"].text().empty();
    std::string print = record["ja4"].text();
    for (const char* other : {"hassh", "hdr_order"}) {
        if (print.empty() && record[other].is(JsonValue::Type::text)) print = record[other].text();
        if (print.empty() && !record[other].items().empty()) print = record[other].items()[0].text();
    }
    return {utc_time(record["t_first_ns"].whole()),
            shown(proxied ? endpoint(record, "proxied_src", "proxied_sport") : endpoint(record, "src", "sport")),
            shown(endpoint(record, "dst", "dport")),
            shown(record["app"].text()),
            print.empty() ? "-" : shown(print),
            flow["known_as"].text().empty() ? "-" : shown(flow["known_as"].text()),
            account_cell(flow),
            flow["flow_id"].text()};
}

std::string show_list(const JsonValue& document, const Invocation&) {
    if (document["flows"].items().empty()) return "no flow that fits is kept\n";
    Table table("llllllll");
    table.row({std::begin(kHeadings), std::end(kHeadings)});
    std::uint64_t stand_for = 0;
    for (const JsonValue& flow : document["flows"].items()) {
        table.row(cells_of(flow));
        stand_for += flow["stands_for"].number();
    }
    std::string out = table.text();
    if (stand_for != document["flows"].items().size())
        out += "a part of all flows is kept: these stand for " + grouped(stand_for) + "\n";
    return out;
}

// A list of lists, as exchanges are: 22/93/274  47/342/421.
std::string value_text(const JsonValue& value, const char* between = "  ") {
    if (value.is(JsonValue::Type::array)) {
        std::string out;
        for (const JsonValue& item : value.items()) out += (out.empty() ? "" : between) + value_text(item, "/");
        return out;
    }
    return shown(value.written());
}

std::string show_one(const JsonValue& flow, const Invocation&) {
    Table table("ll");
    table.row({"flow", flow["flow_id"].text()});
    if (!flow["known_as"].text().empty()) table.row({"known as", shown(flow["known_as"].text())});
    for (const JsonValue& account : flow["accounts"].items()) table.row({"account", account.text()});
    for (const auto& [name, value] : flow["record"].members()) {
        const bool time = name == "t_first_ns" || name == "t_last_ns";
        table.row({shown(name), time ? utc_time(value.whole()) : value_text(value)});
    }
    return table.text();
}

// Asks for what came after the last row, again and again.
Status follow(const Invocation& invocation, const Write& write) {
    command::Arguments arguments = invocation.arguments;
    arguments.set("limit", "1");
    auto newest = ask(invocation, {arguments});
    if (!newest) return newest.error();
    auto document = JsonValue::parse(*newest);
    std::uint64_t last = document ? (*document)["last_row"].number() : 0;
    arguments.set("limit", "1000");
    while (true) {
        // Nothing is kept yet: from the first row on.
        arguments.set("after", std::to_string(std::max<std::uint64_t>(last, 1)));
        const auto answer = ask(invocation, arguments);
        if (!answer) return answer.error();
        document = JsonValue::parse(*answer);
        if (!document) return {Code::corrupt, "the answer is " + document.error().message()};
        last = std::max(last, (*document)["last_row"].number());
        if (!(*document)["flows"].items().empty()) {
            std::string text = invocation.json ? *answer + "\n" : show_list(*document, invocation);
            if (!invocation.json) text.erase(0, text.find('\n') + 1);  // the headings
            if (!write(text)) return failed("the output cannot be written");
        }
        static_cast<void>(::poll(nullptr, 0, 500));
    }
}

constexpr Option kFilters[] = {
    {"client", "ADDRESS[/BITS]", "of this client or prefix"},
    {"server", "ADDRESS", "to this server"},
    {"port", "PORT", "to this server port"},
    {"ja4", "JA4", "with this JA4"},
    {"account", "TAG", "of this account (4 or more hex digits of its tag)"},
    {"since", "TIME", "that ended in the last 90s, 10m, 2h, 7d"},
    {"limit", "NUMBER", "at most so many (default 20)"},
};
constexpr Positional kFlow[] = {{.name = "flow", .meaning = "DATAPLANE-EPOCH-COUNTER, as the list prints it"}};

constexpr Verb kVerbs[] = {
    {.name = "list",
     .meaning = "flows that ended, newest first",
     .options = kFilters,
     .show = show_list,
     .more = "Only flows that ended are kept, and of very many only a part (what each stands for is in its row)."},
    {.name = "show", .meaning = "everything that is known of one flow", .positionals = kFlow, .show = show_one},
    {.name = "follow", .meaning = "flows as they end, until interrupted", .options = kFilters, .run = follow},
};

}  // namespace

constexpr Noun kFlowNoun = {.name = "flow", .meaning = "flows seen and their fingerprints", .verbs = kVerbs};

}  // namespace seine::cli
