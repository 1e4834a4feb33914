// Reading the file by the table of keys, and writing the table down as example and man page.
#include "control/service/config.h"

#include <algorithm>
#include <set>

#include <toml++/toml.h>

namespace seine::service {
namespace {

std::string place(const std::string& path, const toml::source_region& region) {
    return path + ":" + std::to_string(region.begin.line) + ":" + std::to_string(region.begin.column) + ": ";
}

std::string wanted(const ConfigKey& key) {
    if (key.texts != nullptr) return "a list of texts in quotes";
    if (key.flag != nullptr) return "true or false";
    if (key.number != nullptr)
        return std::string("a whole number from ") + std::to_string(key.least) + " to " + std::to_string(key.most) +
               (key.or_zero ? ", or 0" : "");
    return key.choices.empty() ? "a text in quotes" : "one of: " + std::string(key.choices);
}

bool is_choice(std::string_view choices, std::string_view text) {
    while (!choices.empty()) {
        const std::size_t end = std::min(choices.find(' '), choices.size());
        if (choices.substr(0, end) == text) return true;
        choices.remove_prefix(std::min(end + 1, choices.size()));
    }
    return false;
}

bool take(const ConfigKey& key, const toml::node& node, Config& config) {
    if (key.flag != nullptr) {
        const auto value = node.value_exact<bool>();
        if (value) config.*key.flag = *value;
        return value.has_value();
    }
    if (key.number != nullptr) {
        const auto value = node.value_exact<std::int64_t>();
        const bool zero = key.or_zero && value && *value == 0;
        if (!value || *value < 0 || (!zero && static_cast<std::uint64_t>(*value) < key.least) ||
            static_cast<std::uint64_t>(*value) > key.most)
            return false;
        config.*key.number = static_cast<std::uint64_t>(*value);
        return true;
    }
    if (key.text != nullptr) {
        const auto value = node.value_exact<std::string>();
        if (!value || (!key.choices.empty() && !is_choice(key.choices, *value))) return false;
        config.*key.text = *value;
        return true;
    }
    std::vector<std::string> values;
    if (const auto one = node.value_exact<std::string>()) {
        values.push_back(*one);
    } else {
        const toml::array* list = node.as_array();
        if (list == nullptr) return false;
        for (const toml::node& item : *list) {
            const auto value = item.value_exact<std::string>();
            if (!value) return false;
            values.push_back(*value);
        }
    }
    config.*key.texts = std::move(values);
    return true;
}

std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t corner = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
            corner = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
        }
    }
    return row[b.size()];
}

// "; did you mean x?", of the keys or tables that are nearest.
std::string guess(std::string_view typed, const std::set<std::string_view>& names) {
    std::string_view best;
    std::size_t least = 3;
    for (const std::string_view name : names) {
        const std::size_t steps = distance(typed, name);
        if (steps < least) {
            least = steps;
            best = name;
        }
    }
    return best.empty() ? "; seine-control --example-config prints all keys"
                        : "; did you mean " + std::string(best) + "?";
}

Status take_table(const std::string& path, std::string_view table, const toml::table& in, Config& config) {
    std::set<std::string_view> names;
    for (const ConfigKey& key : config_keys()) {
        if (key.table == table) names.insert(key.name);
        if (table.empty() && !key.table.empty()) names.insert(key.table);
    }
    for (const auto& [name, node] : in) {
        if (names.find(name.str()) == names.end()) {
            return {Code::usage, place(path, name.source()) + "unknown key " + std::string(name.str()) +
                                     (table.empty() ? "" : " in [" + std::string(table) + "]") +
                                     guess(name.str(), names)};
        }
        bool is_key = false;
        for (const ConfigKey& key : config_keys()) {
            if (key.table != table || key.name != name.str()) continue;
            is_key = true;
            if (!take(key, node, config))
                return {Code::usage, place(path, node.source()) + std::string(key.name) + " wants " + wanted(key)};
        }
        if (is_key) continue;
        const toml::table* inner = node.as_table();
        if (inner == nullptr)
            return {Code::usage, place(path, node.source()) + std::string(name.str()) + " wants a table: [" +
                                     std::string(name.str()) + "]"};
        const Status status = take_table(path, name.str(), *inner, config);
        if (!status.ok()) return status;
    }
    return {};
}

