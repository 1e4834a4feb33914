// Disjoint sets over 0..n-1: path halving, the lower number leads.
#pragma once
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace seine::detect {

class UnionFind {
  public:
    explicit UnionFind(std::size_t n) : parent_(n) {
        std::iota(parent_.begin(), parent_.end(), 0u);
    }
    std::uint32_t find(std::uint32_t x) noexcept {
        while (parent_[x] != x) x = parent_[x] = parent_[parent_[x]];
        return x;
    }
    // The leader is the lowest member whatever the order of the joins.
    void join(std::uint32_t a, std::uint32_t b) noexcept {
        a = find(a);
        b = find(b);
        if (a == b) return;
        parent_[std::max(a, b)] = std::min(a, b);
    }
    // Sets of at least `least` members, each rising, ordered by their lowest member.
    [[nodiscard]] std::vector<std::vector<std::uint32_t>> groups(std::size_t least) {
        std::vector<std::uint32_t> size(parent_.size(), 0), at(parent_.size(), 0);
        for (std::uint32_t x = 0; x < parent_.size(); ++x) ++size[find(x)];
        std::vector<std::vector<std::uint32_t>> out;
        for (std::uint32_t x = 0; x < parent_.size(); ++x) {
            const std::uint32_t leader = find(x);
            if (size[leader] < least) continue;
            if (leader == x) {
                at[x] = static_cast<std::uint32_t>(out.size());
                out.emplace_back().reserve(size[x]);
            }
            out[at[leader]].push_back(x);
        }
        return out;
    }

  private:
    std::vector<std::uint32_t> parent_;
};

}  // namespace seine::detect
