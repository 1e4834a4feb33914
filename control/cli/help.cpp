// Help and man pages.
#include "control/cli/help.h"

#include "control/cli/capitals.h"
#include "control/cli/invocation.h"
#include "control/cli/nouns.h"

namespace seine::cli {
namespace {

constexpr std::size_t kColumn = 26;
constexpr std::size_t kPageWidth = 100;

// "  left      right", the right part broken at blanks and hung under itself.
void add_row(std::string& out, const std::string& left, std::string_view right) {
    std::string line = "  " + left;
    if (line.size() + 2 > kColumn) {
        out += line + "\n";
        line.clear();
    }
    line.resize(kColumn, ' ');
    for (const std::string_view word : words_of(right)) {
        if (line.size() > kColumn && line.size() + 1 + word.size() > kPageWidth) {
            out += line + "\n";
            line.assign(kColumn, ' ');
        }
        if (line.size() > kColumn) line.push_back(' ');
        line.append(word);
    }
    out += line + "\n";
}

std::string dashed(const Option& option) {
    std::string text = "--" + std::string(option.name);
    if (option.name == "watch") return text + "[=" + std::string(option.value) + "]";
    if (!option.value.empty()) text += " " + std::string(option.value);
    return text;
}

std::string placed(const Positional& positional) {
    std::string text = capitals(positional.name);
    if (positional.repeats) text += "..";
    return positional.optional ? "[" + text + "]" : text;
}

std::string meaning_of(const Option& option) {
    std::string text(option.meaning);
    if (!option.complete.empty() && option.complete != kFile && option.complete.size() < 60)
        text += ": " + std::string(option.complete);
    return text;
}

std::string all_help() {
    std::string out =
        "seinectl NOUN [VERB] [ARGUMENTS] [OPTIONS]   (words may be shortened: seinectl st)\n\nNouns\n";
    for (const Noun* noun : nouns()) {
        add_row(out, std::string(noun->name),
                std::string(noun->meaning) + (noun->verbs.empty() ? " (not built yet)" : ""));
    }
    out += "\nOptions of all\n";
    for (const Option& option : common_options()) add_row(out, dashed(option), option.meaning);
    out += "\nseinectl NOUN --help and seinectl NOUN VERB --help say more. The socket is " +
           std::string(kControlSocket) +
           "\nunless --socket says otherwise.\nExit: 0 done, 1 failed, 2 wrong usage, 3 the daemon "
           "cannot be reached.\n";
    return out;
}

std::string noun_help(const Noun& noun) {
    std::string out = "seinectl " + std::string(noun.name) + ": " + std::string(noun.meaning) + "\n\n";
    if (noun.verbs.empty()) return out + "Not built yet in this release.\n";
    for (const Verb& verb : noun.verbs) add_row(out, std::string(verb.name), verb.meaning);
    if (!noun.more.empty()) out += "\n" + std::string(noun.more) + "\n";
    return out + "\nWithout a verb: " + std::string(noun.verbs.front().name) + ".\n";
}

std::string verb_help(const Noun& noun, const Verb& verb) {
    std::string out = "seinectl " + synopsis(noun, verb) + "\n\n" + std::string(verb.meaning) + "\n";
    if (!verb.more.empty()) out += "\n" + std::string(verb.more) + "\n";
    if (!verb.positionals.empty() || !verb.options.empty()) out += "\n";
    for (const Positional& each : verb.positionals) add_row(out, capitals(each.name), each.meaning);
    for (const Option& option : verb.options) add_row(out, dashed(option), meaning_of(option));
    out += "\nOptions of all\n";
    for (const Option& option : common_options()) add_row(out, dashed(option), option.meaning);
    return out;
}

// Text as troff takes it: no line may look like a request, dashes stay dashes.
std::string troff(std::string_view text) {
    std::string out;
    bool begin = true;
    for (const char c : text) {
        if (begin && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\') out += "\\e";
        else if (c == '-') out += "\\-";
        else out.push_back(c);
        begin = c == '\n';
    }
    return out;
}

void add_man_item(std::string& out, const std::string& left, std::string_view right) {
    out += ".TP\n\\fB" + troff(left) + "\\fR\n" + troff(right) + "\n";
}

void add_man_verbs(std::string& out, const Noun& noun) {
    out += ".SH VERBS\n";
    for (const Verb& verb : noun.verbs) {
        out += ".SS " + troff(synopsis(noun, verb)) + "\n" + troff(verb.meaning) + "\n";
        if (!verb.more.empty()) out += ".PP\n" + troff(verb.more) + "\n";
        for (const Positional& each : verb.positionals) add_man_item(out, capitals(each.name), each.meaning);
        for (const Option& option : verb.options) add_man_item(out, dashed(option), meaning_of(option));
    }
}

void add_man_end(std::string& out) {
    out += ".SH COMMON OPTIONS\n";
    for (const Option& option : common_options()) add_man_item(out, dashed(option), option.meaning);
    out += ".SH EXIT STATUS\n";
    add_man_item(out, "0", "done");
    add_man_item(out, "1", "failed, with one line on stderr that says what to do");
    add_man_item(out, "2", "wrong usage");
    add_man_item(out, "3", "the daemon cannot be reached");
    out += ".SH FILES\n";
    add_man_item(out, kControlSocket, "where seine-control answers");
    add_man_item(out, kDataplaneSocket, "where seine-dataplane answers");
}

}  // namespace

std::string synopsis(const Noun& noun, const Verb& verb) {
    std::string out = std::string(noun.name) + " " + std::string(verb.name);
    for (const Positional& positional : verb.positionals) out += " " + placed(positional);
    for (const Option& option : verb.options) out += " [" + dashed(option) + "]";
    return out;
}

std::string help_text(const Noun* noun, const Verb* verb) {
    if (noun == nullptr) return all_help();
    return verb == nullptr ? noun_help(*noun) : verb_help(*noun, *verb);
}

std::string version_text() { return "seinectl " SEINE_VERSION "\n"; }

std::string man_page(const Noun* noun) {
    const std::string name =
        noun == nullptr ? "seinectl" : "seinectl-" + std::string(noun->name);
    std::string out = ".\\\" Made from the tables of control/cli; do not edit.\n.TH " +
                      capitals(name) + " 1 \"\" \"Seine " SEINE_VERSION "\" \"Seine\"\n.SH NAME\n" +
                      troff(name) + " \\- " +
                      (noun == nullptr ? "ask and steer Seine" : troff(noun->meaning)) + "\n";
    if (noun == nullptr) {
        out += ".SH SYNOPSIS\n\\fBseinectl\\fR NOUN [VERB] [ARGUMENTS] [OPTIONS]\n"
               ".SH DESCRIPTION\nWords may be shortened as long as they stay unambiguous. Without a "
               "verb the first one of the noun is meant.\n.SH NOUNS\n";
        for (const Noun* each : nouns()) add_man_item(out, std::string(each->name), each->meaning);
    } else {
        out += ".SH SYNOPSIS\n\\fBseinectl " + troff(noun->name) + "\\fR VERB [ARGUMENTS] [OPTIONS]\n";
        if (!noun->more.empty()) out += ".SH DESCRIPTION\n" + troff(noun->more) + "\n";
        if (noun->verbs.empty()) out += ".SH DESCRIPTION\nNot built yet in this release.\n";
        else add_man_verbs(out, *noun);
    }
    add_man_end(out);
    out += ".SH SEE ALSO\n";
    for (const Noun* each : nouns()) {
        if (each != noun) out += "\\fBseinectl\\-" + troff(each->name) + "\\fR(1),\n";
    }
    return out + "\\fBseine\\-control\\fR(8)\n";
}

}  // namespace seine::cli
