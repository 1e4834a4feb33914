// Opens and closes objects as the keys' prefixes change, and only when something is in them.
#include "control/export/json_table.h"

#include <algorithm>
#include <bit>
#include <set>

#include "control/export/escape.h"
#include "dataplane/base/assert.h"

namespace seine::siem {
namespace {

void append_list(TextBuffer& out, std::span<const std::string_view> texts) {
    out.push_back('[');
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (i > 0) out.push_back(',');
        append_json_string(out, texts[i]);
    }
    out.push_back(']');
}

void append_joined(TextBuffer& out, std::span<const std::string_view> texts) {
    out.push_back('"');
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (i > 0) out += "; ";
        append_json_inner(out, texts[i]);
    }
    out.push_back('"');
}

void append_plain_value(TextBuffer& out, const EventItems& items, Item item) {
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

void append_json_value(TextBuffer& out, const EventItems& items, Item item, Form form) {
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

std::uint16_t JsonTable::path_of(std::span<const std::string_view> objects) {
    std::string dotted;
    Path path;
    std::uint16_t number = 0;
    for (const std::string_view name : objects) {
        dotted.append(name).push_back('.');
        const auto [found, is_new] =
            numbers_.emplace(dotted, static_cast<std::uint16_t>(paths_.size()));
        number = found->second;
        path.above.push_back(number);
        if (is_new) {
            path.open.push_back("\"" + std::string(name) + "\":{");
            paths_.push_back(path);
        } else {
            path.open.push_back(paths_[number].open.back());
        }
    }
    return number;
}

JsonTable::JsonTable(std::span<const Row> rows) : paths_(1) {
    for (std::size_t kind = 0; kind < steps_.size(); ++kind) add_steps(rows, kind);
    const auto count = static_cast<std::uint16_t>(paths_.size());
    for (std::uint16_t from = 0; from < count; ++from) {
        for (std::uint16_t to = 0; to < count; ++to) {
            const std::string text = change_text(from, to);
            changes_.push_back({keys_.add(text), text.starts_with(',')});
        }
    }
}

void JsonTable::add_steps(std::span<const Row> rows, std::size_t kind) {
    std::set<std::string_view> keys;
    std::set<std::uint16_t> closed;  // objects that may not be opened again
    std::vector<Step>& steps = steps_[kind];
    std::uint16_t open = 0;
    std::string key;  // of the last step
    std::string follow;
    const auto put_texts = [&] {
        if (steps.empty()) return;
        steps.back().key = keys_.add(key);
        steps.back().follow = keys_.add(follow);
    };
    for (const Row& row : rows) {
        if ((row.kinds >> kind & 1) == 0) continue;
        const auto parts = parts_of(row.key);
        const std::uint16_t path = path_of(std::span(parts).first(parts.size() - 1));
        SEINE_CHECK(keys.insert(row.key).second);
        for (const std::uint16_t left : paths_[open].above) {
            const auto& now = paths_[path].above;
            if (std::find(now.begin(), now.end(), left) == now.end()) closed.insert(left);
        }
        for (const std::uint16_t entered : paths_[path].above)
            SEINE_CHECK(!closed.contains(entered));
        std::string name = "\"" + std::string(parts.back()) + "\":";
        Step step{Way::other, row.item, row.form, path, path, row.make, {}, {}};
        if (row.make != nullptr) {
            step.way = Way::made;
        } else if (!row.from_item) {
            step.way = Way::constant;
            name += row.constant;
        } else if (row.form == Form::plain && info(row.item).type == ItemType::text) {
            step.way = Way::text;
            name.push_back('"');
        } else if (row.form == Form::plain && info(row.item).type == ItemType::number) {
            step.way = Way::number;
        }
        std::string lead = change_text(open, path);
        if (steps.empty() && lead.starts_with(',')) lead.erase(0, 1);
        if (!lead.ends_with('{') && !steps.empty()) lead.push_back(',');
        open = path;
        // Nothing comes between constants that are neighbours.
        if (step.way == Way::constant && !steps.empty() && steps.back().way == Way::constant) {
            key += lead + name;
            follow += lead + name;
            steps.back().after = path;
            continue;
        }
        put_texts();
        key = "," + name;
        follow = lead + name;
        steps.push_back(step);
    }
    put_texts();
}

// Closes objects that `to` does not stand in and opens those it does.
std::string JsonTable::change_text(std::uint16_t from, std::uint16_t to) const {
    const auto& left = paths_[from].above;
    const auto& entered = paths_[to].above;
    std::size_t common = 0;
    while (common < left.size() && common < entered.size() && left[common] == entered[common])
        ++common;
    std::string text(left.size() - common, '}');
    if (common < entered.size()) text.push_back(',');
    for (; common < entered.size(); ++common) text += paths_[to].open[common];
    return text;
}

void JsonTable::append_value(TextBuffer& out, const EventItems& items, const Step& step) {
    switch (step.way) {
        case Way::constant:
            return;
        case Way::text:
            append_json_inner(out, items.text(step.item));
            out.push_back('"');
            return;
        case Way::number:
            append_number(out, items.number(step.item));
            return;
        case Way::made:
            step.make(out, items);
            return;
        case Way::other:
            append_json_value(out, items, step.item, step.form);
            return;
    }
}

void JsonTable::append(TextBuffer& out, const EventItems& items) const {
    const auto kind =
        static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(items.kind())));
    out.push_back('{');
    if (kind < steps_.size()) {
        std::uint16_t open = 0;
        bool is_next = true;  // the step before was printed, or this is the first
        for (const Step& step : steps_[kind]) {
            if (step.way != Way::constant && !items.has(step.item)) {
                is_next = false;
                continue;
            }
            if (is_next) {
                keys_.append(out, step.follow);
            } else {
                if (step.path != open) change(out, open, step.path);
                keys_.append(out, step.key, out.back() == '{' ? 1 : 0);
            }
            is_next = true;
            open = step.after;
            append_value(out, items, step);
        }
        out.append(paths_[open].above.size(), '}');
    }
    out.push_back('}');
}

}  // namespace seine::siem
