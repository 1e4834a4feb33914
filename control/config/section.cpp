// Types, bounds, choices, unknown and missing keys: the same for every section.
#include "control/config/section.h"

#include <algorithm>
#include <set>
#include <sys/stat.h>

namespace seine::config {
namespace {

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (end > 0) words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

// Edits between two words, to guess what was meant.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] =
                std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

std::string guess(std::string_view typed, const std::vector<std::string>& known) {
    std::string best;
    std::size_t best_distance = 3;
    for (const std::string& name : known) {
        const std::size_t edits = distance(typed.substr(0, 64), name);
        if (edits < best_distance) {
            best = name;
            best_distance = edits;
        }
    }
    return best.empty() ? "" : "; did you mean `" + best + "`?";
}

void add(std::vector<Fault>& faults, const Node& at, const std::string& path, std::string message) {
    faults.push_back({path, at.line, at.column, std::move(message)});
}

std::string number_text(double value) {
    std::string text = std::to_string(value);
    while (text.find('.') != std::string::npos && (text.ends_with('0') || text.ends_with('.'))) {
        const bool point = text.ends_with('.');
        text.pop_back();
        if (point) break;
    }
    return text;
}

void check_choice(const Setting& setting, const Node& value, const std::string& path,
                  std::vector<Fault>& faults) {
    if (setting.choices.empty()) return;
    const auto choices = words_of(setting.choices);
    if (std::find(choices.begin(), choices.end(), value.text) != choices.end()) return;
    add(faults, value, path,
        "`" + value.text.substr(0, 64) + "` is none of: " + std::string(setting.choices) +
            guess(value.text, choices));
}

void check_secret(const Node& value, const std::string& path, std::vector<Fault>& faults) {
    struct stat about {};
    if (value.text.empty() || value.text.front() != '/')
        return add(faults, value, path, "is the path of a file, from the root");
    if (::stat(value.text.c_str(), &about) != 0)
        return add(
            faults, value, path,
            value.text + " is not there; write the secret into it, readable for seine alone");
    if (!S_ISREG(about.st_mode))
        return add(faults, value, path, value.text + " is no plain file; write the secret into one");
    if ((about.st_mode & 0077) != 0)
        add(faults, value, path, value.text + " can be read by others; chmod 600 it");
}

void check_value(const Setting& setting, const Node& value, const std::string& path,
                 std::vector<Fault>& faults) {
    const bool number_as_real =
        setting.type == Node::Type::real && value.type == Node::Type::integer;
    if (value.type != setting.type && !number_as_real)
        return add(faults, value, path,
                   "is a " + std::string(name_of(value.type)) + ", a " +
                       std::string(name_of(setting.type)) + " is wanted");
    if (setting.least < setting.most) {
        const double number =
            value.type == Node::Type::integer ? static_cast<double>(value.integer) : value.real;
        if (number < setting.least || number > setting.most)
            add(faults, value, path,
                "is out of range: " + number_text(setting.least) + " to " +
                    number_text(setting.most));
    }
    if (value.type == Node::Type::text) {
        if (value.text.size() > 4096) return add(faults, value, path, "is longer than 4096 bytes");
        check_choice(setting, value, path, faults);
        if (setting.secret_file) check_secret(value, path, faults);
    }
    if (value.type == Node::Type::array) {
        // Every list of ours is one of texts.
        for (const Node& item : value.items) {
            if (item.type == Node::Type::text) {
                check_choice(setting, item, path, faults);
            } else {
                add(faults, item, path,
                    "holds a " + std::string(name_of(item.type)) + "; write texts in quotes");
            }
        }
    }
}

void check_table(const Section& section, const Node& table, const std::string& path,
                 std::vector<Fault>& faults) {
    const std::size_t before = faults.size();
    std::vector<std::string> known;
    for (const Setting& setting : section.settings()) {
        known.emplace_back(setting.name);
        if (setting.needed && table.find(setting.name) == nullptr)
            add(faults, table, path,
                "`" + std::string(setting.name) + "` is missing: " + std::string(setting.meaning));
    }
    for (const auto& [key, value] : table.members) {
        const auto settings = section.settings();
        const auto setting =
            std::find_if(settings.begin(), settings.end(),
                         [&key = key](const Setting& one) { return one.name == key; });
        if (setting == settings.end()) {
            add(faults, value, path + "." + key,
                "is no setting of " + std::string(section.name()) + guess(key, known));
        } else {
            check_value(*setting, value, path + "." + key, faults);
        }
    }
    if (faults.size() == before) section.check(table, path, faults);
}

void check_list(const Section& section, const Node& list, std::vector<Fault>& faults) {
    std::set<std::string> names;
    const std::string top(section.name());
    for (const Node& item : list.items) {
        if (item.type != Node::Type::table) {
            add(faults, item, top, "is a list of tables: [[" + top + "]]");
            continue;
        }
        const std::string name = item.text_of("name");
        const bool plain =
            !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
            });
        if (!plain) {
            add(faults, item, top,
                "`name` is missing or no name: letters, digits, - and _, 64 at most");
        } else if (!names.insert(name).second) {
            add(faults, item, top + "[" + name + "]", "comes twice; names are unique");
        }
        check_table(section, item, top + "[" + name.substr(0, 64) + "]", faults);
    }
}

}  // namespace

