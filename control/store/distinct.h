// How many different hashes there were: exact while few, a sketch of bounded size past that.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seine::store {

// Up to kExactMax hashes are kept as they are; past it 4,096 registers of HyperLogLog (Flajolet et
// al. 2007, with the small-range correction), standard error 1.6 %. Merging two gives what adding
// all of both would have given. A hash stands for what it was made of: equal ones are one.
class Distinct {
  public:
    static constexpr std::size_t kExactMax = 32;
    static constexpr std::size_t kRegisters = 4096;
    static constexpr std::size_t kBytesMax = 1 + kRegisters;

    Distinct() = default;
    Distinct(const Distinct& other);
    Distinct& operator=(const Distinct& other);
    Distinct(Distinct&&) noexcept = default;
    Distinct& operator=(Distinct&&) noexcept = default;

    // False when it was there for sure, or changed nothing.
    bool add(std::uint64_t hash);
    void merge(const Distinct& other);
    [[nodiscard]] std::uint64_t count() const;
    [[nodiscard]] bool exact() const noexcept { return registers_ == nullptr; }
    [[nodiscard]] bool empty() const noexcept { return exact() && exact_count() == 0; }

    // Bytes for a store, at most kBytesMax; the same set of hashes gives the same bytes.
    [[nodiscard]] std::string encode() const;
    // False, and `out` empty, when `bytes` are none of encode()'s.
    [[nodiscard]] static bool decode(std::string_view bytes, Distinct& out);

  private:
    using Registers = std::array<std::uint8_t, kRegisters>;
    bool add_to_registers(std::uint64_t hash) noexcept;
    void make_registers();
    [[nodiscard]] std::size_t exact_count() const noexcept { return hashes_.empty() ? has_one_ : hashes_.size(); }

    // Most sets are of one: it is here, without memory of its own. From the second on all are in
    // `hashes_`, sorted.
    std::uint64_t one_ = 0;
    bool has_one_ = false;
    std::vector<std::uint64_t> hashes_;
    std::unique_ptr<Registers> registers_;
};

}  // namespace seine::store
