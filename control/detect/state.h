// What a restart must not lose, written in steps, between which the observer goes on taking.
//
//   "SEINEDT4", then frames: length u32, chained sum u64, so many bytes; the last one is empty.
//
// The farms are as of the first step, every account as it was when its turn came; reading puts
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
    // Twins must not be matched between the first step and the last. Appends so many accounts or
    // entries, at the first step everything that is not by account, to `out`; true when it is
    // whole.
    bool step(const StateView& view, std::uint32_t most, std::string& out);

  private:
    enum class Stage : std::uint8_t { head, sessions, exits, marks, twins, chance, accounts, done };
    void next(Stage stage);
    Stage stage_ = Stage::head;
    std::uint64_t sum_ = 0;
    std::size_t at_ = 0, size_ = 0;  // in the table or list that is written, and how long that is
    std::size_t list_ = 0;           // of marks
    Twins::Edges::const_iterator edge_;
    bool edges_begun_ = false;
};

// On a fault the arguments are half filled: hand in fresh ones.
[[nodiscard]] Status read_state(std::istream& in, Observer& observer, Registry& registry,
                                Nanos& last_sweep, Nanos& last_match);

}  // namespace seine::detect
