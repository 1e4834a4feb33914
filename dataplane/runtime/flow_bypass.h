// Settled bulk flows are dropped by a card, which counts what it drops.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/pipeline/bypass.h"
#include "dataplane/runtime/offload.h"
#include "dataplane/runtime/stats.h"

namespace seine::runtime {

// Both directions of one flow, the one from the lower end first. TCP segments with SYN, FIN or RST are left out of it: the
// flow's end is still seen.
[[nodiscard]] std::vector<CardRule> rules_for_flow(const flow::FlowKey& key);
// Of TCP between 192.0.2.1 and 198.51.100.7, to show what they look like.
[[nodiscard]] std::vector<CardRule> example_flow_rules();

// One card's part. Used by one thread, not the workers'. Bounded by `flows_max`; a rule whose counter stands still for
// `quiet_tends` calls of tend() is taken back, so that nothing is left of a flow whose end was missed.
class FlowBypass {
  public:
    explicit FlowBypass(std::unique_ptr<CardRules> card, std::size_t flows_max = 4096, unsigned quiet_tends = 60);
    ~FlowBypass();

    // What the card counts goes back by `link`, which outlives this.
    void take(const pipeline::BypassAsk& ask, pipeline::BypassLink& link);
    // About once a second: reads the card's counters.
    void tend();
    [[nodiscard]] const BypassCounts& counts() const noexcept { return counts_; }

  private:
    struct Passed {
        pipeline::BypassAsk ask;
        pipeline::BypassLink* link = nullptr;
        std::vector<CardRules::Handle> rules;  // by direction
        std::uint64_t packets[2] = {};         // told so far
        std::uint64_t bytes[2] = {};
        unsigned quiet = 0;
    };
    void read(Passed& passed);
    void take_back(std::size_t at);

    std::unique_ptr<CardRules> card_;
    std::size_t flows_max_;
    unsigned quiet_tends_;
    std::vector<Passed> passed_;
    BypassCounts counts_;
};

}  // namespace seine::runtime
