// The rules of the join, and the times and bounds that they use.
#pragma once
#include <cstddef>
#include <cstdint>

#include "dataplane/base/clock.h"

namespace seine::account {

// clang-format off
// How records and connections meet. t is the record's t_req less the gateway's learned offset.
//
//   a repeat                                       counted, dropped
//   a signup, closed, rekey, directory             told at once as an AccountEvent
//   else, of the connections of its unique id, or of its client (and server, if it says one),
//   those with t_open - window <= t <= t_close + window:
//     one, and t is well inside its life           joined, once flow events have come as far as t
//     one, but t is near its end or outside        joined if it is still the only one after `settle`
//     several, one nearer to t by `tight`          as if it were the only one
//     several                                      after `settle` dropped as ambiguous, never guessed
//     none                                         waits; after `settle` by session hint, or for QUIC
//                                                  by address alone, if exactly one connection fits;
//                                                  after `wait` counted as unmatched
//
// A closed connection stays findable for `linger`. Every bound that is hit has a counter.
// clang-format on
struct JoinConfig {
    std::uint32_t connections_max = 1'000'000;
    std::size_t pending_bytes_max = std::size_t{192} << 20;
    std::uint32_t gateways_max = 256;
    std::uint64_t hash_seed = 0;  // random in a daemon, so that nobody can aim at chains
    std::int64_t window_ns = 2 * kSecond;
    std::int64_t tight_ns = 250 * kMillisecond;
    std::int64_t wait_ns = 30 * kSecond;
    std::int64_t settle_ns = 3 * kSecond;
    std::int64_t linger_ns = 15 * kSecond;  // a record 5 s late, and settled
    std::int64_t idle_ns = 1200 * kSecond;  // a connection that no event touches any more
    // Sightings that records give rise to wait for tick(), so that those of one connection that come
    // together are one sighting. Else each is handed out at once.
    bool told_at_tick = false;
};

}  // namespace seine::account
