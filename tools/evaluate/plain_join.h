// The join of detection.md 4.4 in its plainest form, exact and unbounded: what a world file needs
// and no more. The product's own join (control/account) is held against it.
#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "control/model/sighting.h"
#include "tools/evaluate/feed.h"

namespace seine::evaluate {

// Who takes joined sightings.
class SightingSink {
  public:
    virtual ~SightingSink() = default;
    virtual void text(model::ValueId id, const std::string& text) = 0;
    virtual void sighting(Nanos now, const model::Sighting& sighting) = 0;
    virtual void event(const model::AccountEvent& event) = 0;
};

struct JoinCounts {
    std::uint64_t joined = 0;        // records with their flow
    std::uint64_t flowless = 0;      // records whose flow was not there
    std::uint64_t duplicates = 0;    // (gateway, seq) seen before
    std::uint64_t unattributed = 0;  // flows nobody claimed
    std::uint64_t sightings = 0;
};

class PlainJoin final : public Audience {
  public:
    explicit PlainJoin(SightingSink& sink) : sink_(sink) {}
    void text(model::ValueId id, const std::string& text) override { sink_.text(id, text); }
    void opened(Nanos now, const model::Flow& flow) override;
    void closed(Nanos now, model::Flow& flow) override;
    void recorded(Nanos now, const Record& record) override;
    // Hands out what still waits.
    void finish() override;
    [[nodiscard]] std::vector<std::pair<std::string, double>> figures() const override;
    [[nodiscard]] const JoinCounts& counts() const { return counts_; }

  private:
    static constexpr std::int64_t kSlackNs =
        3 * kSecond;  // after its close a flow still takes records
    struct Live {
        model::Sighting sighting;
        bool told = false;  // a sighting of this flow went out
        bool ended = false;
    };
    struct Gateway {
        std::vector<std::int64_t> offsets;  // of the first joined records
        std::int64_t offset = 0;
        contract::SequenceWindow seen;
    };
    struct TupleHash {
        std::size_t operator()(const model::Tuple& t) const noexcept;
    };
    void account_event(const Record& record);
    void release(std::int64_t before);
    void hand_out(Nanos now, Live& live);
    static model::AccountUse& use_of(model::Sighting& sighting,
                                     const contract::AccountRecord& record);
    std::int64_t offset_of(Gateway& gateway, const contract::AccountRecord& record,
                           const model::Flow& flow);

    SightingSink& sink_;
    std::unordered_map<model::Tuple, Live, TupleHash> live_;
    std::vector<std::pair<std::int64_t, model::Tuple>> ending_;  // in order of time
    std::size_t ending_at_ = 0;
    std::unordered_map<std::uint32_t, Gateway> gateways_;
    JoinCounts counts_;
};

}  // namespace seine::evaluate
