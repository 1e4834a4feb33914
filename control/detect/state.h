// What a restart must not lose, written in steps, between which the observer goes on taking.
//
//   "SEINEDT5", then frames: length u32, chained sum u64, so many bytes; the last one is empty.
//
// The farms are as they were when the last of them was looked at, every account as it was when its turn came; reading puts
// right what came between.
#pragma once
#include <iosfwd>
#include <string>

#include "control/detect/observe.h"
#include "control/detect/registry.h"
#include "dataplane/base/status.h"

namespace seine::detect {

struct StateView {
    const Observer& observer;
    const Registry& registry;
    Nanos last_sweep;
    Nanos last_match;
};

class StateWriter {
  public:
    // Twins must not be matched between the first step and the last. Appends so many accounts,
    // members or entries to `out`; true when it is whole.
    bool step(const StateView& view, std::uint32_t most, std::string& out);

  private:
    enum class Stage : std::uint8_t { head, farms, farms_out, sessions, exits, marks, twins, chance, accounts, done };
    void next(Stage stage);
    Stage stage_ = Stage::head;
    std::uint64_t sum_ = 0;
    std::size_t at_ = 0, size_ = 0;  // in the table or list that is written, and how long that is
    std::size_t list_ = 0;           // of marks
    Twins::Edges::const_iterator edge_;
    bool edges_begun_ = false;
    // Farms are gathered in steps, anew whenever they changed in between, and then written.
    bool gather_farms(const Registry& registry, std::uint32_t most);
    std::string farms_;
    std::uint64_t farms_version_ = 0, farm_ = 0;
    std::uint32_t slot_ = 0;  // of the member to go on with
    unsigned farms_begun_ = 0;
    bool inside_ = false;  // a farm's own line was written, its members were not all
};

// On a fault the arguments are half filled: hand in fresh ones.
[[nodiscard]] Status read_state(std::istream& in, Observer& observer, Registry& registry,
                                Nanos& last_sweep, Nanos& last_match);

}  // namespace seine::detect
