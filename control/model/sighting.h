// An account on a connection: what the join hands to detection, store and export.
#pragma once
#include <cstdint>
#include <vector>

#include "control/model/flow.h"
#include "control/model/tag.h"

namespace seine::model {

// Where an account record came from (detection.md 4.1).
enum class SourceMode : std::uint8_t { link = 1, log = 2, inline_http = 3, pp2 = 4, import = 5 };

// What account records said of one account on one connection since the last sighting of the pair.
struct AccountUse {
    AccountTag account;
    OrgTag org;  // the account's own tag, as bytes, where no organisation is known
    KeyTag key = 0;
    SourceMode mode = SourceMode::link;
    std::uint16_t flags = 0;  // contract::AccountFlags
    Nanos t_first;            // first request, gateway clock corrected
    Nanos t_last;
    std::uint32_t requests = 0;        // records; a gateway may send one for many requests
    std::uint32_t limited = 0;         // of them, met a limit
    std::uint32_t errors = 0;          // of them, status class 4 or 5
    std::uint32_t first_seen_day = 0;  // sign-up, days since 1970; 0: not known
    std::uint16_t endpoint = 0;
    std::uint16_t model = 0;
    std::uint16_t platform = 0;
    std::uint8_t tier = 0;
    std::uint8_t trust = 0;
    std::uint64_t header_desc = 0;
    std::uint64_t session_hint = 0;
};

inline constexpr std::size_t kAccountsPerConnectionMax = 8;

// The join gives one when a connection has its first account, another when a further account or an
// update brings something new, and the last at its close. Between the sightings of one flow id
// `exchanges`, `requests` and the like are what is new, never totals; fingerprints, sessions and
// round trips are repeated whole.
struct Sighting {
    Flow flow;
    std::vector<AccountUse> uses;    // at most kAccountsPerConnectionMax, in order of first request
    bool first = false;              // nothing was handed out of this flow before
    bool accounts_overflow = false;  // more accounts than that came on this connection
};

// What is told of an account outside any connection.
struct AccountEvent {
    enum class Kind : std::uint8_t { signup = 1, closed = 2, rekey = 3, directory = 4 };
    Kind kind{};
    Nanos at;
    AccountTag account;
    OrgTag org;           // zero: not known
    AccountTag previous;  // rekey: the tag it had before
    std::uint32_t first_seen_day = 0;
    std::uint8_t tier = 0;
    bool declared_intermediary = false;
};

}  // namespace seine::model
