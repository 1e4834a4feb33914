// Suricata rules as rules of ours: what converts exactly is written, the rest is refused line by
// line.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace seine::control_signature {

struct ImportOptions {
    std::string pack = "suricata";
    std::string rule_class = "policy";
    // $HOME_NET and the like: "any" or networks, separated by commas.
    std::map<std::string, std::string> variables;
};

struct ImportedLine {
    std::size_t line = 0;
    std::string id;  // sid-N; empty where there is none
    bool converted = false;
    std::string reason;  // why not; of a converted one what was left out, or empty
};

struct Imported {
    std::string toml;                 // a rule file; empty when nothing converted
    std::vector<ImportedLine> lines;  // every line that holds a rule, in order
    std::size_t converted = 0;
};

// `name` stands for the file in the rules' source. Nothing is guessed: a keyword without an exact
// counterpart refuses its rule, by its name.
Imported import_suricata(const std::string& name, std::string_view text,
                         const ImportOptions& options = {});

}  // namespace seine::control_signature
