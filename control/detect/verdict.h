// Farm, or something innocent that also agrees: a place, a platform, a product's users.
//
// People in one room sign up in one hour and use one client; customers of one platform share its
// address and its TLS sessions. Neither repeats a failed request on a stranger's account, comes
// through relays spread over many networks, or consists of young accounts on servers alone.
#pragma once
#include <string>

#include "control/detect/profile.h"

namespace seine::detect {

enum class GroupKind : std::uint8_t {
    farm = 1,
    place = 2,         // a campus, an office, a venue, a carrier
    intermediary = 3,  // an undeclared platform: shared egress of grown customers
    cohort = 4,        // agrees on too little to be anything
};

struct Verdict {
    GroupKind kind = GroupKind::cohort;
    double orgs = 0;
    double top_network = 0;            // share of members on their commonest AS
    double top_address = 0;            // share on their commonest address
    NetClass net = NetClass::unknown;  // of most members
    double relayed = 0;                // share whose round trips are a relay's
    double spread = 0;                 // share seen from three networks and more
    double young = 0;                  // share signed up in the last sixty days
    double young_all = 0;              // the same among everybody
    double linked = 0;                 // share that presented another member's session
    double twins = 0;                  // share with a failover twin among the members
    double twins_chance = 0;           // the same with the moved clock
    double one_client = 0;             // share on the commonest client
    std::string reason;                // which test decided, in words with its figures
};

// `members`: rows, rising.
[[nodiscard]] Verdict judge(const Population& population, const std::vector<std::uint32_t>& members,
                            const TwinGraph& twins, const TwinGraph& chance);

}  // namespace seine::detect
