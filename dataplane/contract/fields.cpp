// Names of kinds and of the values that choice fields take.
#include "dataplane/contract/fields.h"

#include <span>

namespace seine::contract {
namespace {

struct ChoiceName {
    std::uint8_t value;
    std::string_view name;
};
constexpr ChoiceName kProtos[] = {{6, "tcp"}, {17, "udp"}};
constexpr ChoiceName kApps[] = {{1, "tls"}, {2, "quic"}, {3, "dtls"}, {4, "http1"},
                                {5, "h2"},  {6, "ssh"},  {7, "dhcp"}};
constexpr ChoiceName kSeen[] = {{1, "both"}, {2, "client"}, {3, "server"}};
constexpr ChoiceName kEch[] = {{1, "none"}, {2, "grease_or_real"}, {3, "ours"}};
constexpr ChoiceName kSeverities[] = {
    {1, "info"}, {2, "low"}, {3, "medium"}, {4, "high"}, {5, "critical"}};
constexpr ChoiceName kEndReasons[] = {{1, "fin"},       {2, "rst"}, {3, "reused"}, {4, "idle"},
                                      {5, "half_open"}, {6, "end"}, {7, "evicted"}};

std::span<const ChoiceName> names_of(Field field) noexcept {
    if (field == Field::proto) return kProtos;
    if (field == Field::app) return kApps;
    if (field == Field::seen) return kSeen;
    if (field == Field::ech) return kEch;
    if (field == Field::severity) return kSeverities;
    if (field == Field::end_reason) return kEndReasons;
    return {};
}

constexpr std::string_view kKindNames[] = {"", "open", "request", "update", "close", "finding"};
constexpr std::string_view kTypeNames[] = {
    "u8",    "u16", "u32",  "u64",       "i64",      "boolean",    "choice",       "hex16",
    "hex32", "ip",  "text", "text_list", "u16_list", "hex64_list", "exchange_list"};
constexpr std::string_view kFoldNames[] = {"first", "last", "append", "distinct"};

}  // namespace

std::string_view name_of(Kind kind) noexcept {
    const auto at = static_cast<std::size_t>(kind);
    return at < std::size(kKindNames) ? kKindNames[at] : std::string_view{};
}

std::string_view name_of(FieldType type) noexcept {
    return kTypeNames[static_cast<std::size_t>(type)];
}

std::string_view name_of(Fold fold) noexcept { return kFoldNames[static_cast<std::size_t>(fold)]; }

std::string_view choice_name(Field field, std::uint64_t value) noexcept {
    for (const ChoiceName& choice : names_of(field)) {
        if (choice.value == value) return choice.name;
    }
    return {};
}

}  // namespace seine::contract
