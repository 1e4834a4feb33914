// Prints an event as one JSON object by a table of dotted keys.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/export/format.h"
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
        std::uint16_t path = 0;   // of the object it stands in
        std::uint16_t after = 0;  // the same, of the last of constants that stand together
        MakeValue make = nullptr;
        KeyTexts::Place key;     // `,"name":`, and what is the same of every value
        KeyTexts::Place follow;  // the same after the step before: objects closed and opened, too
    };
    struct Path {
        std::vector<std::uint16_t> above;  // the path of each object down to its own
        std::vector<std::string> open;     // `"name":{` of each
    };
    // What stands between a value of one object and one of another.
    struct Change {
        KeyTexts::Place text;       // `}},"name":{`
        bool may_be_first = false;  // nothing is closed: the comma goes where nothing is before it
    };
    std::uint16_t path_of(std::span<const std::string_view> objects);
    void add_steps(std::span<const Row> rows, std::size_t kind);
    [[nodiscard]] std::string change_text(std::uint16_t from, std::uint16_t to) const;
    void change(TextBuffer& out, std::uint16_t from, std::uint16_t to) const {
        const Change& found = changes_[std::size_t{from} * paths_.size() + to];
        keys_.append(out, found.text, found.may_be_first && out.back() == '{' ? 1 : 0);
    }
    static void append_value(TextBuffer& out, const EventItems& items, const Step& step);

    KeyTexts keys_;
    std::map<std::string, std::uint16_t> numbers_;  // of a dotted path
    std::vector<Path> paths_;                       // the first is the outermost object
    std::vector<Change> changes_;                   // from each path to each
    std::array<std::vector<Step>, 5> steps_;        // by kind of event
};

// A format that is such a table.
class JsonFormat final : public Format {
  public:
    // All three outlive it.
    JsonFormat(std::string_view name, std::string_view meaning, std::span<const Row> rows)
        : name_(name), meaning_(meaning), rows_(rows), table_(rows) {}
    [[nodiscard]] std::string_view name() const noexcept override { return name_; }
    [[nodiscard]] std::string_view meaning() const noexcept override { return meaning_; }
    [[nodiscard]] bool is_json() const noexcept override { return true; }
    [[nodiscard]] std::span<const Row> rows() const noexcept override { return rows_; }
    void append(TextBuffer& out, const EventItems& items) const override {
        table_.append(out, items);
    }

  private:
    std::string_view name_;
    std::string_view meaning_;
    std::span<const Row> rows_;
    JsonTable table_;
};

}  // namespace seine::siem