// A text as a basic string of TOML.
std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    return out + "\"";
}

std::string default_of(const ConfigKey& key) {
    static const Config kDefaults;
    if (key.text != nullptr) return quoted(kDefaults.*key.text);
    if (key.flag != nullptr) return kDefaults.*key.flag ? "true" : "false";
    if (key.number != nullptr) return std::to_string(kDefaults.*key.number);
    std::string list;
    for (const std::string& each : kDefaults.*key.texts) list += (list.empty() ? "" : ", ") + quoted(each);
    return "[" + list + "]";
}

void add_comment(std::string& out, std::string_view text) {
    std::string line = "#";
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (line.size() + 1 + end > 100) {
            out += line + "\n";
            line = "#";
        }
        line.append(" ").append(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    out += line + "\n";
}

std::string meaning_of(const ConfigKey& key) {
    std::string text(key.meaning);
    if (!key.choices.empty()) text += " One of: " + std::string(key.choices) + ".";
    if (key.number != nullptr && key.most > 0)
        text += " From " + std::to_string(key.least) + " to " + std::to_string(key.most) + (key.or_zero ? ", or 0." : ".");
    return text;
}

}  // namespace

Result<Config> read_config(const std::string& path) {
    toml::parse_result parsed = toml::parse_file(path);
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        if (error.source().begin.line == 0) {
            return Status(Code::usage, path + ": cannot be read (" + std::string(error.description()) +
                                           "); check the path and its permissions");
        }
        return Status(Code::usage, place(path, error.source()) + std::string(error.description()));
    }
    Config config;
    const Status status = take_table(path, "", parsed.table(), config);
    if (!status.ok()) return status;
    return config;
}

std::string example_config() {
    std::string out =
        "# Configuration of seine-control: what it needs to start. What is tuned while it runs lives in\n"
        "# `seinectl config`. Every key is here with its default; take the # before a key away to set it.\n";
    std::string_view table;
    for (const ConfigKey& key : config_keys()) {
        if (key.table != table) {
            table = key.table;
            out += "\n[" + std::string(table) + "]\n";
        }
        out += "\n";
        add_comment(out, meaning_of(key));
        out += "#" + std::string(key.name) + " = " + default_of(key) + "\n";
    }
    return out;
}

std::string man_page() {
    const auto troff = [](std::string_view text) {
        std::string out;
        for (const char c : text) {
            if (c == '\\') out += "\\e";
            else if (c == '-') out += "\\-";
            else out.push_back(c);
        }
        return out;
    };
    std::string out = ".\\\" Made from the table of control/service/config_keys.cpp; do not edit.\n"
                      ".TH SEINE-CONTROL 8 \"\" \"Seine " SEINE_VERSION "\" \"Seine\"\n"
                      ".SH NAME\nseine\\-control \\- learns whose flows the dataplanes saw\n"
                      ".SH SYNOPSIS\n\\fBseine\\-control\\fR \\-\\-config FILE [\\-\\-check]\n.br\n"
                      "\\fBseine\\-control\\fR \\-\\-example\\-config\n"
                      ".SH DESCRIPTION\nReads the rings of the dataplanes on this machine and the account sources, "
                      "keeps what was seen, and answers \\fBseinectl\\fR(1). SIGTERM writes what is in hand and ends "
                      "with 0; SIGHUP opens the log again and reads keys and certificates again.\n"
                      ".SH FILE\n";
    for (const ConfigKey& key : config_keys()) {
        const std::string name = (key.table.empty() ? "" : std::string(key.table) + ".") + std::string(key.name);
        out += ".TP\n\\fB" + troff(name) + "\\fR = " + troff(default_of(key)) + "\n" + troff(meaning_of(key)) + "\n";
    }
    return out + ".SH EXIT STATUS\n0 ended well, 1 failed, 2 a mistake in the command line or the file.\n"
                 ".SH SEE ALSO\n\\fBseinectl\\fR(1)\n";
}

}  // namespace seine::service
