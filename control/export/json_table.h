// Prints an event as one JSON object by a table of dotted keys.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "control/export/key_texts.h"
#include "control/export/row.h"

namespace seine::siem {

// Appends one value of an item in JSON; what Form says of it.
void append_json_value(TextBuffer& out, const EventItems& items, Item item, Form form);

// Rows of one object must be neighbours; the constructor checks that no key comes twice (an
// assertion: the table is ours). Const after construction, so threads may share one.
class JsonTable {
  public:
    explicit JsonTable(std::span<const Row> rows);
    // Objects that would be empty are left out.
    void append(TextBuffer& out, const EventItems& items) const;

  private:
    enum class Way : std::uint8_t { constant, made, text, number, other };
    struct Step {
        Way way{};
        Item item{};
        Form form{};
        std::uint16_t path = 0;  // of the object it stands in
        MakeValue make = nullptr;
        KeyTexts::Place key;  // `,"name":`, and what is the same of every value
    };
    struct Path {
        std::vector<std::uint16_t> above;   // the path of each object down to its own
        std::vector<KeyTexts::Place> open;  // `"name":{` of each
    };
    std::uint16_t path_of(std::span<const std::string_view> objects);
    void change(TextBuffer& out, std::uint16_t from, std::uint16_t to) const;

    KeyTexts keys_;
    std::map<std::string, std::uint16_t> numbers_;  // of a dotted path
    std::vector<Path> paths_;                       // the first is the outermost object
    std::array<std::vector<Step>, 5> steps_;        // by kind of event
};

}  // namespace seine::siem
