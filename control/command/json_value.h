// A JSON document as a tree, for answers that seinectl shows as tables.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::command {

class JsonValue {
  public:
    enum class Type : std::uint8_t { null, boolean, number, text, array, object };
    static constexpr int kDepthMax = 32;

    // The whole of `document` as one value; names the byte where it stops to be JSON. Strings are
    // decoded to bytes: \u escapes below 0x100 give one byte (the contract's latin-1), others
    // UTF-8.
    static Result<JsonValue> parse(std::string_view document);

    [[nodiscard]] Type type() const noexcept { return type_; }
    // Values of another type read as false, 0, empty: a table shows what is there.
    [[nodiscard]] bool boolean() const noexcept {
        return type_ == Type::boolean && text_ == "true";
    }
    [[nodiscard]] std::uint64_t number() const noexcept;  // whole and not negative; else 0
    [[nodiscard]] double real() const noexcept;           // any number; else 0
    [[nodiscard]] std::int64_t whole() const noexcept;    // whole, of either sign; else 0
    [[nodiscard]] const std::string& text() const noexcept;
    [[nodiscard]] bool is(Type type) const noexcept { return type_ == type; }
    // A number or boolean as it was written; of a text, its bytes.
    [[nodiscard]] const std::string& written() const noexcept { return text_; }
    [[nodiscard]] const std::vector<JsonValue>& items() const noexcept { return items_; }
    [[nodiscard]] const std::vector<std::pair<std::string, JsonValue>>& members() const noexcept {
        return members_;
    }
    // The member of that name; a null value when there is none.
    [[nodiscard]] const JsonValue& operator[](std::string_view name) const noexcept;

  private:
    friend class JsonReader;
    Type type_ = Type::null;
    std::string text_;  // of a text, decoded; of a number or boolean, as written
    std::vector<JsonValue> items_;
    std::vector<std::pair<std::string, JsonValue>> members_;
};

}  // namespace seine::command
