// The two kinds of failure: what a parser says of bytes, and what setup says of the outside world.
#pragma once
#include <string>
#include <utility>
#include <variant>

#include "dataplane/base/assert.h"

namespace seine {

// The answer of a parser. Bytes from the network are never an error of ours.
enum class [[nodiscard]] Parse : unsigned char {
    ok,         // parsed; the outputs are set
    need_more,  // sound so far, but the bytes end too early
    not_this,   // not this protocol; another parser may try
    malformed,  // this protocol, but broken
    limit,      // this protocol, but past a stated bound
};

enum class Code : unsigned char { ok, failed, usage, not_found, unreachable, corrupt, full };

// The answer of setup code: a code and one line that names the file, line or port and the remedy.
class [[nodiscard]] Status {
  public:
    Status() = default;
    Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}
    [[nodiscard]] bool ok() const noexcept { return code_ == Code::ok; }
    [[nodiscard]] Code code() const noexcept { return code_; }
    [[nodiscard]] const std::string& message() const noexcept { return message_; }

  private:
    Code code_ = Code::ok;
    std::string message_;
};

inline Status failed(std::string message) { return {Code::failed, std::move(message)}; }

// A value, or the status that says why there is none. Member names are those of std::expected.
template <typename T>
class [[nodiscard]] Result {
  public:
    Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}       // NOLINT
    Result(Status status) : held_(std::in_place_index<1>, std::move(status)) {  // NOLINT
        SEINE_CHECK(!std::get<1>(held_).ok());
    }
    [[nodiscard]] bool has_value() const noexcept { return held_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] T& value() & {
        SEINE_CHECK(has_value());
        return *std::get_if<0>(&held_);
    }
    [[nodiscard]] const T& value() const& {
        SEINE_CHECK(has_value());
        return *std::get_if<0>(&held_);
    }
    [[nodiscard]] T&& value() && {
        SEINE_CHECK(has_value());
        return std::move(*std::get_if<0>(&held_));
    }
    [[nodiscard]] const Status& error() const {
        SEINE_CHECK(!has_value());
        return *std::get_if<1>(&held_);
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

  private:
    std::variant<T, Status> held_;
};

}  // namespace seine
