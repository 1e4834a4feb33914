// Bytes of a message while it is written: room is made ahead of a value, never byte by byte, and
// the memory is kept from one message to the next.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace seine::siem {

class TextBuffer {
  public:
    // Behind what was asked for there are always so many bytes more: whoever writes may read and
    // spoil them, so copies and scans go in whole blocks.
    static constexpr std::size_t kSlackBytes = 64;
    static constexpr std::size_t kBlockBytes = 32;

    TextBuffer() : held_(std::make_unique<char[]>(kFirstBytes + kSlackBytes)) {}

    [[nodiscard]] std::string_view view() const noexcept { return {held_.get(), used_}; }
    [[nodiscard]] std::size_t size() const noexcept { return used_; }
    [[nodiscard]] bool empty() const noexcept { return used_ == 0; }
    void clear() noexcept { used_ = 0; }
    void cut(std::size_t bytes) noexcept { used_ = bytes; }  // to so many, no more than there are
    // Of one that is not empty.
    [[nodiscard]] char back() const noexcept { return held_[used_ - 1]; }
    [[nodiscard]] char& operator[](std::size_t at) noexcept { return held_[at]; }

    // Where `bytes` may be written; advance() by what was.
    [[nodiscard]] char* room(std::size_t bytes) {
        if (bytes > room_ - used_) grow(bytes);
        return held_.get() + used_;
    }
    void advance(std::size_t bytes) noexcept { used_ += bytes; }

    void push_back(char byte) {
        *room(1) = byte;
        ++used_;
    }
    TextBuffer& append(std::string_view text) {
        if (text.empty()) return *this;  // may have no bytes to point at
        std::memcpy(room(text.size()), text.data(), text.size());
        used_ += text.size();
        return *this;
    }
    TextBuffer& append(std::size_t count, char byte) {
        std::memset(room(count), byte, count);
        used_ += count;
        return *this;
    }
    TextBuffer& operator+=(std::string_view text) { return append(text); }
    // As append(), of a text that kBlockBytes more may be read of: short ones are one copy.
    void append_block(const char* text, std::size_t bytes) {
        char* to = room(bytes);
        std::memcpy(to, text, kBlockBytes);
        if (bytes > kBlockBytes)
            std::memcpy(to + kBlockBytes, text + kBlockBytes, bytes - kBlockBytes);
        used_ += bytes;
    }

  private:
    static constexpr std::size_t kFirstBytes = 8192;
    void grow(std::size_t bytes) {
        std::size_t more = room_;
        while (more - used_ < bytes) more *= 2;
        auto larger = std::make_unique<char[]>(more + kSlackBytes);
        std::memcpy(larger.get(), held_.get(), used_);
        held_ = std::move(larger);
        room_ = more;
    }

    std::unique_ptr<char[]> held_;
    std::size_t room_ = kFirstBytes;
    std::size_t used_ = 0;
};

}  // namespace seine::siem
