// What the join counts: every record ends in exactly one outcome.
#pragma once
#include <cstdint>

namespace seine::account {

// X(name, meaning). Every record taken is counted in exactly one of those marked *.
#define SEINE_JOIN_COUNTERS(X)                                                                    \
    X(records, "account records handed in")                                                       \
    X(records_joined, "* joined to a connection")                                                 \
    X(records_told, "* signup without a connection, closed, rekey and directory: told as events") \
    X(records_duplicate, "* (gateway, boot epoch, sequence) seen before")                         \
    X(records_too_old, "* sequence 65,536 or more behind the newest")                             \
    X(records_unmatched, "* waited, and no flow of theirs came")                                  \
    X(records_off_time, "* addresses fit a flow, its time did not")                               \
    X(records_ambiguous, "* more than one connection fits; not guessed")                          \
    X(records_evicted, "* pushed out of the waiting table, which was full")                       \
    X(records_refused, "* no account tag, or more gateways or accounts than there is room for")   \
    X(joined_at_once, "joined when they came")                                                    \
    X(joined_waited, "joined after waiting for their flow")                                       \
    X(joined_late, "joined to a connection that had closed")                                      \
    X(joined_by_id, "joined by unique id or request id")                                          \
    X(joined_by_session, "joined by session hint")                                                \
    X(joined_by_address, "QUIC joined by address and time alone")                                 \
    X(accounts_overflow, "records of a ninth or later account on one connection")                 \
    X(sequence_gaps, "sequence numbers that never came")                                          \
    X(clock_jumps, "times a gateway's offset was learned or moved by over a second")              \
    X(flows_opened, "connections taken in")                                                       \
    X(flows_unopened, "connections first heard of in an update or close")                         \
    X(flows_closed, "connections closed")                                                         \
    X(flows_reused, "connections ended because their addresses began anew")                       \
    X(flows_two_dataplanes, "connections that two dataplanes told of, taken as one")              \
    X(flows_evicted, "connections pushed out of the table, which was full")                       \
    X(flows_idle, "connections let go because nothing was heard of them")                         \
    X(flows_anonymous, "connections that ended without any account")                              \
    X(sightings, "sightings handed out")                                                          \
    X(events, "account events handed out")

struct JoinCounters {
#define SEINE_X(name, meaning) std::uint64_t name = 0;
    SEINE_JOIN_COUNTERS(SEINE_X)
#undef SEINE_X
};

}  // namespace seine::account
