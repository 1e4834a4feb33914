// A farm, its members and the lines of evidence that make its score.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "control/model/tag.h"
#include "dataplane/base/clock.h"

namespace seine::model {

enum class FarmState : std::uint8_t {
    emerging = 1,
    active = 2,
    rotating = 3,
    dormant = 4,
    remediated = 5,
    dismissed = 6
};
enum class FarmLevel : std::uint8_t { infrastructure = 1, campaign = 2 };

// Channel groups of detection.md section 2; within one, evidence is never added twice.
enum class Group : std::uint8_t { net = 1, stk = 2, lnk = 3, time = 4, mix = 5, prx = 6 };

// One line of an explanation; the `nats` of all lines of a score sum to it (to 1e-6).
struct EvidenceLine {
    std::string channels;  // of the cell: "prefix.stk"; "prior", "size", "neighbours" for the rest
    std::string values;    // readable: "198.51.100.0/24 with stack t13d1516h2_.."
    std::string sentence;  // plain words, whole
    std::uint8_t groups = 0;  // bit (group - 1) of each group the line rests on
    double n = 0;             // organisations that share it
    double expected = 0;      // as many were to be expected
    double nats = 0;
    Nanos first_seen;
    Nanos last_seen;
    std::vector<AccountTag> peers;  // some of those who share it, at most 8
};

struct FarmMember {
    AccountTag account;
    OrgTag org;
    double score_nats = 0;
    Nanos since;
    AccountTag replaces;  // zero: none
};

struct Farm {
    std::uint64_t id = 0;      // stable over sweeps and restarts; printed F-<decimal>
    std::uint64_t parent = 0;  // an infrastructure cluster's campaign; 0: none
    FarmState state{};
    FarmLevel level{};
    bool provisional = false;
    std::uint32_t accounts = 0;
    std::uint32_t organisations = 0;
    double score_nats = 0;
    Nanos first_seen;
    Nanos last_seen;
    std::uint8_t groups = 0;  // as in EvidenceLine
    std::vector<FarmMember> members;
    std::vector<EvidenceLine> evidence;  // of the whole farm, strongest first
};

// What happened to a farm at a sweep.
struct FarmEvent {
    enum class Kind : std::uint8_t {
        found = 1,
        grown = 2,
        rotated = 3,
        dormant = 4,
        woken = 5,
        remediated = 6,
        dismissed = 7,
        merged = 8,
        split = 9
    };
    Kind kind{};
    Nanos at;
    std::uint64_t farm = 0;
    std::uint64_t other = 0;  // merged into, split from
    std::uint32_t accounts_before = 0;
    std::uint32_t accounts_now = 0;
    std::string reason;  // the test and its figures, in words
};

}  // namespace seine::model
