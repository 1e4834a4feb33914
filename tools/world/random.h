// Random draws that depend on a key alone: any part of a world can be drawn in any order, on any
// thread, and comes out the same.
#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

namespace seine::world {

[[nodiscard]] constexpr std::uint64_t scrambled(std::uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}
// A key made of parts; the order of parts counts.
[[nodiscard]] constexpr std::uint64_t key_of(std::uint64_t a, std::uint64_t b, std::uint64_t c = 0,
                                             std::uint64_t d = 0) noexcept {
    return scrambled(scrambled(scrambled(scrambled(a) ^ b) ^ c) ^ d);
}
[[nodiscard]] constexpr double unit_of(std::uint64_t key) noexcept {
    return static_cast<double>(key >> 11) * 0x1.0p-53;
}

// Running sums of weights, for picking an index in proportion to them.
class Weights {
  public:
    Weights() = default;
    explicit Weights(const std::vector<double>& weights) {
        double sum = 0;
        for (const double w : weights) sums_.push_back(sum += w);
    }
    [[nodiscard]] std::size_t pick(double unit) const noexcept;
    [[nodiscard]] std::size_t count() const noexcept { return sums_.size(); }
    [[nodiscard]] double share(std::size_t i) const noexcept {
        return (sums_[i] - (i == 0 ? 0 : sums_[i - 1])) / sums_.back();
    }

  private:
    std::vector<double> sums_;
};
// Weights 1, 1/2^s, 1/3^s, ...
[[nodiscard]] Weights zipf(std::size_t count, double s);

class Draw {
  public:
    explicit Draw(std::uint64_t key) noexcept : state_(key) {}
    std::uint64_t bits() noexcept { return scrambled(state_ += 0xd1342543de82ef95u); }
    double unit() noexcept { return unit_of(bits()); }
    bool chance(double p) noexcept { return unit() < p; }
    // 0 .. n - 1; n from 1 to 2^32.
    std::uint64_t below(std::uint64_t n) noexcept {
        return static_cast<std::uint64_t>(unit() * static_cast<double>(n));
    }
    double between(double low, double high) noexcept { return low + (high - low) * unit(); }
    double exponential(double mean) noexcept { return -mean * std::log1p(-unit()); }
    double normal() noexcept {
        const double u = 1 - unit();
        return std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * unit());
    }
    double log_normal(double median, double sigma) noexcept {
        return median * std::exp(sigma * normal());
    }
    std::uint64_t poisson(double mean) noexcept;
    // 1, 2, ... with the given mean (at least 1).
    std::uint64_t geometric(double mean) noexcept;
    std::size_t pick(const Weights& weights) noexcept { return weights.pick(unit()); }

  private:
    std::uint64_t state_;
};

}  // namespace seine::world
