// Opens and closes objects as the keys' prefixes change, and only when something is in them.
#include "control/export/json_table.h"

#include <bit>
#include <map>
#include <set>

#include "control/export/escape.h"
#include "dataplane/base/assert.h"

namespace seine::siem {
namespace {

void append_list(std::string& out, std::span<const std::string_view> texts) {
    out.push_back('[');
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (i > 0) out.push_back(',');
        append_json_string(out, texts[i]);
    }
    out.push_back(']');
}

void append_joined(std::string& out, std::span<const std::string_view> texts) {
    out.push_back('"');
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (i > 0) out += "; ";
        append_json_inner(out, texts[i]);
    }
    out.push_back('"');
}

void append_plain_value(std::string& out, const EventItems& items, Item item) {
    switch (info(item).type) {
        case ItemType::text:
            append_json_string(out, items.text(item));
            return;
        case ItemType::number:
            append_number(out, items.number(item));
            return;
        case ItemType::real:
            append_real(out, items.real(item));
            return;
        case ItemType::flag:
            out += items.flag(item) ? "true" : "false";
            return;
        case ItemType::list:
            append_list(out, items.list(item));
            return;
        case ItemType::time:
            out.push_back('"');
            append_time(out, items.time_ns(item), 6, "Z\"");
            return;
    }
}

std::vector<std::string_view> parts_of(std::string_view key) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t dot = key.find('.');
        parts.push_back(key.substr(0, dot));
        if (dot == std::string_view::npos) return parts;
        key.remove_prefix(dot + 1);
    }
}

}  // namespace

void append_json_value(std::string& out, const EventItems& items, Item item, Form form) {
    switch (form) {
        case Form::plain:
            append_plain_value(out, items, item);
            return;
        case Form::eve_time:
            out.push_back('"');
            append_time(out, items.time_ns(item), 6, "+0000\"");
            return;
        case Form::epoch_ms:
        case Form::milliseconds:
            append_number(out, items.number(item) / 1'000'000);
            return;
        case Form::seconds:
            append_number(out, items.number(item) / 1'000'000'000);
            return;
        case Form::as_text:
            if (info(item).type == ItemType::time) return append_plain_value(out, items, item);
            out.push_back('"');
            append_plain_value(out, items, item);
            out.push_back('"');
            return;
        case Form::first:
            append_json_string(out, items.list(item).front());
            return;
        case Form::as_list:
            if (info(item).type == ItemType::list) return append_plain_value(out, items, item);
            out.push_back('[');
            append_json_value(out, items, item,
                              info(item).type == ItemType::text ? Form::plain : Form::as_text);
            out.push_back(']');
            return;
        case Form::joined:
            append_joined(out, items.list(item));
            return;
    }
}

JsonTable::JsonTable(std::span<const Row> rows) {
    for (std::size_t kind = 0; kind < steps_.size(); ++kind) {
        std::set<std::string> seen;
        std::map<std::string, std::uint32_t> numbers;
        std::vector<std::string> open;
        for (const Row& row : rows) {
            if ((row.kinds >> kind & 1) == 0) continue;
            const auto parts = parts_of(row.key);
            Step step{&row, {}, {}, "\"" + std::string(parts.back()) + "\":"};
            std::string path;
            for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
                step.objects.push_back("\"" + std::string(parts[i]) + "\":{");
                path.append(parts[i]).push_back('.');
                step.paths.push_back(
                    numbers.emplace(path, static_cast<std::uint32_t>(numbers.size()))
                        .first->second);
                const bool is_open = i < open.size() && open[i] == step.objects[i];
                if (is_open) continue;
                open.resize(i);
                open.push_back(step.objects[i]);
                SEINE_CHECK(seen.insert(path).second);
            }
            open.resize(parts.size() - 1);
            SEINE_CHECK(seen.insert(std::string(row.key)).second);
            steps_[kind].push_back(std::move(step));
        }
    }
}

void JsonTable::append(std::string& out, const EventItems& items) const {
    const auto kind =
        static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(items.kind())));
    out.push_back('{');
    if (kind < steps_.size()) {
        const std::vector<std::uint32_t>* open = nullptr;
        std::size_t depth = 0;  // of `open` that is in effect
        for (const Step& step : steps_[kind]) {
            const Row& row = *step.row;
            if ((row.from_item || row.make != nullptr) && !items.has(row.item)) continue;
            std::size_t common = 0;
            while (common < depth && common < step.paths.size() &&
                   (*open)[common] == step.paths[common])
                ++common;
            out.append(depth - common, '}');
            if (out.back() != '{') out.push_back(',');
            for (depth = common; depth < step.objects.size(); ++depth) out += step.objects[depth];
            open = &step.paths;
            out += step.key;
            if (row.make != nullptr) {
                row.make(out, items);
            } else if (row.from_item) {
                append_json_value(out, items, row.item, row.form);
            } else {
                out += row.constant;
            }
        }
        out.append(depth, '}');
    }
    out.push_back('}');
}

}  // namespace seine::siem
