// What leaves Seine: one event, whatever the format and the carrier.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "control/model/farm.h"
#include "control/model/tag.h"
#include "dataplane/base/clock.h"
#include "dataplane/contract/frame.h"

namespace seine::model {

enum class Severity : std::uint8_t { info = 1, low = 2, medium = 3, high = 4, critical = 5 };

enum class EventKind : std::uint8_t {
    signature_alert = 1,   // `rule`, `flow`, `account` where known
    flow_summary = 2,      // `flow`, `account` where known
    farm = 3,              // `farm`, `evidence`
    account_evidence = 4,  // `account`, `evidence`: why an account was alerted
    health = 5,            // `title`, `message`: of Seine itself
};

struct RuleHit {
    std::string id;
    std::uint64_t version = 0;
    std::string title;
    std::string category;  // the rule's class
    std::string field;
    std::string
        value;  // capped and redacted by interfaces.md section 3; hostile bytes as they came
};

struct Event {
    EventKind kind{};
    std::uint64_t sequence = 0;  // given by the outbox: unique and rising in one installation
    Nanos at;                    // when it happened
    Nanos seen;                  // when Seine knew
    Severity severity = Severity::info;
    double confidence = 0;  // 0 to 1; 0: not stated
    std::string title;
    std::string message;
    std::vector<std::uint8_t> flow;  // one frame (contract/frame.h), empty: none
    AccountTag account;              // zero: not known
    OrgTag org;
    RuleHit rule;
    FarmEvent farm;
    FarmState farm_state{};
    double score_nats = 0;
    std::vector<EvidenceLine> evidence;
    std::uint32_t count = 1;  // of an aggregate: how many it stands for
};

}  // namespace seine::model
