// Numbers and times need no escape; texts go through the format's own.
#include "control/export/flat_value.h"

#include "control/export/escape.h"

namespace seine::siem {

void append_flat_value(TextBuffer& out, const EventItems& items, Item item, Form form,
                       AppendEscaped escaped) {
    switch (info(item).type) {
        case ItemType::text:
            escaped(out, items.text(item));
            return;
        case ItemType::real:
            append_real(out, items.real(item));
            return;
        case ItemType::flag:
            out += items.flag(item) ? "true" : "false";
            return;
        case ItemType::list: {
            bool first = true;
            for (const std::string_view text : items.list(item)) {
                if (!first) out += "; ";
                first = false;
                escaped(out, text);
            }
            return;
        }
        case ItemType::time:
            if (form == Form::epoch_ms) return append_number(out, items.number(item) / 1'000'000);
            append_time(out, items.time_ns(item), 6, "Z");
            return;
        case ItemType::number:
            if (form == Form::milliseconds)
                return append_number(out, items.number(item) / 1'000'000);
            if (form == Form::seconds)
                return append_number(out, items.number(item) / 1'000'000'000);
            append_number(out, items.number(item));
            return;
    }
}

}  // namespace seine::siem
