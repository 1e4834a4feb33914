// Farms over time: stable ids, states, members and what happened to them.
//
//   EMERGING -> ACTIVE -> ROTATING -> DORMANT -> (ACTIVE);  REMEDIATED;  DISMISSED
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "control/detect/findings.h"
#include "control/model/event.h"
#include "control/model/farm.h"

namespace seine::detect {

struct MemberRecord {
    Nanos since;
    double score = 0;
    model::AccountTag replaces;  // zero: none
};

struct FarmRecord {
    std::uint64_t id = 0;
    std::uint64_t parent = 0;  // of a campaign: its infrastructure cluster
    model::FarmState state = model::FarmState::emerging;
    model::FarmLevel level = model::FarmLevel::campaign;
    Nanos first_seen, last_seen, found;
    double score = 0;
    std::uint8_t groups = 0;
    bool provisional = false;
    std::uint32_t reported = 0;                     // accounts when the last event told of its size
    std::uint32_t replaced = 0;                     // members that replaced a closed one
    std::string reason;                             // the verdict's
    std::map<std::uint32_t, MemberRecord> members;  // by account slot
    std::vector<model::EvidenceLine> evidence;
};

class Registry {
  public:
    struct Rules {
        double inherit = 0.3;  // least Jaccard of members that hands on an id
        std::uint32_t orgs_min = 5;
        bool provisional = false;
    };
    // Takes over what a sweep found. An account stays with its farm: an alert cannot be unsaid.
    void update(const Findings& found, Observer& observer, Nanos now, const Rules& rules);
    // A newcomer that fits a farm of the last sweep.
    void join(Observer& observer, std::uint64_t campaign, std::uint32_t slot, double score,
              Nanos now);
    // Farms whose members were quiet, closed, or back; at every sweep.
    void age(Observer& observer, Nanos now);
    void forget(const Observer& observer);  // slots that were evicted

    [[nodiscard]] bool dismiss(std::uint64_t id, Observer& observer, Nanos now,
                               const std::string& reason);
    [[nodiscard]] bool confirm(std::uint64_t id, Nanos now, const std::string& reason);
    [[nodiscard]] bool merge(std::uint64_t into, std::uint64_t from, Observer& observer, Nanos now);

    [[nodiscard]] const std::map<std::uint64_t, FarmRecord>& farms() const noexcept {
        return farms_;
    }
    std::map<std::uint64_t, FarmRecord>& mutable_farms() noexcept { return farms_; }
    [[nodiscard]] std::uint64_t next_id() const noexcept { return next_id_; }
    void set_next_id(std::uint64_t id) noexcept { next_id_ = id; }
    [[nodiscard]] std::vector<model::Event> take_events();
    // Campaign id of each part of each farm of the last findings.
    [[nodiscard]] const std::vector<std::vector<std::uint64_t>>& campaign_ids() const noexcept {
        return campaign_ids_;
    }
    void set_campaign_ids(std::vector<std::vector<std::uint64_t>> ids) {
        campaign_ids_ = std::move(ids);
    }

  private:
    FarmRecord& match(const std::vector<std::uint32_t>& slots, model::FarmLevel level,
                      std::set<std::uint64_t>& used, Nanos now, const Rules& rules);
    void admit(FarmRecord& farm, Observer& observer, std::uint32_t slot, double score, Nanos now);
    void tell(FarmRecord& farm, model::FarmEvent::Kind kind, std::uint32_t before, Nanos now,
              std::string reason, std::uint64_t other = 0);
    [[nodiscard]] model::AccountTag replaced_by(const FarmRecord& farm, const Observer& observer,
                                                std::uint32_t slot) const;

    std::map<std::uint64_t, FarmRecord> farms_;
    std::vector<std::vector<std::uint64_t>> campaign_ids_;
    std::vector<model::Event> events_;
    std::uint64_t next_id_ = 1;
};

}  // namespace seine::detect
