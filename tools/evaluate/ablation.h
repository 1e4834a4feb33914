// Sightings without a channel group: what the ablation lines of a report are made with. The inputs
// of the group are taken away before the detector sees them, so any detector can be ablated.
#pragma once
#include <string>
#include <vector>

#include "tools/evaluate/plain_join.h"

namespace seine::evaluate {

// NET: every account gets an address of its own. STK: no fingerprints, header orders, platforms.
// LNK: no session ids, one account a connection. TIME: no sign-up times. MIX: no exchanges, models,
// endpoints. PRX: no round trips.
class Ablation final : public SightingSink {
  public:
    Ablation(SightingSink& next, const std::vector<std::string>& without);
    void text(model::ValueId id, const std::string& text) override { next_.text(id, text); }
    void sighting(Nanos now, const model::Sighting& sighting) override;
    void event(const model::AccountEvent& event) override;

  private:
    void strip(model::Sighting& sighting) const;
    SightingSink& next_;
    bool net_ = false, stk_ = false, lnk_ = false, time_ = false, mix_ = false, prx_ = false;
};

}  // namespace seine::evaluate
