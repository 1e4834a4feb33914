// Lets others in between pieces of a long work that nobody else may see half done.
#pragma once
#include <cstdint>
#include <functional>

namespace seine::detect {

class Breath {
  public:
    using Between = std::function<void()>;
    explicit Breath(const Between& between) : between_(&between) {}
    // One piece is done; after every so many, the others' turn comes.
    void taken() {
        if (++pieces_ % kEvery == 0 && *between_) (*between_)();
    }

  private:
    static constexpr std::uint32_t kEvery = 64;
    const Between* between_;
    std::uint32_t pieces_ = 0;
};

}  // namespace seine::detect
