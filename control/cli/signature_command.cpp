#include "control/cli/signature_command.h"

#include "control/cli/signature_offline.h"

namespace seine::cli {
namespace {

Status usage(std::string message) { return {Code::usage, std::move(message)}; }

constexpr char kHelp[] =
    "seinectl signature VERB [ARGUMENTS] [--json]\n\n"
    "  test DIR     runs every example of every rule; nothing needs to run\n"
    "  lint DIR     mistakes and remarks, each with file, line and what to do\n"
    "  fields       the fields a rule may look at, as a table\n";

}  // namespace

Status signature_command(const std::vector<std::string>& words, std::string& out) {
    bool json = false;
    std::vector<std::string> rest;
    for (const std::string& word : words) {
        if (word == "--json") json = true;
        else if (word == "--help" || word == "-h") rest.assign(1, "help");
        else if (word.size() > 1 && word[0] == '-') return usage("unknown option " + word + "; see seinectl signature --help");
        else rest.push_back(word);
    }
    if (rest.empty() || rest[0] == "help") {
        out = kHelp;
        return {};
    }
    const std::string verb = rest[0];
    if (verb == "fields") {
        out = fields_table(json);
        return {};
    }
    if (verb != "test" && verb != "lint")
        return usage("`" + verb + "` is no verb of signature: test lint fields");
    if (rest.size() > 2) return usage("`" + rest[2] + "` is one word too many; seinectl signature " + verb + " DIR");
    const std::string folder = rest.size() == 2 ? rest[1] : "signatures";
    return verb == "test" ? test_rules(folder, json, out) : lint_rules(folder, json, out);
}

}  // namespace seine::cli
