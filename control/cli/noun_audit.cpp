// `seinectl audit`: who changed what and when.
#include "control/cli/nouns.h"
#include "control/cli/table.h"

namespace seine::cli {
namespace {

using command::JsonValue;

std::string show_list(const JsonValue& document, const Invocation&) {
    Table table("rllll");
    table.row({"NO", "WHEN", "WHO", "WHAT", "WITH"});
    for (const JsonValue& at : document.items()) {
        table.row({std::to_string(at["seq"].number()), utc_time(at["at_ns"].whole()),
                   shown(at["author"].text()), shown(at["action"].text()),
                   shown(at["detail"].text())});
    }
    return table.text();
}

std::string show_verdict(const JsonValue& document, const Invocation&) {
    return shown(document["path"].text()) + ": sound, " + grouped(document["lines"].number()) +
           " lines\n";
}

constexpr Option kLimit[] = {
    {.name = "limit", .value = "N", .meaning = "the last N lines (default 50)"}};

constexpr Verb kVerbs[] = {
    {.name = "list", .meaning = "the last acts of operators", .options = kLimit, .show = show_list},
    {.name = "verify",
     .meaning = "whether a line was changed, removed or inserted",
     .show = show_verdict},
};

}  // namespace

constexpr Noun kAuditNoun = {
    .name = "audit", .meaning = "who changed what and when", .verbs = kVerbs};

}  // namespace seine::cli
