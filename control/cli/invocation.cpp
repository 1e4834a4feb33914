// One parse with the options of all verbs, then what was given is held against the verb.
#include "control/cli/invocation.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <boost/program_options.hpp>

#include "control/cli/capitals.h"
#include "control/cli/nouns.h"

namespace seine::cli {

namespace po = boost::program_options;

namespace {

constexpr Option kCommon[] = {
    {"json", "", "print the answer as JSON"},
    {"watch", "SECONDS", "show it again and again, every 2 seconds or as given (--watch=5)"},
    {"socket", "PATH", "the socket of seine-control", kFile},
    {"dataplane-socket", "PATH", "ask a dataplane by its admin socket (status alone)", kFile},
    {"timeout", "SECONDS", "how long to wait for an answer (default 5)"},
    {"help", "", "say what there is, of a noun or verb too"},
    {"version", "", "say what this is"},
};
constexpr std::string_view kWatch = "watch";

Status usage(std::string message) { return {Code::usage, std::move(message)}; }

void add_option(po::options_description& table, std::set<std::string_view>& had, const Option& option) {
    if (!had.insert(option.name).second) return;
    std::string name(option.name);
    if (name == "help") name += ",h";
    if (option.value.empty()) {
        table.add_options()(name.c_str(), "");
        return;
    }
    auto* value = po::value<std::vector<std::string>>();
    if (option.name == kWatch) value->implicit_value({"2"}, "2");
    table.add_options()(name.c_str(), value, "");
}

po::options_description all_options() {
    po::options_description table;
    std::set<std::string_view> had;
    for (const Option& option : kCommon) add_option(table, had, option);
    for (const Noun* noun : nouns()) {
        for (const Verb& verb : noun->verbs) {
            for (const Option& option : verb.options) add_option(table, had, option);
        }
    }
    table.add_options()("man", "")("words", po::value<std::vector<std::string>>());
    return table;
}

// The one of `names` that `typed` is or begins; what is wrong otherwise.
Result<std::size_t> resolve(const std::string& typed, const std::vector<std::string_view>& names,
                            const std::string& what) {
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

// Walks into the verbs as far as `words` go; `used` words were the verb's name.
Status take_verb(const Noun& noun, const std::vector<std::string>& words, const Verb*& out,
                 std::size_t& used) {
    std::vector<const Verb*> left;
    for (const Verb& verb : noun.verbs) left.push_back(&verb);
    out = nullptr;
    for (used = 0; used + 1 <= words.size(); ++used) {
        std::vector<std::string_view> names;
        out = nullptr;
        for (const Verb* verb : left) {
            const auto parts = words_of(verb->name);
            if (parts.size() == used) out = verb;
            if (parts.size() > used && std::find(names.begin(), names.end(), parts[used]) == names.end())
                names.push_back(parts[used]);
        }
        if (names.empty()) return {};
        const bool exact = std::find(names.begin(), names.end(), words[used]) != names.end();
        if (out != nullptr && !exact) return {};  // the verb ends here; what follows is its own
        const auto which = resolve(words[used], names, used == 0 ? "verb of " + std::string(noun.name) : "verb");
        if (!which) return which.error();
        std::erase_if(left, [&](const Verb* verb) {
            const auto parts = words_of(verb->name);
            return parts.size() <= used || parts[used] != names[*which];
        });
    }
    for (const Verb* verb : left) {
        if (words_of(verb->name).size() == used) out = verb;
    }
    return {};
}

Status take_positionals(const Invocation& so_far, std::vector<std::string> words, command::Arguments& out) {
    const std::string of = std::string(so_far.noun->name) + " " + std::string(so_far.verb->name);
    std::size_t at = 0;
    for (const Positional& positional : so_far.verb->positionals) {
        if (at == words.size()) {
            if (positional.optional) break;
            return usage(of + ": " + capitals(positional.name) + " is missing: " + std::string(positional.meaning));
        }
        if (positional.repeats) {
            out.set_list(positional.name, {words.begin() + static_cast<std::ptrdiff_t>(at), words.end()});
            at = words.size();
        } else {
            out.set(positional.name, words[at++]);
        }
    }
    return at == words.size() ? Status() : usage(of + ": `" + words[at] + "` is one word too many");
}

Status take_words(const std::vector<std::string>& words, Invocation& out) {
    std::vector<std::string_view> names;
    for (const Noun* noun : nouns()) names.push_back(noun->name);
    const auto which = resolve(words[0], names, "noun");
    if (!which) return which.error();
    out.noun = nouns()[*which];
    if (out.noun->verbs.empty()) return {};  // not built yet: whatever follows
    const std::vector<std::string> rest(words.begin() + 1, words.end());
    std::size_t used = 0;
    const Status status = take_verb(*out.noun, rest, out.verb, used);
    if (!status.ok()) return status;
    if (out.action == Invocation::Action::help || out.action == Invocation::Action::man) return {};
    if (rest.empty()) {
        out.verb = &out.noun->verbs.front();
        if (out.noun == &kCompletionNoun) return usage("completion for which shell? There is: bash zsh");
    }
    if (out.verb == nullptr) {
        std::string message = std::string(out.noun->name) + ": the verb goes on:";
        for (const Verb& verb : out.noun->verbs) {
            if (verb.name.substr(0, rest[0].size()) == rest[0]) message.append(" `").append(verb.name).append("`");
        }
        return usage(message);
    }
    return take_positionals(out, {rest.begin() + static_cast<std::ptrdiff_t>(used), rest.end()}, out.arguments);
}

Status take_options(const po::variables_map& given, Invocation& out) {
    for (const auto& [name, value] : given) {
        if (name == "words" || value.defaulted()) continue;
        const auto is_it = [n = std::string_view(name)](const Option& option) { return option.name == n; };
        if (std::any_of(std::begin(kCommon), std::end(kCommon), is_it)) continue;
        const auto& options = out.verb->options;
        const auto option = std::find_if(options.begin(), options.end(), is_it);
        const std::string verb = std::string(out.noun->name) + " " + std::string(out.verb->name);
        if (option == options.end())
            return usage(verb + " takes no --" + name);
        if (option->value.empty()) {
            out.arguments.set_flag(name);
            continue;
        }
        const auto& values = value.as<std::vector<std::string>>();
        if (values.size() > 1 && !option->repeats)
            return usage(verb + ": --" + name + " is given more than once");
        out.arguments.set_list(name, values);
    }
    return {};
}

Status take_seconds(const po::variables_map& given, const char* name, unsigned& out) {
    if (given.count(name) == 0) return {};
    const std::string& text = given[name].as<std::vector<std::string>>().back();
    const auto done = std::from_chars(text.data(), text.data() + text.size(), out);
    const bool sound = done.ec == std::errc() && done.ptr == text.data() + text.size();
    return sound && out > 0 && out <= 3600 ? Status()
                                           : usage(std::string("--") + name + " takes 1 to 3600 seconds");
}

Status take_common(const po::variables_map& given, Invocation& out) {
    out.json = given.count("json") != 0;
    out.socket = kControlSocket;
    if (given.count("socket") != 0) {
        out.socket = given["socket"].as<std::vector<std::string>>().back();
        out.socket_given = true;
    }
    if (given.count("dataplane-socket") != 0)
        out.dataplane_socket = given["dataplane-socket"].as<std::vector<std::string>>().back();
    unsigned seconds = kTimeoutMs / 1000;
    const Status status = take_seconds(given, "timeout", seconds);
    out.timeout_ms = static_cast<int>(seconds) * 1000;
    return status.ok() ? take_seconds(given, "watch", out.watch_seconds) : status;
}

}  // namespace

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (end > 0) words.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

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

std::span<const Option> common_options() noexcept { return kCommon; }

Result<Invocation> read_invocation(const std::vector<std::string>& words) {
    Invocation out;
    const po::options_description all = all_options();
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
    if (given.count("version") != 0) {
        out.action = Invocation::Action::version;
        return out;
    }
    if (given.count("help") != 0) out.action = Invocation::Action::help;
    if (given.count("man") != 0) out.action = Invocation::Action::man;
    if (given.count("words") == 0) {
        if (out.action != Invocation::Action::run) return out;
        return usage("what about? A noun is needed; see seinectl --help");
    }
    Status status = take_common(given, out);
    if (status.ok()) status = take_words(given["words"].as<std::vector<std::string>>(), out);
    if (status.ok() && out.action == Invocation::Action::run && out.verb != nullptr)
        status = take_options(given, out);
    if (!status.ok()) return usage(status.message() + "; see seinectl --help");
    return out;
}

}  // namespace seine::cli
