// An account record as the join judges it: keys, times, and what is counted once it is joined.
#pragma once
#include <cstdint>

#include "control/account/connections.h"
#include "control/account/pending.h"
#include "control/account/source_record.h"

namespace seine::account {

[[nodiscard]] inline Identity identity_of(const contract::AccountRecord& r) noexcept {
    return {r.account_tag, r.org_tag, r.key_tag, r.first_seen_day, r.platform_id, r.tier, r.trust};
}

// False when no more identities can be held; else the claim holds one, and its server's place.
bool read_claim(Connections& connections, const SourceRecord& source, std::uint16_t gateway, Nanos now,
                Claim& out);

}  // namespace seine::account
