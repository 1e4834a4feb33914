// Large lists beside the rules: fingerprints, names or networks, one a line.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/signature/field.h"
#include "dataplane/signature/place.h"

namespace seine::signature {

inline constexpr std::size_t kListBytesMax = std::size_t{256} << 20;
inline constexpr std::size_t kListEntriesMax = 5'000'000;
inline constexpr std::size_t kListEntryBytesMax = 1024;

// Sixteen bytes; IPv4 is v4-mapped, its prefix counted from 96.
struct Network {
    std::array<std::uint8_t, 16> address{};
    std::uint8_t bits = 128;
};
// "203.0.113.0/24", "2001:db8::/32", a bare address. False: no network; host bits must be zero.
bool parse_network(std::string_view text, Network& out) noexcept;
bool parse_address(std::string_view text, std::array<std::uint8_t, 16>& out) noexcept;
bool contains(const Network& network, const std::array<std::uint8_t, 16>& address) noexcept;

// A set of texts: sorted, each once. Names are kept in lower case; `*.example.com` takes every name below
// example.com. Networks are ranges that do not overlap, in order.
class ListFile {
  public:
    struct Range {
        std::array<std::uint8_t, 16> first{};
        std::array<std::uint8_t, 16> last{};
    };

    // Lines: an entry, blanks and a remark behind it allowed; `#` begins a remark. Mistakes go to
    // `problems` with their line; what was sound is kept.
    static ListFile parse(const std::string& path, std::string_view text, FieldKind kind,
                          Problems& problems);
    // Reads the file; a problem at `asked_from` when it is not there or too large.
    static ListFile read(const std::string& path, FieldKind kind, const Place& asked_from,
                         Problems& problems);

    // Of parts as the functions below gave them; sorted again.
    static ListFile of(std::string path, FieldKind kind, std::vector<std::string> exact, std::vector<std::string> below,
                       std::vector<Range> ranges);

    [[nodiscard]] bool contains(std::string_view value) const;
    [[nodiscard]] bool contains(const std::array<std::uint8_t, 16>& address) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept {
        return exact_.size() + below_.size() + ranges_.size();
    }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] FieldKind kind() const noexcept { return kind_; }
    [[nodiscard]] const std::vector<std::string>& exact() const noexcept { return exact_; }
    [[nodiscard]] const std::vector<std::string>& below() const noexcept { return below_; }
    [[nodiscard]] const std::vector<Range>& ranges() const noexcept { return ranges_; }

  private:
    void add(std::string_view entry, const Place& place, Problems& problems);
    void sort();
    std::string path_;
    FieldKind kind_ = FieldKind::text;
    std::vector<std::string> exact_;
    std::vector<std::string> below_;  // of `*.example.com`: example.com
    std::vector<Range> ranges_;
};

std::string lower(std::string_view text);

}  // namespace seine::signature
