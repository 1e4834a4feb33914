// The generator's own random numbers: the same on every platform and library.
#pragma once
#include <cmath>
#include <cstdint>
#include <span>

#include "dataplane/base/hash.h"
#include "tools/synth/packet_builder.h"

namespace seine::generate {

class MixRandom {
  public:
    explicit MixRandom(std::uint64_t seed) : state_(mix64(seed + 0x9e3779b97f4a7c15u, 0xd6e8feb86659fd93u) | 1) {}

    std::uint64_t word() noexcept {
        state_ += 0x9e3779b97f4a7c15u;
        return mix64(state_, state_ ^ 0xe7037ed1a0b428dbu);
    }
    // 0 to bound - 1.
    std::uint64_t below(std::uint64_t bound) noexcept {
        return static_cast<std::uint64_t>((static_cast<Uint128>(word()) * bound) >> 64);
    }
    std::uint64_t between(std::uint64_t first, std::uint64_t end) noexcept { return first + below(end - first); }
    double unit() noexcept { return static_cast<double>(word() >> 11) * 0x1p-53; }
    bool chance(double share) noexcept { return unit() < share; }
    // Heavy tailed, 1 and up.
    double pareto(double alpha) noexcept { return std::pow(1 - unit(), -1 / alpha); }
    void fill(std::span<std::uint8_t> out) noexcept {
        for (std::size_t at = 0; at < out.size(); at += 8) {
            const std::uint64_t bits = word();
            for (std::size_t i = 0; i < 8 && at + i < out.size(); ++i)
                out[at + i] = static_cast<std::uint8_t>(bits >> (8 * i));
        }
    }
    synth::Bytes bytes(std::size_t count) {
        synth::Bytes out(count);
        fill(out);
        return out;
    }
    template <typename T>
    const T& pick(std::span<const T> items) noexcept {
        return items[below(items.size())];
    }
    // An index by weight; the weights' sum must not be 0.
    template <typename Weights>
    std::size_t weighted(const Weights& weights) noexcept {
        double sum = 0;
        for (const double weight : weights) sum += weight;
        double at = unit() * sum;
        std::size_t i = 0;
        for (const double weight : weights) {
            if (at < weight) return i;
            at -= weight;
            ++i;
        }
        return i - 1;
    }

  private:
    std::uint64_t state_;
};

}  // namespace seine::generate
