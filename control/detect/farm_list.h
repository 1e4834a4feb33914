// The farms as others see them, copied in steps: a farm may have tens of thousands of members, and
// connections wait for every look at them.
#pragma once
#include <cstdint>
#include <vector>

#include "control/model/farm.h"

namespace seine::detect {

class AccountTable;
class Registry;

class FarmList {
  public:
    // Copies so many members more; true when all farms are copied as they were at one time. What
    // changes between two steps has the copy begin anew.
    bool step(const Registry& registry, const AccountTable& accounts, std::uint32_t members_max);
    // By id. Needs neither registry nor accounts; once, after the last step.
    [[nodiscard]] std::vector<model::Farm> take();
    // Another number whenever the list would be another one.
    [[nodiscard]] static std::uint64_t version(const Registry& registry,
                                               const AccountTable& accounts);

  private:
    void begin();
    std::uint64_t version_ = 0;
    std::vector<model::Farm> farms_;
    std::vector<std::vector<std::uint32_t>> orgs_;  // of each farm's members
    bool begun_ = false, inside_ = false;           // inside: the last farm is not whole yet
    std::uint32_t slot_ = 0;                        // of it, the next one
};

}  // namespace seine::detect
