// One item as one text, for formats of keys and values.
#pragma once
#include <string>
#include <string_view>

#include "control/export/row.h"

namespace seine::siem {

using AppendEscaped = void (*)(TextBuffer& out, std::string_view text);

// Appends the item through `escaped`; a list's parts are separated by "; ".
void append_flat_value(TextBuffer& out, const EventItems& items, Item item, Form form,
                       AppendEscaped escaped);

}  // namespace seine::siem
