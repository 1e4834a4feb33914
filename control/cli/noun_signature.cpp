// `seinectl signature`: rules over fingerprints and fields.
#include "control/cli/nouns.h"
#include "control/cli/signature_import.h"
#include "control/cli/signature_offline.h"
#include "control/cli/signature_set.h"
#include "control/cli/signature_try.h"
#include "control/cli/signature_witness.h"

namespace seine::cli {
namespace {

// A report of what is wrong is an answer too: printed, then told by the exit.
template <typename Check>
Status report_of(const Invocation& invocation, const Write& write, Check&& check) {
    const std::string& given = invocation.arguments.text("dir");
    std::string out;
    const Status status = check(given.empty() ? std::string("signatures") : given, out);
    if (!write(out)) return failed("the output cannot be written");
    return status;
}

Status run_test(const Invocation& invocation, const Write& write) {
    return report_of(invocation, write, [&](const std::string& folder, std::string& out) {
        return test_rules(folder, invocation.json, out);
    });
}
Status run_lint(const Invocation& invocation, const Write& write) {
    const auto limit = cost_limit_of(invocation.arguments.text("cost-limit"));
    if (!limit) return limit.error();
    return report_of(invocation, write, [&](const std::string& folder, std::string& out) {
        return lint_rules(folder, *limit, invocation.json, out);
    });
}
Status run_fields(const Invocation& invocation, const Write& write) {
    return write(fields_table(invocation.json)) ? Status() : failed("the output cannot be written");
}

constexpr Positional kFolder[] = {{.name = "dir",
                                   .meaning = "folder of rule files (default: signatures)",
                                   .optional = true,
                                   .complete = kFile}};

constexpr Positional kPushed[] = {
    {.name = "dir", .meaning = "folder of rule files", .complete = kFile}};
constexpr Positional kListed[] = {{.name = "dir",
                                   .meaning = "a folder, or a version's number; what runs without",
                                   .optional = true,
                                   .complete = kFile}};
constexpr Positional kRule[] = {{.name = "rule", .meaning = "the rule's id"}};
constexpr Positional kVersion[] = {
    {.name = "version", .meaning = "its number; the one before without", .optional = true}};
constexpr Positional kTwoSets[] = {
    {.name = "before", .meaning = "a folder, or a version's number", .complete = kFile},
    {.name = "after",
     .meaning = "likewise; what runs without",
     .optional = true,
     .complete = kFile}};
constexpr Positional kExport[] = {
    {.name = "target", .meaning = "folder to make", .complete = kFile},
    {.name = "version", .meaning = "its number; what runs without", .optional = true}};

constexpr Option kStore = {"store", "DIR",
                           "where the versions are, if not beside the dataplane's ring", kFile};
constexpr Option kReason = {"reason", "TEXT", "why; kept with the version"};
constexpr Option kAuthor = {"author", "NAME", "who, if not the user who is logged in"};
constexpr Option kConfirm = {"confirm-within", "TIME",
                             "taken back unless confirmed by then: 30s, 10m (default), 1h, off"};
constexpr Option kPortable = {"portable", "",
                              "compiled for any x86-64, not for this machine's instructions"};
constexpr Option kLint[] = {{"cost-limit", "TIMES",
                             "a rule that costs more than so many times an ordinary one does is a mistake; "
                             "without it those past 10 times are remarked"}};
constexpr Option kCostLimit = {"cost-limit", "TIMES",
                               "ship nothing if a rule costs more than so many times what an ordinary one does, "
                               "as lint measures it"};
constexpr Option kShip[] = {kReason, kAuthor, kConfirm, kPortable, kStore};
constexpr Option kPush[] = {kReason, kAuthor, kConfirm, kPortable, kCostLimit, kStore};
constexpr Option kStoreAlone[] = {kStore};
constexpr Option kShow[] = {
    {"in", "DIR", "a folder, or a version's number; what runs without", kFile}, kStore};
constexpr Positional kImported[] = {
    {.name = "file", .meaning = "file of Suricata rules", .complete = kFile}};
constexpr Option kImport[] = {
    {"output", "FILE", "where the rules go; without it they are only judged", kFile},
    {"pack", "NAME", "the pack they are"},
    {"define", "NAME=NETS", "what $NAME stands for: any, or networks", {}, true}};
constexpr Option kTry[] = {
    {"pcap", "FILE", "a capture to look through", kFile, true},
    {"days", "NUMBER", "instead: so many days of what control keeps, today with them"},
    {"flows", "NUMBER", "single flows to look at for rules over several fields (default 5000)"},
    {"gateway", "FILE", "a gateway's log to join with its flows: JSON lines", kFile, true},
    {"against", "DIR", "also what newly hits and no longer hits against this folder or version",
     kFile},
    kStore};
constexpr Option kStats[] = {{"all", "", "rules without a hit too"},
                             {"days", "NUMBER", "of alerts and accounts, asked of control (default 7)"}};

constexpr Verb kVerbs[] = {
    {.name = "list",
     .meaning = "rules, their state and where they run",
     .positionals = kListed,
     .options = kStoreAlone,
     .run = list_rules},
    {.name = "show",
     .meaning = "one rule and its condition, as it is understood",
     .positionals = kRule,
     .options = kShow,
     .run = show_rule},
    {.name = "test",
     .meaning = "runs every example of every rule; nothing needs to run",
     .positionals = kFolder,
     .run = run_test},
    {.name = "lint",
     .meaning = "mistakes, remarks and what the set costs; nothing needs to run",
     .positionals = kFolder,
     .options = kLint,
     .run = run_lint},
    {.name = "fields", .meaning = "the fields a rule may look at, as a table", .run = run_fields},
    {.name = "try",
     .meaning = "what a folder of rules would find in captures, or would have found in days past",
     .positionals = kPushed,
     .options = kTry,
     .run = try_rules,
     .more = "Replays the captures through the line (seine-replay). With --gateway each request of "
             "the log is joined with the flow of its "
             "address and port, so that rules over joined fields are tried too.\n"
             "With --days it asks seine-control: a rule over one field is tried on every value that was counted, "
             "so its flows and accounts are exact (accounts of several values are added up); a rule over several is "
             "bounded by its rarest value and tried on the newest single flows that are kept; a rule over a gateway's "
             "request is bounded alone."},
    {.name = "push",
     .meaning = "checks, compiles and ships a folder of rules",
     .positionals = kPushed,
     .options = kPush,
     .run = witnessed<push_rules>,
     .more = "Nothing restarts: every packet is matched by the old set or by the new. A set with a "
             "mistake is not pushed. "
             "Unless confirmed in time the new set gives way to the one before by itself."},
    {.name = "confirm",
     .meaning = "the set that was pushed stays",
     .options = kStoreAlone,
     .run = witnessed<confirm_rules>},
    {.name = "rollback",
     .meaning = "takes back what was not confirmed, or ships an earlier version",
     .positionals = kVersion,
     .options = kShip,
     .run = witnessed<roll_back_rules>},
    {.name = "versions",
     .meaning = "what was pushed, when, by whom and why",
     .options = kStoreAlone,
     .run = show_versions},
    {.name = "diff",
     .meaning = "what differs between two sets",
     .positionals = kTwoSets,
     .options = kStoreAlone,
     .run = show_difference},
    {.name = "enable",
     .meaning = "a rule alerts",
     .positionals = kRule,
     .options = kShip,
     .run = witnessed<enable_rule>},
    {.name = "disable",
     .meaning = "a rule is off",
     .positionals = kRule,
     .options = kShip,
     .run = witnessed<disable_rule>},
    {.name = "shadow",
     .meaning = "a rule counts without alerting",
     .positionals = kRule,
     .options = kShip,
     .run = witnessed<shadow_rule>},
    {.name = "stats",
     .meaning = "hits of each rule, what its limits swallowed, accounts touched and noise",
     .options = kStats,
     .run = show_rule_stats,
     .more = "Hits are the dataplane's since its start; alerts and accounts are control's, of the last days. Noise is "
             "the share of all accounts of these days that the rule touched: where it is large, an alert says little "
             "about one account."},
    {.name = "export",
     .meaning = "writes the rules of a version into a folder",
     .positionals = kExport,
     .options = kStoreAlone,
     .run = export_rules},
    {.name = "import",
     .meaning = "Suricata's rules as rules of ours, line by line",
     .positionals = kImported,
     .options = kImport,
     .run = import_rules,
     .more = "What has no exact counterpart is refused with its reason; nothing is guessed."},
};

}  // namespace

constexpr Noun kSignatureNoun = {
    .name = "signature", .meaning = "rules over fingerprints and fields", .verbs = kVerbs};

}  // namespace seine::cli
