// One line of a format's table: which key says what. Formats print by these tables, docs/siem.md is
// generated from them.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "control/export/event_items.h"
#include "control/export/text_buffer.h"

namespace seine::siem {

// How an item becomes a value.
enum class Form : std::uint8_t {
    plain,         // text and lists of texts as such, numbers as numbers, times as
                   // 2026-07-01T12:00:00.123456Z
    eve_time,      // 2026-07-01T12:00:00.123456+0000
    epoch_ms,      // a time as milliseconds since 1970
    milliseconds,  // a number of nanoseconds as milliseconds
    seconds,       // a number of nanoseconds as whole seconds
    as_text,       // a number as a text
    first,         // the first of a list
    as_list,       // anything as a list of texts
    joined,        // a list as one text, parts separated by a blank and a semicolon
};

using MakeValue = void (*)(TextBuffer& out, const EventItems& items);

struct Row {
    Kinds kinds = kAnyKind;
    std::string_view key;  // dots open objects in JSON formats
    bool from_item = true;
    Item item{};  // the source, or for `make` what must be there
    Form form = Form::plain;
    MakeValue make = nullptr;   // appends a whole value in the format's own syntax
    std::string_view constant;  // printed as it is, in the format's own syntax; not from an item
    std::string_view note;      // for the documentation; of an item its meaning is added
};

constexpr Row from(Kinds kinds, std::string_view key, Item item, Form form = Form::plain,
                   std::string_view note = {}) {
    return {kinds, key, true, item, form, nullptr, {}, note};
}
constexpr Row always(Kinds kinds, std::string_view key, std::string_view constant,
                     std::string_view note = {}) {
    return {kinds, key, false, Item::uid, Form::plain, nullptr, constant, note};
}
constexpr Row made(Kinds kinds, std::string_view key, Item needs, MakeValue make,
                   std::string_view note) {
    return {kinds, key, false, needs, Form::plain, make, {}, note};
}

}  // namespace seine::siem
