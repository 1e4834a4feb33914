// Bins of the round-trip gap and their weights.
#include "control/detect/rtt.h"

#include <algorithm>
#include <cmath>

#include "control/detect/relay_gaps.h"
#include "dataplane/base/hash.h"

namespace seine::detect {

void GapHistogram::add(std::size_t bin) noexcept {
    if (count[bin] == 255) {
        for (std::uint8_t& c : count) c = static_cast<std::uint8_t>(c / 2);
    }
    ++count[bin];
}

unsigned GapHistogram::total() const noexcept {
    unsigned sum = 0;
    for (const std::uint8_t c : count) sum += c;
    return sum;
}

std::size_t GapHistogram::bin() const noexcept {
    const unsigned rank = (total() + 2) / 3;
    unsigned sum = 0;
    for (std::size_t delta = 0; delta < kDeltaBins; ++delta) {
        unsigned here = 0;
        for (std::size_t rho = 0; rho < kRhoBins; ++rho) here += count[delta * kRhoBins + rho];
        if (sum + here < rank) {
            sum += here;
            continue;
        }
        std::size_t best = 0;
        for (std::size_t rho = 1; rho < kRhoBins; ++rho) {
            if (count[delta * kRhoBins + rho] > count[delta * kRhoBins + best]) best = rho;
        }
        return delta * kRhoBins + best;
    }
    return 0;
}

std::size_t gap_bin(std::uint32_t rtt_tcp_us, std::uint32_t rtt_tls_us,
                    std::uint32_t crypto_us) noexcept {
    const double tls = std::max(0.0, static_cast<double>(rtt_tls_us) - crypto_us);
    const double delta_ms = (tls - rtt_tcp_us) / 1000;
    const double rho = tls / std::max<double>(rtt_tcp_us, 500);
    const std::size_t d = delta_ms < 5     ? 0
                          : delta_ms < 15  ? 1
                          : delta_ms < 40  ? 2
                          : delta_ms < 100 ? 3
                                           : 4;
    const std::size_t r = rho < 1.3 ? 0 : rho < 2 ? 1 : rho < 4 ? 2 : 3;
    return d * kRhoBins + r;
}

Way::Way(std::uint64_t address, std::uint32_t rtt_tls_us, std::uint32_t rtt_tcp_us) noexcept
    : value_((mix64(address ^ 0x9e3779b97f4a7c15u, 0xd6e8feb86659fd93u) >> 32 | 1u) << 32 |
             std::uint64_t{std::min(rtt_tls_us / 100, 0xffffu)} << 16 |
             std::min(rtt_tcp_us / 100, 0xffffu)) {}

bool Way::is_of(std::uint64_t address) const noexcept {
    return value_ >> 32 == Way(address, 0, 0).value_ >> 32;
}

void Way::take(const Way& other) noexcept {
    value_ = value_ >> 32 << 32 | std::min(tls(), other.tls()) << 16 | std::min(tcp(), other.tcp());
}

float Way::beyond_ms() const noexcept {
    return (static_cast<float>(tls()) - static_cast<float>(tcp())) / 10;
}

const std::array<double, kGapBins>& gap_of_relays() noexcept {
    static_assert(kRelayGapShare.size() == kGapBins);
    return kRelayGapShare;
}

void GapBaseline::add(NetClass net, std::size_t bin) noexcept {
    ++count_[static_cast<std::size_t>(net)][bin];
    ++all_[bin];
}

double GapBaseline::share(NetClass net, std::size_t bin) const noexcept {
    // A class that was hardly seen leans on the whole population: twenty accounts' worth of it.
    constexpr double kLean = 20;
    double all = 0;
    for (const std::uint32_t c : all_) all += c;
    const double prior = (all_[bin] + 0.5) / (all + 0.5 * kGapBins);
    const auto& row = count_[static_cast<std::size_t>(net)];
    double total = 0;
    for (const std::uint32_t c : row) total += c;
    return (row[bin] + kLean * prior) / (total + kLean);
}

double GapBaseline::nats(NetClass net, std::size_t bin) const noexcept {
    const double ratio = std::log(gap_of_relays()[bin] / share(net, bin));
    // Under five milliseconds there is no gap, however large the ratio to a round trip near zero.
    const double most = bin < kRhoBins ? 0 : kGapNatsMax;
    return std::clamp(ratio, kGapNatsMin, most);
}

const StackCrypto::Row* StackCrypto::find(std::uint64_t stack) const noexcept {
    if (rows_.empty()) return nullptr;
    const std::size_t mask = rows_.size() - 1;
    for (std::size_t at = mix64(stack, 0x9e3779b97f4a7c15u) & mask;; at = (at + 1) & mask) {
        if (rows_[at].stack == stack) return &rows_[at];
        if (rows_[at].stack == 0) return nullptr;
    }
}

void StackCrypto::add(std::uint64_t stack, std::uint32_t delta_us) {
    if (stack == 0) return;
    if (rows_.empty()) rows_.resize(2 * kStacksMax);
    const std::size_t mask = rows_.size() - 1;
    std::size_t at = mix64(stack, 0x9e3779b97f4a7c15u) & mask;
    while (rows_[at].stack != 0 && rows_[at].stack != stack) at = (at + 1) & mask;
    Row& row = rows_[at];
    if (row.stack == 0) {
        if (used_ == kStacksMax) {
            ++refused_;
            return;
        }
        row.stack = stack;
        ++used_;
    }
    const std::size_t step = std::min<std::size_t>(delta_us / 500, kSteps - 1);
    if (row.count[step] == 65535) {
        row.total = 0;
        for (std::uint16_t& c : row.count) row.total += c = static_cast<std::uint16_t>(c / 2);
    }
    ++row.count[step];
    ++row.total;
}

bool StackCrypto::restore(std::vector<Row> rows) {
    if (!rows.empty() && rows.size() != 2 * kStacksMax) return false;
    std::size_t used = 0;
    for (const Row& row : rows) used += row.stack != 0 ? 1 : 0;
    if (used > kStacksMax) return false;
    rows_ = std::move(rows);
    used_ = used;
    return true;
}

std::uint32_t StackCrypto::crypto_us(std::uint64_t stack) const noexcept {
    const Row* row = find(stack);
    if (row == nullptr || row->total < 20) return 0;
    const std::uint32_t rank = row->total / 20;
    std::uint32_t sum = 0;
    for (std::size_t step = 0; step + 1 < kSteps; ++step) {
        sum += row->count[step];
        if (sum > rank) return static_cast<std::uint32_t>(500 * step);
    }
    return 0;  // slower than any crypto: these networks are not direct
}

}  // namespace seine::detect
