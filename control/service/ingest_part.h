// What other parts of the daemon do with what is taken in.
#pragma once
#include <functional>
#include <string>

#include "control/account/join.h"
#include "control/model/sighting.h"
#include "control/store/records.h"
#include "dataplane/contract/frame.h"

namespace seine::service {

// In the ingest thread, in the order they were added. Each may be empty.
struct IngestPart {
    std::string name;
    // It looks at what was joined: `record`, `sighting` and `account_event` are called in the thread that
    // adds up (Sums), in the order in which things were taken in. Else `record` is called in the ingest
    // thread, and the two others are not.
    bool behind = false;
    // Every round with the join to hand records to; true when there was something.
    std::function<bool(account::Join& join, Nanos now)> poll;
    // When no round comes any more: the join is handed what is here.
    std::function<void(account::Join& join, Nanos now)> finish;
    std::function<void(const model::Sighting& sighting, Nanos now)> sighting;
    std::function<void(const model::AccountEvent& event, Nanos now)> account_event;
    // A request that somebody keeps (account::SourceRecord::request) has its connection.
    std::function<void(std::uint64_t request, const contract::FlowId& flow, const model::AccountTag& account,
                       const model::OrgTag& org, Nanos now)>
        request_joined;
    // Each record of a ring, findings included; after it was counted and joined.
    std::function<void(const contract::RecordView& record, ByteView frame, Nanos now)> record;
    // In the thread that adds up, every now and then, whether anything came or not.
    std::function<void(Nanos now)> after_while;
    // False: holds as much as it may, and rings are not read on until the next batch took it.
    std::function<bool()> has_room;
    // True: it has something to be stored though nothing else came.
    std::function<bool()> owes;
    // Adds to a batch what must be stored with it (places in logs), while nothing is being added up;
    // and hears that it is.
    std::function<void(store::Batch& batch)> before_commit;
    std::function<void()> after_commit;
    // The end has come and the store has refused what is in hand: says what is lost with it. No finish,
    // or none that was stored.
    std::function<void()> unstored;
};

}  // namespace seine::service
