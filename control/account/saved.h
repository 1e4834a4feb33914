// Plain values laid down one after another and taken up again: the join's state between two starts.
#pragma once
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace seine::account {

// Of one machine and one build only: values as they lie in memory.
class SavedWriter {
  public:
    explicit SavedWriter(std::string& out) : out_(out) {}
    template <typename T>
    void put(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        const std::size_t at = out_.size();
        out_.resize(at + sizeof value);
        std::memcpy(out_.data() + at, &value, sizeof value);
    }

  private:
    std::string& out_;
};

class SavedReader {
  public:
    explicit SavedReader(std::string_view in) : in_(in) {}
    // False, and `out` unchanged, when the bytes end before it; sticks.
    template <typename T>
    bool take(T& out) {
        static_assert(std::is_trivially_copyable_v<T>);
        sound_ = sound_ && in_.size() >= sizeof out;
        if (!sound_) return false;
        std::memcpy(static_cast<void*>(&out), in_.data(), sizeof out);
        in_.remove_prefix(sizeof out);
        return true;
    }
    [[nodiscard]] bool sound() const noexcept { return sound_; }
    [[nodiscard]] bool empty() const noexcept { return in_.empty(); }

  private:
    std::string_view in_;
    bool sound_ = true;
};

}  // namespace seine::account
