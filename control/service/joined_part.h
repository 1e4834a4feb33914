// Rules that meet a gateway's request with the TLS of its flow, tried once the join has put the two
// together: one part of the ingest thread.
#pragma once
#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "control/account/request.h"
#include "control/service/config.h"
#include "control/service/findings.h"
#include "control/service/flow_hellos.h"
#include "control/service/ingest.h"
#include "control/signature/joined.h"
#include "dataplane/signature/rate_table.h"

namespace seine::service {

class AccountPart;

struct JoinedRuleCount {
    std::string state;
    std::uint64_t hits = 0;
    std::uint64_t told = 0;
    std::uint64_t swallowed = 0;  // by the rule's limits
    Nanos last_hit;
};

struct JoinedStatus {
    std::string folder;   // where the rules are from; empty: none
    std::string problem;  // why those that are there are not used
    std::uint64_t rules = 0;
    std::uint64_t requests = 0;        // that had their connection
    std::uint64_t evaluated = 0;
    std::uint64_t alike = 0;           // the same request on the same connection had been looked at
    std::uint64_t over_rate = 0;       // not looked at: more than kEvaluationsASecond
    std::uint64_t without_flow = 0;    // the flow's opening was not kept any more, or is no TLS
    std::uint64_t without_request = 0; // the request waited so long that it was not kept any more
    std::uint64_t flows_kept = 0;
    std::map<std::string, JoinedRuleCount> by_rule;  // those that were hit
};

class JoinedPart {
  public:
    static constexpr std::size_t kHelloBytesMax = std::size_t{64} << 20;
    static constexpr std::size_t kRequestsMax = 65'536;
    static constexpr std::uint64_t kEvaluationsASecond = 20'000;

    // Requests come from `accounts`; null: none. Both, and this, outlive the ingest.
    JoinedPart(const Config& config, Findings& findings, AccountPart* accounts);
    IngestPart part();
    // Any thread; as of at most half a second ago.
    [[nodiscard]] JoinedStatus status() const;

  private:
    [[nodiscard]] bool wanted() const noexcept { return rules_ != nullptr && rules_->rule_count() != 0; }
    std::uint64_t keep(const account::Request& request);
    void joined(std::uint64_t request, const contract::FlowId& flow, const model::AccountTag& account,
                const model::OrgTag& org, Nanos now);
    void tell(const control_signature::JoinedHit& hit, ByteView frame, const model::AccountTag& account,
              const model::OrgTag& org, Nanos now);
    bool poll(Nanos now);
    void look_for_rules();
    void load(const std::string& folder);
    void publish(Nanos now);

    struct Kept {
        std::uint64_t number = 0;
        control_signature::JoinedRequest request;
    };
    const std::string signatures_;
    const std::string beside_ring_;  // folder of the dataplane's rule sets
    Findings& findings_;
    std::unique_ptr<control_signature::JoinedRules> rules_;
    std::string mark_;  // of the files that rules_ was read from
    bool paths_count_ = false;  // a rule asks for the path of the request
    std::vector<signature::RateWindow> windows_;  // by rule
    signature::SourceRates rates_;
    FlowHellos hellos_;
    std::vector<Kept> requests_;  // by number, in turn
    std::uint64_t request_number_ = 0;
    std::int64_t second_ = 0;
    std::uint64_t in_second_ = 0;
    Nanos looked_;
    Nanos published_;
    JoinedStatus counts_;  // of the ingest thread

    mutable std::mutex mutex_;
    JoinedStatus status_;
};

}  // namespace seine::service
