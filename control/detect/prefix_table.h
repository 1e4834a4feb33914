// Which network an address belongs to: AS number and class, from a table that the operator loads.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/model/address.h"
#include "dataplane/base/status.h"

namespace seine::detect {

enum class NetClass : std::uint8_t {
    unknown = 0,
    residential,
    mobile,
    hosting,
    corporate,
    education,
    vpn,
    ci
};
inline constexpr std::size_t kNetClasses = 8;
[[nodiscard]] std::string_view name_of(NetClass net) noexcept;

struct Network {
    std::uint32_t asn = 0;  // 0: not known
    NetClass net = NetClass::unknown;
};

class MmdbFile;

// Longest prefix wins. Lines of a CSV: prefix,asn,class, with an optional heading. What the lines
// leave open is looked up in the MaxMind DB files, in the order in which they were loaded.
class PrefixTable {
  public:
    // Files separated by commas: CSV, or MaxMind DB where a name ends in .mmdb.
    [[nodiscard]] Status load(const std::string& paths);
    // Names file and line of the first fault; nothing of a faulty file is taken over.
    [[nodiscard]] Status load_csv(const std::string& path);
    [[nodiscard]] Status read_csv(std::string_view text, const std::string& source);
    void add(const model::Address& prefix, unsigned bits, Network network);
    [[nodiscard]] Network lookup(const model::Address& address) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return count_; }

  private:
    struct Key {
        model::Address prefix;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept;
    };
    std::array<std::unordered_map<Key, Network, KeyHash>, 129> by_length_;
    std::vector<std::uint8_t> lengths_;  // in use, longest first
    std::size_t count_ = 0;
    std::vector<std::shared_ptr<const MmdbFile>> files_;
};

}  // namespace seine::detect
