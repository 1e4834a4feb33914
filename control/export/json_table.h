// Prints an event as one JSON object by a table of dotted keys.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "control/export/row.h"

namespace seine::siem {

// Appends one value of an item in JSON; what Form says of it.
void append_json_value(std::string& out, const EventItems& items, Item item, Form form);

// Rows of one object must be neighbours; the constructor checks that no key comes twice (an
// assertion: the table is ours). Const after construction, so threads may share one.
class JsonTable {
  public:
    explicit JsonTable(std::span<const Row> rows);
    // Objects that would be empty are left out.
    void append(std::string& out, const EventItems& items) const;

  private:
    struct Step {
        const Row* row;
        std::vector<std::string> objects;  // `"name":{` of each object above
        std::vector<std::uint32_t> paths;  // a number per object above, the same for the same path
        std::string key;                   // `"name":`
    };
    std::array<std::vector<Step>, 5> steps_;  // by kind of event
};

}  // namespace seine::siem
