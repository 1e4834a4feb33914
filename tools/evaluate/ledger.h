// Which account showed which token: what the plain baselines are computed from.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "control/model/sighting.h"
#include "tools/evaluate/world_truth.h"

namespace seine::evaluate {

enum class Channel : std::uint8_t { address, address_stack, prefix, stack, header, syn, ticket };
inline constexpr std::size_t kChannels = 7;

// A token of an account, as often as it was seen but once.
struct Posting {
    std::uint64_t token = 0;
    std::uint32_t row = 0;
    friend auto operator<=>(const Posting&, const Posting&) = default;
};

// Least round trips of an account, over its valid samples.
struct RoundTrips {
    std::uint32_t tcp_us = UINT32_MAX;
    std::uint32_t tls_us = UINT32_MAX;
    std::uint32_t samples = 0;
};

class Ledger {
  public:
    explicit Ledger(const WorldTruth& truth) : truth_(truth), trips_(truth.rows.size()) {}
    void add(const model::Sighting& sighting);
    // Sorted by token, then row; every pair once.
    const std::vector<Posting>& postings(Channel channel);
    [[nodiscard]] const std::vector<RoundTrips>& round_trips() const { return trips_; }
    [[nodiscard]] const WorldTruth& truth() const { return truth_; }

  private:
    struct Column {
        std::vector<Posting> postings;
        std::size_t sorted = 0;  // so many at the front are sorted and unique
    };
    void put(Channel channel, std::uint64_t token, std::uint32_t row);
    static void compact(Column& column);
    const WorldTruth& truth_;
    std::array<Column, kChannels> columns_;
    std::vector<RoundTrips> trips_;
};

}  // namespace seine::evaluate
