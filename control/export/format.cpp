// The list of formats and their tables for the documentation.
#include "control/export/format.h"

#include <array>

namespace seine::siem {
namespace {

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') out.push_back('\\');
        out.push_back(c);
    }
    return out;
}

std::string kinds_text(Kinds kinds) {
    if (kinds == kAnyKind) return "all";
    constexpr std::pair<Kinds, std::string_view> kNames[] = {{kAlert, "alert"},
                                                             {kFlow, "flow"},
                                                             {kFarm, "farm"},
                                                             {kEvidence, "evidence"},
                                                             {kHealth, "health"}};
    std::string out;
    for (const auto& [kind, name] : kNames) {
        if ((kinds & kind) == 0) continue;
        if (!out.empty()) out += ", ";
        out += name;
    }
    return out;
}

std::string_view form_text(Form form) {
    switch (form) {
        case Form::plain:
            return "";
        case Form::eve_time:
            return ", zone +0000";
        case Form::epoch_ms:
            return ", ms since 1970";
        case Form::milliseconds:
            return ", in ms";
        case Form::seconds:
            return ", in s";
        case Form::as_text:
            return ", as a text";
        case Form::first:
            return ", the first";
        case Form::as_list:
            return ", in a list";
        case Form::joined:
            return ", joined by `; `";
    }
    return "";
}

std::string source_text(const Row& row) {
    std::string out;
    if (row.make != nullptr) {
        out = escaped(row.note);
    } else if (!row.from_item) {
        out = "`" + escaped(row.constant) + "`";
        if (!row.note.empty()) out.append(" (").append(escaped(row.note)).append(")");
    } else {
        out = escaped(info(row.item).meaning);
        out += form_text(row.form);
        if (!row.note.empty()) out.append(" (").append(escaped(row.note)).append(")");
    }
    return out;
}

}  // namespace

std::span<const Format* const> formats() {
    static const std::array<const Format*, 7> all{&eve_format(),  &ecs_format(),  &ocsf_format(),
                                                  &cef_format(),  &leef_format(), &sd_format(),
                                                  &ipfix_format()};
    return all;
}

const Format* find_format(std::string_view name) {
    for (const Format* format : formats()) {
        if (format->name() == name) return format;
    }
    return nullptr;
}

std::string field_tables() {
    std::string out;
    for (const Format* format : formats()) {
        out.append("### `")
            .append(format->name())
            .append("`\n\n")
            .append(format->meaning())
            .append(".\n\n");
        out += "| key | events | value |\n| --- | --- | --- |\n";
        for (const Row& row : format->rows()) {
            out.append("| `").append(escaped(row.key)).append("` | ").append(kinds_text(row.kinds));
            out.append(" | ").append(source_text(row)).append(" |\n");
        }
        out += "\n";
    }
    return out;
}

}  // namespace seine::siem
