// What detection keeps of one account: tokens with their last sighting, round-trip bins, hours.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "control/detect/channel.h"
#include "control/detect/prefix_table.h"
#include "control/detect/rtt.h"
#include "control/model/tag.h"
#include "dataplane/base/clock.h"

namespace seine::detect {

inline constexpr std::int64_t kHour = 3'600 * kSecond;
inline constexpr std::int64_t kDay = 24 * kHour;

// A value on a channel, and when it was seen; hours count from the engine's own zero.
struct Token {
    std::uint64_t value = 0;
    std::uint16_t first_h = 0;
    std::uint16_t last_h = 0;
    std::uint16_t count = 0;  // connections, saturating
    Channel channel{};
    std::uint8_t net = 0;  // class of an address, prefix or network token
};
static_assert(sizeof(Token) == 16);

// Sizes of requests in quarter octaves from 256 bytes on, by connection; halved when full.
struct ShapeHistogram {
    static constexpr std::size_t kBins = 64;
    std::array<std::uint8_t, kBins> count{};
    void add(std::uint32_t request_bytes) noexcept;
    [[nodiscard]] unsigned total() const noexcept;
};

// A connection that was counted already, and what was told of it so far; counts saturate.
struct Recent {
    std::uint32_t mark = 0;
    std::uint8_t exchanges = 0, records = 0, limited = 0, errors = 0;
};

struct Account {
    static constexpr std::uint8_t kIntermediary = 1, kClosed = 2, kSignupSeen = 4, kOrgKnown = 8,
                                  kAlerted = 16, kProvisional = 32;
    model::AccountTag tag;
    model::OrgTag org;
    std::uint32_t org_index = 0;
    std::uint32_t first_seen_day = 0;  // days since 1970; 0: not known
    Nanos first, last, signup, closed;
    std::uint32_t connections = 0;
    std::uint32_t exchanges = 0;
    std::uint8_t tier = 0;
    std::uint8_t trust = 0;
    std::uint8_t flags = 0;
    bool dirty = false;
    // Slot and serial of the last account whose session it shared: AccountTable::linked_to().
    std::uint32_t linked_slot = 0xffffffffu, linked_serial = 0;
    GapHistogram gaps{};
    std::array<std::uint16_t, kNetClasses> by_class{};  // connections, saturating
    std::array<std::uint8_t, 24> hours{};               // of the day, UTC, saturating
    std::array<std::uint8_t, 7> days{};
    ShapeHistogram shapes{};
    std::array<Recent, 6> recent{};  // newest first
    std::uint32_t serial = 0;  // of the table, another for each account that a slot has held
    std::vector<Token> tokens;
    // Result of the last scoring.
    double score = 0;
    Nanos alerted;           // first alert; zero: none
    std::uint64_t farm = 0;  // campaign-level farm; 0: none

    [[nodiscard]] NetClass main_class() const noexcept;
    [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
};

}  // namespace seine::detect
