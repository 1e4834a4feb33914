// The gap between the round trip of TCP and that of TLS: bins, what relays show, what a class
// shows.
//
//   t1 SYN-ACK out, t2 ACK in, t3 end of the server's flight, t4 next client bytes
//   (detection.md 3.1) delta = rtt_tls - rtt_tcp, less the crypto time of the stack;  rho = rtt_tls
//   / rtt_tcp
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "control/detect/prefix_table.h"

namespace seine::detect {

inline constexpr std::size_t kDeltaBins = 5;  // <5, 5-15, 15-40, 40-100, >100 ms
inline constexpr std::size_t kRhoBins = 4;    // <1.3, 1.3-2, 2-4, >4
inline constexpr std::size_t kGapBins = kDeltaBins * kRhoBins;
inline constexpr unsigned kGapSamplesMin = 3;
inline constexpr double kGapNatsMax = 4.0;
// A relay beside its client shows no gap, so the lack of one is never called direct with
// confidence.
inline constexpr double kGapNatsMin = -1.0;

// Samples of one account or of one (exit, stack), saturating: halved when a count is full.
struct GapHistogram {
    std::array<std::uint8_t, kGapBins> count{};
    void add(std::size_t bin) noexcept;
    [[nodiscard]] unsigned total() const noexcept;
    // The bin below which a third of the samples lie: one lost packet or busy client does not
    // move it, and neither does one lucky sample. Meaningful from kGapSamplesMin samples on.
    [[nodiscard]] std::size_t bin() const noexcept;
};

[[nodiscard]] std::size_t gap_bin(std::uint32_t rtt_tcp_us, std::uint32_t rtt_tls_us,
                                  std::uint32_t crypto_us) noexcept;

// The round trips of one account through one exit, as a word: a mark of the address, and the least of
// TLS and of TCP in tenths of a millisecond.
class Way {
  public:
    explicit Way(std::uint64_t value) noexcept : value_(value) {}
    Way(std::uint64_t address, std::uint32_t rtt_tls_us, std::uint32_t rtt_tcp_us) noexcept;
    [[nodiscard]] std::uint64_t value() const noexcept { return value_; }
    [[nodiscard]] bool is_of(std::uint64_t address) const noexcept;
    void take(const Way& other) noexcept;
    // From the exit to who stands behind it and back.
    [[nodiscard]] float beyond_ms() const noexcept;

  private:
    [[nodiscard]] std::uint64_t tls() const noexcept { return value_ >> 16 & 0xffff; }
    [[nodiscard]] std::uint64_t tcp() const noexcept { return value_ & 0xffff; }
    std::uint64_t value_;
};

// Share of relayed (account, exit) pairs in each bin, counted from captures of real relays
// (tools/evaluate/count_gaps.py).
[[nodiscard]] const std::array<double, kGapBins>& gap_of_relays() noexcept;

// Shares of the bins in each network class, over accounts that were not found to be of a farm.
class GapBaseline {
  public:
    void clear() noexcept { *this = {}; }
    void add(NetClass net, std::size_t bin) noexcept;
    // ln P(bin | relayed) / P(bin | class), clamped to [-1, 4] nats.
    [[nodiscard]] double nats(NetClass net, std::size_t bin) const noexcept;
    // Share of a class in the bins of a gap, and how many accounts it rests on.
    [[nodiscard]] double share(NetClass net, std::size_t bin) const noexcept;

  private:
    std::array<std::array<std::uint32_t, kGapBins>, kNetClasses> count_{};
    std::array<std::uint32_t, kGapBins> all_{};
};

// Crypto time of each stack: the fifth percentile of delta from networks without middleboxes.
class StackCrypto {
  public:
    static constexpr std::size_t kStacksMax = 4096;
    void add(std::uint64_t stack, std::uint32_t delta_us);
    // Microseconds; 0 for a stack that was not seen often enough.
    [[nodiscard]] std::uint32_t crypto_us(std::uint64_t stack) const noexcept;
    [[nodiscard]] std::size_t stacks() const noexcept { return used_; }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

    static constexpr std::size_t kSteps = 30;  // of half a millisecond; the last one holds the rest
    struct Row {
        std::uint64_t stack = 0;
        std::array<std::uint16_t, kSteps> count{};
        std::uint32_t total = 0;
    };
    [[nodiscard]] const std::vector<Row>& rows() const noexcept { return rows_; }
    // False, and nothing changed, for a table of another size.
    [[nodiscard]] bool restore(std::vector<Row> rows);

  private:
    [[nodiscard]] const Row* find(std::uint64_t stack) const noexcept;
    std::vector<Row> rows_;
    std::size_t used_ = 0;
    std::uint64_t refused_ = 0;
};

}  // namespace seine::detect