std::string to_text(const Fault& fault, const std::string& file) {
    std::string out = file;
    if (fault.line > 0)
        out.append(":")
            .append(std::to_string(fault.line))
            .append(":")
            .append(std::to_string(fault.column));
    return out.append(": ").append(fault.path).append(": ").append(fault.message);
}

void check_all(const Node& root, std::span<Section* const> sections, std::vector<Fault>& faults) {
    std::vector<std::string> known;
    for (const Section* section : sections) known.emplace_back(section->name());
    for (const auto& [key, value] : root.members) {
        const auto section =
            std::find_if(sections.begin(), sections.end(),
                         [&key = key](const Section* one) { return one->name() == key; });
        if (section == sections.end()) {
            add(faults, value, key, "is no section" + guess(key, known));
        } else if ((*section)->is_list() != (value.type == Node::Type::array)) {
            add(faults, value, key,
                (*section)->is_list() ? "is a list of tables: [[" + key + "]]"
                                      : "is one table: [" + key + "]");
        } else if ((*section)->is_list()) {
            check_list(**section, value, faults);
        } else if (value.type == Node::Type::table) {
            check_table(**section, value, key, faults);
        } else {
            add(faults, value, key, "is a table: [" + key + "]");
        }
    }
}

void check_names(const Node& root, std::span<Section* const> sections, std::vector<Fault>& faults) {
    for (const auto& [key, value] : root.members) {
        const auto section =
            std::find_if(sections.begin(), sections.end(),
                         [&key = key](const Section* one) { return one->name() == key; });
        if (section == sections.end()) {
            add(faults, value, key, "is no section of this version");
            continue;
        }
        const auto known = [&](const std::string& name) {
            const auto settings = (*section)->settings();
            return std::any_of(settings.begin(), settings.end(),
                               [&name](const Setting& one) { return one.name == name; });
        };
        const std::span<const Node> tables =
            (*section)->is_list() ? std::span<const Node>(value.items) : std::span(&value, 1);
        for (const Node& table : tables) {
            const std::string name = table.text_of("name");
            for (const auto& [setting, at] : table.members) {
                if (!known(setting))
                    add(faults, at,
                        key + ((*section)->is_list() ? "[" + name + "]" : "") + "." + setting,
                        "is no setting of this version");
            }
        }
    }
}

std::string setting_tables(std::span<Section* const> sections) {
    std::string out;
    for (const Section* section : sections) {
        const std::string name(section->name());
        out += "### `" + std::string(section->is_list() ? "[[" : "[") + name +
               std::string(section->is_list() ? "]]" : "]") + "`\n\n";
        out.append(section->meaning())
            .append("\n\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
        for (const Setting& setting : section->settings()) {
            out.append("| `")
                .append(setting.name)
                .append("` | ")
                .append(name_of(setting.type))
                .append(" | ");
            out.append(setting.needed ? "needed" : setting.otherwise)
                .append(" | ")
                .append(setting.meaning);
            if (!setting.choices.empty()) out.append(": ").append(setting.choices);
            if (setting.least < setting.most)
                out.append(" (")
                    .append(number_text(setting.least))
                    .append(" to ")
                    .append(number_text(setting.most))
                    .append(")");
            out += " |\n";
        }
        out += "\n";
    }
    return out;
}

}  // namespace seine::config
