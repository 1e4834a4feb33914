// What account sources hand to the join.
#pragma once
#include <cstdint>

#include "control/account/request.h"
#include "control/model/sighting.h"
#include "dataplane/contract/account_record.h"

namespace seine::account {

// A record as its source hands it on: checked, and tags in place of names.
struct SourceRecord {
    contract::AccountRecord
        record;  // client_port 0: no connection known; server_port 0: server not given
    model::SourceMode mode = model::SourceMode::link;
    std::uint64_t unique_id =
        0;                   // model::value_id() of a PROXY v2 unique id or request id; 0: none
    bool sequenced = true;   // false: seq and boot_epoch mean nothing (log lines, inline)
    bool time_known = true;  // false: t_req_us is when it was received (no clock to learn)
    const Request* said = nullptr;  // borrowed for the call that hands it on; null: nothing is told
    std::uint64_t request = 0;      // the number that somebody keeps it under; 0: nobody does
};

}  // namespace seine::account
