// One pattern as PCRE2 runs it: the meaning of a rule, and the confirmation of what Hyperscan only suspects.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/base/status.h"

namespace seine::signature {

enum class RegexAnswer : unsigned char {
    no,
    yes,
    gave_up,  // the bound of steps was hit: a pattern that explodes on this value
};

// Compiled once, with JIT where the platform has it; search() allocates nothing and is for one thread.
class Regex {
  public:
    // Steps of one search; a pattern that needs more on a value of at most 4 KiB is refused by lint.
    static constexpr unsigned kStepsMax = 100'000;

    // corrupt: what PCRE2 says and the byte of the pattern it says it of.
    static Result<Regex> compile(std::string_view pattern, bool nocase);
    ~Regex();
    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;

    // Anywhere in `text`. Where it is found goes to `from` and `to` when they are given.
    [[nodiscard]] RegexAnswer search(std::string_view text, std::size_t* from = nullptr,
                                     std::size_t* to = nullptr) const noexcept;
    // It matches nothing as well, and so everywhere.
    [[nodiscard]] bool matches_empty() const noexcept;

  private:
    struct Code;
    explicit Regex(std::unique_ptr<Code> code) noexcept;
    std::unique_ptr<Code> code_;
};

}  // namespace seine::signature
