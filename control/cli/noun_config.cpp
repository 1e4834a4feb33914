// `seinectl config`: revisions of what can be tuned.
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "control/cli/ask.h"
#include "control/cli/nouns.h"
#include "control/cli/table.h"

namespace seine::cli {
namespace {

using command::JsonValue;

// A request is one packet, in which a byte may take six.
constexpr std::size_t kPartBytes = 8 * 1024;

std::string show_text(const JsonValue& document, const Invocation&) {
    std::string out;
    std::string_view text = document["text"].text();
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        out += shown(text.substr(0, end)) + "\n";
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string show_running(const JsonValue& document, const Invocation& invocation) {
    std::string out = "# revision " + std::to_string(document["revision"].number());
    if (document["editing"].boolean()) out += ", a candidate is being edited";
    if (document["confirm_by_ns"].whole() > 0)
        out += ", to be confirmed by " + utc_time(document["confirm_by_ns"].whole());
    out += "\n";
    for (const JsonValue& fault : document["not_in_effect"].items())
        out += "# " + shown(fault.text()) + "\n";
    return out + show_text(document, invocation);
}

std::string show_diff(const JsonValue& document, const Invocation&) {
    std::string out;
    for (const JsonValue& line : document.items())
        out += shown(line["change"].text()) + " " + shown(line["path"].text()) + " = " +
               shown(line["value"].text()) + "\n";
    return out.empty() ? "no difference\n" : out;
}

std::string show_faults(const JsonValue& document, const Invocation&) {
    std::string out;
    for (const JsonValue& fault : document["faults"].items())
        out += shown(fault["text"].text()) + "\n";
    return out.empty() ? "sound; seinectl config commit puts it into effect\n" : out;
}

std::string show_done(const JsonValue& document, const Invocation&) {
    if (document["revision"].number() == 0) return shown(document["done"].text()) + "\n";
    std::string out =
        "revision " + std::to_string(document["revision"].number()) + " is in effect\n";
    if (document["confirm_by_ns"].whole() > 0)
        out += "it is taken back at " + utc_time(document["confirm_by_ns"].whole()) +
               " unless you run: seinectl config confirm\n";
    return out;
}

std::string show_history(const JsonValue& document, const Invocation&) {
    Table table("rlll");
    table.row({"REVISION", "WHEN", "WHO", "WHY"});
    for (const JsonValue& at : document.items())
        table.row({std::to_string(at["revision"].number()), utc_time(at["at_ns"].whole()),
                   shown(at["author"].text()), shown(at["reason"].text())});
    return table.text();
}

Status faults_status(const std::string& document) {
    const auto json = JsonValue::parse(document);
    if (!json) return {Code::corrupt, "the answer is " + json.error().message()};
    const std::size_t count = (*json)["faults"].items().size();
    return count == 0 ? Status()
                      : failed(std::to_string(count) + (count == 1 ? " fault" : " faults") +
                               "; nothing was changed");
}

Status run_load(const Invocation& invocation, const Write& write) {
    const std::string& path = invocation.arguments.text("file");
    std::string text;
    if (path == "-") {
        text.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
        std::ifstream file(path, std::ios::binary);
        if (!file) return failed(path + ": cannot be read: " + std::strerror(errno));
        text.assign(std::istreambuf_iterator<char>(file), {});
    }
    std::string document;
    std::size_t part = 0;
    do {
        command::Arguments arguments;
        arguments.set("file", path);
        arguments.set("part", std::to_string(part));
        arguments.set("text", text.substr(part * kPartBytes, kPartBytes));
        ++part;
        if (part * kPartBytes < text.size()) arguments.set_flag("more");
        auto answer = ask(invocation, arguments);
        if (!answer) return answer.error();
        document = std::move(*answer);
    } while (part * kPartBytes < text.size());
    const Status status = show_document(invocation, document, write);
    return status.ok() ? faults_status(document) : status;
}

Status run_check(const Invocation& invocation, const Write& write) {
    const auto document = ask(invocation);
    if (!document) return document.error();
    const Status status = show_document(invocation, *document, write);
    return status.ok() ? faults_status(*document) : status;
}

constexpr Positional kFilePlace[] = {
    {.name = "file", .meaning = "TOML; - is stdin", .complete = kFile}};
constexpr Positional kMinutes[] = {
    {.name = "minutes", .meaning = "until it is taken back (default 10)", .optional = true}};
constexpr Positional kBack[] = {
    {.name = "back", .meaning = "how many revisions (default 1)", .optional = true}};
constexpr Positional kRevision[] = {
    {.name = "revision", .meaning = "its number (default: the running one)", .optional = true}};
constexpr Positional kTwo[] = {
    {.name = "before",
     .meaning = "a revision (default: running against candidate)",
     .optional = true},
    {.name = "after", .meaning = "another (default: the running one)", .optional = true}};
constexpr Option kReason[] = {
    {.name = "reason", .value = "TEXT", .meaning = "why, for the history"}};

constexpr Verb kVerbs[] = {
    {.name = "show", .meaning = "what is in effect", .show = show_running},
    {.name = "candidate", .meaning = "what is being edited", .show = show_text},
    {.name = "load",
     .meaning = "makes a candidate of a file and checks it",
     .positionals = kFilePlace,
     .show = show_faults,
     .run = run_load},
    {.name = "diff",
     .meaning = "what the candidate would change, or between two revisions",
     .positionals = kTwo,
     .show = show_diff},
    {.name = "check",
     .meaning = "what is wrong with the candidate",
     .show = show_faults,
     .run = run_check},
    {.name = "commit",
     .meaning = "puts the candidate into effect, whole or not at all",
     .options = kReason,
     .show = show_done},
    {.name = "commit confirmed",
     .meaning = "the same, taken back by itself unless confirmed",
     .positionals = kMinutes,
     .options = kReason,
     .show = show_done},
    {.name = "confirm", .meaning = "keeps what was committed", .show = show_done},
    {.name = "rollback",
     .meaning = "puts back what was in effect before",
     .positionals = kBack,
     .options = kReason,
     .show = show_done},
    {.name = "discard", .meaning = "throws the candidate away", .show = show_done},
    {.name = "history", .meaning = "revisions with author, time and reason", .show = show_history},
    {.name = "export",
     .meaning = "a revision as canonical TOML",
     .positionals = kRevision,
     .show = show_text},
    {.name = "keys",
     .meaning = "everything that may stand in the configuration",
     .show = show_text},
};

}  // namespace

constexpr Noun kConfigNoun = {
    .name = "config",
    .meaning = "revisions of what can be tuned",
    .verbs = kVerbs,
    .more =
        "A change is loaded as a candidate, looked at with diff and check, and committed: seinectl "
        "config load my.toml; "
        "seinectl config diff; seinectl config commit confirmed 5; seinectl config confirm. A "
        "commit takes effect whole or not at all."};

}  // namespace seine::cli
