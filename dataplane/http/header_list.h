// Bounded list of header fields: name and value views in wire order.
#pragma once
#include <cstddef>
#include <string_view>

#include "dataplane/base/fixed_vector.h"

namespace seine::http {

// One field as sent. Both views borrow from the stream or from the HPACK text.
struct HeaderField {
    std::string_view name;
    std::string_view value;
};

// ASCII letters without regard to case; `lower` is given in lower case.
constexpr bool equals_lower(std::string_view text, std::string_view lower) noexcept {
    if (text.size() != lower.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const char folded = (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
        if (folded != lower[i]) return false;
    }
    return true;
}

// Scratch of one message at a time: 8 KiB, made once per worker. Only the first size() are set.
class HeaderList {
  public:
    static constexpr std::size_t kFieldsMax = 256;
    static constexpr std::size_t kBytesMax = std::size_t{64} * 1024;  // names and values together

    // False, and nothing added, past either bound.
    [[nodiscard]] bool push(std::string_view name, std::string_view value) noexcept {
        const std::size_t sum = bytes_ + name.size() + value.size();
        if (sum > kBytesMax || !fields_.push({name, value})) return false;
        bytes_ = sum;
        return true;
    }
    void clear() noexcept {
        fields_.clear();
        bytes_ = 0;
    }
    // The first field of that name, or nullptr; `lower_name` in lower case, matched without case.
    [[nodiscard]] const HeaderField* find(std::string_view lower_name) const noexcept {
        for (const HeaderField& field : fields_)
            if (equals_lower(field.name, lower_name)) return &field;
        return nullptr;
    }
    [[nodiscard]] std::string_view value_of(std::string_view lower_name) const noexcept {
        const HeaderField* field = find(lower_name);
        return field == nullptr ? std::string_view{} : field->value;
    }
    // The last field, for a folded line that makes its value longer; must not be called when empty.
    HeaderField& back() noexcept { return fields_.back(); }
    [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }
    [[nodiscard]] bool empty() const noexcept { return fields_.empty(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    const HeaderField& operator[](std::size_t index) const noexcept { return fields_[index]; }
    [[nodiscard]] const HeaderField* begin() const noexcept { return fields_.begin(); }
    [[nodiscard]] const HeaderField* end() const noexcept { return fields_.end(); }

  private:
    FixedVector<HeaderField, kFieldsMax> fields_;
    std::size_t bytes_ = 0;
};

}  // namespace seine::http
