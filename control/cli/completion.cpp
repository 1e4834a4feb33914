// The words that may follow, by where the line stands; both shells ask the same table.
#include "control/cli/completion.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "control/cli/invocation.h"
#include "control/cli/nouns.h"

namespace seine::cli {
namespace {

void add_word(std::string& list, std::string_view word) {
    if (!list.empty()) list.push_back(' ');
    list.append(word);
}

// What may come after "noun" or "noun word": the next words of its verbs.
using Words = std::map<std::string, std::vector<std::string_view>>;

Words next_words() {
    Words out;
    for (const Noun* noun : nouns()) {
        for (const Verb& verb : noun->verbs) {
            std::string before(noun->name);
            for (const std::string_view part : words_of(verb.name)) {
                auto& list = out[before];
                if (std::find(list.begin(), list.end(), part) == list.end()) list.push_back(part);
                before.append(" ").append(part);
            }
        }
    }
    return out;
}

std::string options_of(std::span<const Option> options) {
    std::string list;
    for (const Option& option : options) add_word(list, "--" + std::string(option.name));
    return list;
}

// Options that take a value as the next word, as alternatives of a case.
std::string valued_options() {
    std::set<std::string> names;
    const auto add = [&names](std::span<const Option> options) {
        for (const Option& option : options) {
            if (!option.value.empty() && option.name != "watch") names.insert("--" + std::string(option.name));
        }
    };
    add(common_options());
    for (const Noun* noun : nouns()) {
        for (const Verb& verb : noun->verbs) add(verb.options);
    }
    std::string list;
    for (const std::string& name : names) list.append(list.empty() ? "" : " | ").append(name);
    return list;
}

// case lines "    'noun verb') words='..' ;;" that both shells read alike.
std::string word_cases() {
    std::string nouns_list;
    for (const Noun* noun : nouns()) add_word(nouns_list, noun->name);
    std::string out = "    '') words='" + nouns_list + "' ;;\n";
    for (const auto& [before, words] : next_words()) {
        std::string list;
        for (const std::string_view word : words) add_word(list, word);
        out += "    '" + before + "') words='" + list + "' ;;\n";
    }
    return out;
}

std::string option_cases() {
    std::string out;
    for (const Noun* noun : nouns()) {
        for (const Verb& verb : noun->verbs) {
            if (verb.options.empty()) continue;
            out += "    '" + std::string(noun->name) + " " + std::string(verb.name) + "'*) words+=' " +
                   options_of(verb.options) + "' ;;\n";
        }
    }
    return out;
}

// Values of options: of a fixed list, or files. The key is "noun verb --option".
std::string value_cases() {
    std::string out;
    const auto add = [&out](const std::string& before, std::span<const Option> options) {
        for (const Option& option : options) {
            if (option.complete.empty()) continue;
            out += "    " + before + "--" + std::string(option.name) + ") " +
                   (option.complete == kFile ? std::string("files=1")
                                             : "words='" + std::string(option.complete) + "'") +
                   " ;;\n";
        }
    };
    for (const Noun* noun : nouns()) {
        for (const Verb& verb : noun->verbs)
            add("'" + std::string(noun->name) + " " + std::string(verb.name) + "'*\\ ", verb.options);
    }
    add("*\\ ", common_options());
    return out;
}

// Verbs whose next positional is a file.
std::string file_cases() {
    std::string out;
    for (const Noun* noun : nouns()) {
        for (const Verb& verb : noun->verbs) {
            const bool file = std::any_of(verb.positionals.begin(), verb.positionals.end(),
                                          [](const Positional& each) { return each.complete == kFile; });
            if (file)
                out += "    '" + std::string(noun->name) + " " + std::string(verb.name) + "'*) files=1 ;;\n";
        }
    }
    return out;
}

// Shared by both: from `line` (the words before the cursor without options) and `before` (the word
// right before it) to `words` and `files`.
std::string decide() {
    return "    case \"$line $before\" in\n" + value_cases() +
           "    *) case $before in\n"
           "       " + valued_options() + ") ;;\n"
           "       *) case $word in\n"
           "          -*) words='" + options_of(common_options()) + "'; case \"$line\" in\n" +
           option_cases() +
           "              esac ;;\n"
           "          *) case \"$line\" in\n" + word_cases() + file_cases() +
           "             esac ;;\n"
           "          esac ;;\n"
           "       esac ;;\n"
           "    esac\n";
}

}  // namespace

std::string bash_completion() {
    return "# bash completion of seinectl, made by `seinectl completion bash`\n"
           "_seinectl() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} line='' "
           "words='' files='' i\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        case ${COMP_WORDS[i]} in\n"
           "        " + valued_options() + ") ((i++)) ;;\n"
           "        -*) ;;\n"
           "        *) line+=${line:+ }${COMP_WORDS[i]} ;;\n"
           "        esac\n"
           "    done\n" + decide() +
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\"; [[ -n $files ]] && "
           "compgen -f -- \"$word\")\n"
           "}\n"
           "complete -F _seinectl seinectl\n";
}

std::string zsh_completion() {
    return "#compdef seinectl\n"
           "# zsh completion of seinectl, made by `seinectl completion zsh`\n"
           "_seinectl() {\n"
           "    local word=$words[CURRENT] before=$words[CURRENT-1] line='' files='' i\n"
           "    local -a typed; typed=(${words[2,CURRENT-1]})\n"
           "    local words=''\n"
           "    for ((i = 1; i <= $#typed; i++)); do\n"
           "        case $typed[i] in\n"
           "        " + valued_options() + ") ((i++)) ;;\n"
           "        -*) ;;\n"
           "        *) line+=${line:+ }$typed[i] ;;\n"
           "        esac\n"
           "    done\n" + decide() +
           "    [[ -n $words ]] && compadd -- ${=words}\n"
           "    [[ -n $files ]] && _files\n"
           "}\n"
           "compdef _seinectl seinectl\n";
}

}  // namespace seine::cli
