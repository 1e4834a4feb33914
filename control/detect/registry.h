// Farms over time: stable ids, states, members and what happened to them.
//
//   EMERGING -> ACTIVE -> ROTATING -> DORMANT -> (ACTIVE);  REMEDIATED;  DISMISSED
#pragma once
#include <cstdint>
#include <functional>
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
    bool merged = false;         // by hand: takes over every group that is mostly its own
    bool held = false;           // split off by hand: its members stay, whatever a sweep finds
    std::uint32_t reported = 0;  // accounts when the last event told of its size
    std::uint32_t replaced = 0;  // members that replaced a closed one
    std::string reason;          // the verdict's
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
    // An account just above its threshold is alerted when it has been above it for so long: many
    // looks at the same few accounts would find each of them above it once. With so many nats to
    // spare it is alerted at once.
    static constexpr std::int64_t kSecondLook = 6 * kHour;
    static constexpr double kSpareNats = 2;

    // Takes over what a sweep found. An account stays with its farm: an alert cannot be unsaid. At a
    // breath the observer may take more, and another account may get a slot.
    void update(const Findings& found, Observer& observer, Nanos now, const Rules& rules,
                Breath& breath);
    // A newcomer that fits a farm of the last sweep.
    void join(Observer& observer, std::uint64_t campaign, std::uint32_t slot, double score,
              Nanos now);
    // Farms whose members were quiet, closed, or back; at every sweep.
    void age(Observer& observer, Nanos now, Breath& breath);
    // Members who were evicted: another account may have their place.
    void drop(const std::vector<std::uint32_t>& slots);
    // Places of accounts that are gone, or of another campaign.
    void forget(const Observer& observer, Breath& breath);
    // Members of which this is true are of no farm any more, and not alerted.
    void let_go(Observer& observer, const std::function<bool(const Account&)>& which);

    [[nodiscard]] bool dismiss(std::uint64_t id, Observer& observer, Nanos now,
                               const std::string& reason);
    [[nodiscard]] bool confirm(std::uint64_t id, Nanos now, const std::string& reason);
    [[nodiscard]] bool merge(std::uint64_t into, std::uint64_t from, Observer& observer, Nanos now);

    // Makes a campaign of some of its accounts, all of which must be its members; returns the new
    // id, 0 where that is not so or none would stay.
    [[nodiscard]] std::uint64_t split(std::uint64_t from, const std::vector<std::uint32_t>& slots,
                                      Observer& observer, Nanos now, const std::string& reason);

    [[nodiscard]] const std::map<std::uint64_t, FarmRecord>& farms() const noexcept {
        return farms_;
    }
    std::map<std::uint64_t, FarmRecord>& mutable_farms() noexcept { return farms_; }
    // How often farms, their members or what is said of them changed.
    [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }
    [[nodiscard]] std::uint64_t next_id() const noexcept { return next_id_; }
    void set_next_id(std::uint64_t id) noexcept { next_id_ = id; }
    [[nodiscard]] std::vector<model::Event> take_events();
    // Accounts above their threshold that wait for their second look, and since when, by slot.
    using Waiting = std::map<std::uint32_t, Nanos>;
    [[nodiscard]] const Waiting& waiting() const noexcept { return waiting_; }
    void set_waiting(Waiting waiting) noexcept { waiting_ = std::move(waiting); }
    // Campaign id of each part of each farm of the last findings; 0: nobody of it is alerted.
    [[nodiscard]] const std::vector<std::vector<std::uint64_t>>& campaign_ids() const noexcept {
        return campaign_ids_;
    }
    void set_campaign_ids(std::vector<std::vector<std::uint64_t>> ids) {
        campaign_ids_ = std::move(ids);
    }

  private:
    FarmRecord& match(const std::vector<std::uint32_t>& slots, model::FarmLevel level,
                      std::set<std::uint64_t>& used, Nanos now, const Rules& rules, Breath& breath);
    class Vacancies;
    void admit(FarmRecord& farm, Vacancies& vacancies, Observer& observer, std::uint32_t slot,
               double score, Nanos now);
    void tell(FarmRecord& farm, model::FarmEvent::Kind kind, std::uint32_t before, Nanos now,
              std::string reason, std::uint64_t other = 0);
    // Whether a member of a group may be alerted now; else it waits in `fresh`.
    [[nodiscard]] bool due(const Group& group, std::size_t member, std::uint32_t slot,
                           const Account& account, Nanos now, Waiting& fresh) const;
    [[nodiscard]] std::vector<std::size_t> due_of(const Group& group, const Findings& found,
                                                  const Observer& observer, Nanos now,
                                                  Waiting& fresh, Breath& breath) const;
    // A campaign that no part was matched to, though its accounts belong to a farm of this sweep, goes
    // into the campaigns of that farm: cuts of early sweeps leave such pieces behind.
    void absorb(const Findings& found, Observer& observer, const std::set<std::uint64_t>& used,
                Nanos now, Breath& breath);
    void took(FarmRecord& farm, std::uint32_t before, const std::string& reason, Nanos now,
              const Rules& rules);

    std::map<std::uint64_t, FarmRecord> farms_;
    Waiting waiting_;
    std::vector<std::vector<std::uint64_t>> campaign_ids_;
    std::vector<model::Event> events_;
    std::uint64_t next_id_ = 1;
    std::uint64_t changes_ = 0;
};

}  // namespace seine::detect
