// A place in a file, and what is wrong there.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace seine::signature {

struct Place {
    std::string file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

// "file:line:column"; without what is not known.
std::string text_of(const Place& place);

// One mistake: where, what, and what to do about it, in one sentence.
struct Problem {
    Place place;
    std::string text;
};

// Mistakes in the order they are found; past the bound they are counted, not kept.
class Problems {
  public:
    static constexpr std::size_t kKeptMax = 200;
    void add(Place place, std::string text);
    [[nodiscard]] bool empty() const noexcept { return kept_.empty(); }
    [[nodiscard]] const std::vector<Problem>& kept() const noexcept { return kept_; }
    [[nodiscard]] std::size_t left_out() const noexcept { return left_out_; }
    // A line each: "file:line:column: text".
    [[nodiscard]] std::string lines() const;

  private:
    std::vector<Problem> kept_;
    std::size_t left_out_ = 0;
};

}  // namespace seine::signature
