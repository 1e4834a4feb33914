// The tables of nouns and options, and the reading of a command line by them.
#include "control/cli/invocation.h"

#include <algorithm>
#include <sstream>

#include <boost/program_options.hpp>

namespace seine::cli {

namespace po = boost::program_options;

namespace {

constexpr Noun kNouns[] = {
    {"status", "show",
     "workers, packets, flows, records, and what was dropped or given up and why"},
    {"flow", "", "flows seen and their fingerprints"},
    {"signature", "", "rules over fingerprints and fields"},
    {"fingerprint", "", "who has a fingerprint, and what it is known as"},
    {"account", "", "accounts, their sources and their directory"},
    {"farm", "", "groups of accounts with one operator behind them"},
    {"alert", "", "what was found"},
    {"export", "", "what is sent where"},
    {"config", "", "revisions of what can be tuned"},
    {"audit", "", "who changed what and when"},
    {"doctor", "", "what this machine needs"},
    {"mitigation", "", "what is done about farms"},
    {"completion", "bash", "a completion script for the shell"},
};

po::options_description options_table() {
    po::options_description options("Options");
    auto add = options.add_options();
    add("json", "print the answer as JSON");
    add("socket", po::value<std::string>()->value_name("PATH"), "the dataplane's admin socket");
    add("timeout", po::value<unsigned>()->value_name("SECONDS"),
        "how long to wait for an answer (default 5)");
    add("help,h", "say what there is");
    add("version", "say what this is");
    return options;
}

Status usage(std::string message) { return {Code::usage, std::move(message)}; }

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        words.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

// The one of `names` that `typed` is or begins; what is wrong otherwise.
Result<std::size_t> resolve(const std::string& typed, const std::vector<std::string_view>& names,
                            const char* what) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == typed) return i;
        if (names[i].substr(0, typed.size()) == typed) found.push_back(i);
    }
    if (found.size() == 1) return found[0];
    std::string message =
        "`" + typed + "` " + (found.empty() ? "is no " : "could be more than one ") + what + ":";
    for (std::size_t i = 0; i < names.size(); ++i) {
        const bool listed =
            found.empty() || std::find(found.begin(), found.end(), i) != found.end();
        if (listed) message.append(" ").append(names[i]);
    }
    return usage(message);
}

Status take_words(const std::vector<std::string>& words, Invocation& out) {
    std::vector<std::string_view> names;
    for (const Noun& noun : kNouns) names.push_back(noun.name);
    const auto noun = resolve(words[0], names, "noun");
    if (!noun) return noun.error();
    out.noun = &kNouns[*noun];
    const auto verbs = words_of(out.noun->verbs);
    if (verbs.empty()) return {};  // not built yet: whatever follows
    out.verb = verbs[0];
    if (words.size() < 2) {
        return out.noun->name == "completion" ? usage("completion for which shell? There is: bash")
                                              : Status();
    }
    const auto verb = resolve(words[1], verbs, "verb of this noun");
    if (!verb) return verb.error();
    out.verb = verbs[*verb];
    return words.size() == 2 ? Status() : usage("`" + words[2] + "` is one word too many");
}

}  // namespace

int exit_code(const Status& status) noexcept {
    switch (status.code()) {
        case Code::ok:
            return kExitDone;
        case Code::usage:
            return kExitUsage;
        case Code::unreachable:
            return kExitUnreachable;
        case Code::failed:
        case Code::not_found:
        case Code::corrupt:
        case Code::full:
            return kExitFailed;
    }
    return kExitFailed;
}

std::span<const Noun> nouns() noexcept { return kNouns; }

Result<Invocation> read_invocation(const std::vector<std::string>& words) {
    Invocation out;
    po::options_description all = options_table();
    all.add_options()("words", po::value<std::vector<std::string>>());
    po::positional_options_description positions;
    positions.add("words", -1);
    po::variables_map given;
    try {
        // Options are not guessed from their beginnings: scripts would break when one is added.
        namespace style = po::command_line_style;
        const int how = style::unix_style & ~style::allow_guessing;
        po::store(
            po::command_line_parser(words).options(all).positional(positions).style(how).run(),
            given);
    } catch (const po::error& error) {
        return usage(std::string(error.what()) + "; see seinectl --help");
    }
    if (given.count("help") != 0) {
        out.action = Invocation::Action::help;
        return out;
    }
    if (given.count("version") != 0) {
        out.action = Invocation::Action::version;
        return out;
    }
    out.json = given.count("json") != 0;
    if (given.count("socket") != 0) out.socket = given["socket"].as<std::string>();
    if (given.count("timeout") != 0) {
        const unsigned seconds = given["timeout"].as<unsigned>();
        if (seconds == 0 || seconds > 3600) return usage("--timeout takes 1 to 3600 seconds");
        out.timeout_ms = static_cast<int>(seconds) * 1000;
    }
    if (given.count("words") == 0)
        return usage("what about? A noun is needed; see seinectl --help");
    const Status status = take_words(given["words"].as<std::vector<std::string>>(), out);
    if (!status.ok()) return usage(status.message() + "; see seinectl --help");
    return out;
}

std::string help_text() {
    std::ostringstream out;
    out << "seinectl NOUN [VERB] [OPTIONS]   (words may be shortened: seinectl st)\n\nNouns\n";
    for (const Noun& noun : kNouns) {
        std::string name(noun.name);
        name.resize(14, ' ');
        out << "  " << name << noun.meaning << (noun.verbs.empty() ? " (not built yet)" : "")
            << '\n';
    }
    out << '\n'
        << options_table() << "\nThe socket is " << kDefaultSocket
        << " unless --socket says otherwise.\nExit: 0 done, 1 failed, 2 wrong usage, 3 the daemon "
           "cannot be reached.\n";
    return out.str();
}

std::string version_text() { return "seinectl " SEINE_VERSION "\n"; }

std::string bash_completion() {
    std::string names;
    std::string cases;
    for (const Noun& noun : kNouns) {
        names.append(names.empty() ? "" : " ").append(noun.name);
        if (noun.verbs.empty()) continue;
        cases.append("        ")
            .append(noun.name)
            .append(") words=\"")
            .append(noun.verbs)
            .append("\" ;;\n");
    }
    std::string options;
    const po::options_description table = options_table();
    for (const auto& option : table.options()) {
        options.append(options.empty() ? "--" : " --").append(option->long_name());
    }
    return "# bash completion of seinectl, made by `seinectl completion bash`\n"
           "_seinectl() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\"\" "
           "noun=\"\" i\n"
           "    if [[ $before == --socket ]]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
           "        return\n"
           "    fi\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        case ${COMP_WORDS[i]} in\n"
           "        --socket | --timeout) ((i++)) ;;\n"
           "        -*) ;;\n"
           "        *) noun=${COMP_WORDS[i]}; break ;;\n"
           "        esac\n"
           "    done\n"
           "    case $noun in\n"
           "        \"\") words=\"" +
           names + "\" ;;\n" + cases +
           "    esac\n"
           "    [[ $word == -* ]] && words=\"" +
           options +
           "\"\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
           "}\n"
           "complete -F _seinectl seinectl\n";
}

}  // namespace seine::cli
