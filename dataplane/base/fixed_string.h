// Inline text with a cap, for fingerprints and names built without allocation.
#pragma once
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "dataplane/base/bytes.h"

namespace seine {

// Appends past the cap are cut and set truncated(), which sticks until clear().
template <std::size_t Cap>
class FixedString {
  public:
    FixedString() = default;
    void append(std::string_view text) noexcept {
        const std::size_t room = Cap - size_;
        if (text.size() > room) {
            truncated_ = true;
            text = text.substr(0, room);
        }
        if (!text.empty()) std::memcpy(chars_.data() + size_, text.data(), text.size());
        size_ += text.size();
    }
    void push(char c) noexcept {
        if (size_ == Cap) {
            truncated_ = true;
            return;
        }
        chars_[size_++] = c;
    }
    void append_decimal(std::uint64_t value) noexcept {
        char digits[20];
        const auto done = std::to_chars(digits, digits + sizeof digits, value);
        append({digits, static_cast<std::size_t>(done.ptr - digits)});
    }
    void append_hex4(std::uint16_t value) noexcept {
        const char digits[4] = {kHexDigits[value >> 12], kHexDigits[(value >> 8) & 15],
                                kHexDigits[(value >> 4) & 15], kHexDigits[value & 15]};
        append({digits, 4});
    }
    void append_hex(ByteView bytes) noexcept {
        for (const std::uint8_t b : bytes) {
            push(kHexDigits[b >> 4]);
            push(kHexDigits[b & 15]);
        }
    }
    void clear() noexcept {
        size_ = 0;
        truncated_ = false;
    }
    [[nodiscard]] std::string_view view() const noexcept { return {chars_.data(), size_}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] bool truncated() const noexcept { return truncated_; }

  private:
    std::array<char, Cap> chars_;  // NOLINT: only the first size_ are read
    std::size_t size_ = 0;
    bool truncated_ = false;
};

}  // namespace seine
