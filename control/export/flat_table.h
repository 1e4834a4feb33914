// Prints an event as keys and values, one after the other, by a table of keys.
#pragma once
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "control/export/flat_value.h"
#include "control/export/key_texts.h"
#include "control/export/row.h"

namespace seine::siem {

// A row with a constant is the label of the row after it, and printed with it or not at all.
class FlatTable {
  public:
    struct Syntax {
        std::string_view before_key;  // of every key but the first
        std::string_view before_value;
        std::string_view after_value;
        AppendEscaped escaped;
    };
    FlatTable(std::span<const Row> rows, const Syntax& syntax);
    void append(TextBuffer& out, const EventItems& items) const;

  private:
    struct Step {
        Item item{};
        Form form{};
        MakeValue make = nullptr;
        KeyTexts::Place key;  // what stands before the value, labels included
    };
    Syntax syntax_;
    KeyTexts keys_;
    std::array<std::vector<Step>, 5> steps_;  // by kind of event
};

}  // namespace seine::siem
