// `seinectl signature`: rules over fingerprints and fields.
#include "control/cli/nouns.h"
#include "control/cli/signature_offline.h"

namespace seine::cli {
namespace {

using Check = Status (*)(const std::string& folder, bool json, std::string& out);

// A report of what is wrong is an answer too: printed, then told by the exit.
Status check(Check of, const Invocation& invocation, const Write& write) {
    const std::string& given = invocation.arguments.text("dir");
    std::string out;
    const Status status = of(given.empty() ? "signatures" : given, invocation.json, out);
    if (!write(out)) return failed("the output cannot be written");
    return status;
}

Status run_test(const Invocation& invocation, const Write& write) {
    return check(test_rules, invocation, write);
}
Status run_lint(const Invocation& invocation, const Write& write) {
    return check(lint_rules, invocation, write);
}
Status run_fields(const Invocation& invocation, const Write& write) {
    return write(fields_table(invocation.json)) ? Status() : failed("the output cannot be written");
}

constexpr Positional kFolder[] = {
    {.name = "dir", .meaning = "folder of rule files (default: signatures)", .optional = true, .complete = kFile}};

constexpr Verb kVerbs[] = {
    {.name = "test",
     .meaning = "runs every example of every rule; nothing needs to run",
     .positionals = kFolder,
     .run = run_test},
    {.name = "lint",
     .meaning = "mistakes and remarks, each with file, line and what to do",
     .positionals = kFolder,
     .run = run_lint},
    {.name = "fields", .meaning = "the fields a rule may look at, as a table", .run = run_fields},
};

}  // namespace

constexpr Noun kSignatureNoun = {
    .name = "signature", .meaning = "rules over fingerprints and fields", .verbs = kVerbs};

}  // namespace seine::cli
