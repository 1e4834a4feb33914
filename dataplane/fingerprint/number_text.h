// Lists of 16-bit numbers as text in a caller's characters: hex for JA4 and JA4S, decimal for JA3.
#pragma once
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace seine::fingerprint {

// Four lower-case hex digits, most significant first, without a branch: the nibbles of `value` become
// bytes, and 39 is added to those past nine.
inline std::array<char, 4> hex4(std::uint16_t value) noexcept {
    const std::uint32_t v = value;
    const std::uint32_t nibbles =
        (v >> 12) | (v & 0x0f00) | ((v & 0x00f0) << 12) | ((v & 0x000f) << 24);
    const std::uint32_t past_nine = ((nibbles + 0x06060606u) >> 4) & 0x01010101u;
    const std::uint32_t digits = nibbles + 0x30303030u + past_nine * 39;
    std::array<char, 4> text;
    std::memcpy(text.data(), &digits, 4);
    return text;
}

// Writes behind each other into characters of the caller's; past their end, truncated() says so.
class TextWriter {
  public:
    explicit TextWriter(std::span<char> out) noexcept : out_(out) {}
    void push(char c) noexcept {
        if (used_ < out_.size()) {
            out_[used_++] = c;
        } else {
            truncated_ = true;
        }
    }
    void append(std::string_view text) noexcept {
        const std::size_t room = out_.size() - used_;
        if (text.size() > room) {
            truncated_ = true;
            text = text.substr(0, room);
        }
        if (!text.empty()) std::memcpy(out_.data() + used_, text.data(), text.size());
        used_ += text.size();
    }
    // A comma stands before the number unless it is the first of its list.
    void hex_item(std::uint16_t value, bool first) noexcept {
        const std::array<char, 4> digits = hex4(value);
        if (out_.size() - used_ >= 5) {  // the common way: no further check
            char* at = out_.data() + used_;
            *at = ',';
            at += first ? 0 : 1;
            std::memcpy(at, digits.data(), 4);
            used_ += first ? 4 : 5;
            return;
        }
        if (!first) push(',');
        append({digits.data(), 4});
    }
    void decimal(std::uint16_t value) noexcept {
        constexpr std::size_t kDigitsMax = 5;
        if (out_.size() - used_ >= kDigitsMax) {  // the common way, straight to its place
            char* at = out_.data() + used_;
            used_ += static_cast<std::size_t>(std::to_chars(at, at + kDigitsMax, value).ptr - at);
            return;
        }
        char digits[kDigitsMax];
        const char* end = std::to_chars(digits, digits + kDigitsMax, value).ptr;
        append({digits, static_cast<std::size_t>(end - digits)});
    }
    [[nodiscard]] std::string_view view() const noexcept { return {out_.data(), used_}; }
    [[nodiscard]] bool truncated() const noexcept { return truncated_; }

  private:
    std::span<char> out_;
    std::size_t used_ = 0;
    bool truncated_ = false;
};

}  // namespace seine::fingerprint
