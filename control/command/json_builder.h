// Builds one JSON document front to back; commas and quotes are its business.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace seine::command {

// Keys and values alternate inside an object, values follow one another inside an array; begin and
// end pair up. Same calls, same bytes. Texts are any bytes: those from 0x80 on come out as \u00XX,
// as in records.
class JsonBuilder {
  public:
    JsonBuilder& object() { return open('{', '}'); }
    JsonBuilder& array() { return open('[', ']'); }
    JsonBuilder& end();
    JsonBuilder& key(std::string_view name);
    JsonBuilder& text(std::string_view value);
    JsonBuilder& real(double value);  // as short as it reads back; null when it is no number
    JsonBuilder& null();
    JsonBuilder& raw(std::string_view json);  // a value that is JSON already
    JsonBuilder& boolean(bool value);
    JsonBuilder& number(std::uint64_t value);
    JsonBuilder& whole(std::int64_t value);

    // key() and a value by its type.
    template <typename T>
    JsonBuilder& field(std::string_view name, const T& value) {
        key(name);
        if constexpr (std::is_same_v<T, bool>) {
            return boolean(value);
        } else if constexpr (std::is_floating_point_v<T>) {
            return real(value);
        } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
            return whole(value);
        } else if constexpr (std::is_integral_v<T>) {
            return number(value);
        } else {
            return text(value);
        }
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return out_.size(); }
    // The document; everything that was opened has been ended.
    std::string take();

  private:
    JsonBuilder& open(char first, char last);
    void value();

    std::string out_;
    std::vector<char> ends_;
    bool comma_ = false;  // something stands before the next value at this depth
};

}  // namespace seine::command
