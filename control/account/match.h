// Which connection a claim belongs to: the rules, without what follows from the answer.
#pragma once
#include <cstdint>

#include "control/account/connections.h"
#include "control/account/join_config.h"
#include "control/account/pending.h"

namespace seine::account {

struct Match {
    enum class Kind : std::uint8_t {
        clear,      // `connection`, well inside its life
        barely,     // `connection`, near its end or outside: another may have followed
        none,       // no connection under its keys
        off_time,   // there are some, at another time
        ambiguous,  // several
    };
    enum class By : std::uint8_t { addresses, id, session, address_alone };
    Kind kind = Kind::none;
    By by = By::addresses;
    std::uint32_t connection = 0;
};

// By unique id, else by client and server. `offset_ns` is the gateway's.
Match match_now(const Connections& connections, const Claim& claim, std::int64_t offset_ns,
                const JoinConfig& config) noexcept;
// By what is left when that gave nothing: session hint, or the client's address for QUIC.
Match match_last(const Connections& connections, const Claim& claim, std::int64_t offset_ns,
                 const JoinConfig& config) noexcept;

// The connection in front of a balancer that an inner leg (Connection::kCarried) carries on, when
// it was seen too; else the leg itself.
std::uint32_t outer_leg(const Connections& connections, std::uint32_t inner,
                        std::int64_t window_ns) noexcept;

// The claim's time against the connections of its addresses, as a sample of the gateway's clock:
// the difference nearest to the offset so far. False when none tells anything (no connection, or
// its first request is past and the record does not say when the connection began).
bool clock_sample(const Connections& connections, const Claim& claim, std::int64_t offset_ns,
                  std::int64_t& difference_ns) noexcept;

}  // namespace seine::account
