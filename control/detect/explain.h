// Evidence as sentences a person can check: what is shared, by how many, and how many to expect.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "control/detect/findings.h"

namespace seine::detect {

// A readable form of a value id, from the store's dictionary; empty: not known.
using NameOf = std::function<std::string(std::uint64_t)>;

class Explainer {
  public:
    Explainer(const Observer& observer, const NameOf& names) : observer_(observer), names_(names) {}
    // Lines of an account's membership; their nats sum to `fit.score`.
    [[nodiscard]] std::vector<model::EvidenceLine> membership(const Population& population,
                                                              const Profile& profile,
                                                              const Membership& fit,
                                                              const Account& account) const;
    // The strongest things a farm has in common, with the cells' expectation.
    [[nodiscard]] std::vector<model::EvidenceLine> farm(const Findings& found,
                                                        const Group& group) const;
    [[nodiscard]] std::string value(Channel channel, std::uint64_t value, std::uint8_t net) const;

  private:
    [[nodiscard]] std::string sentence(const GroupLine& line, model::Group group, double orgs,
                                       const std::string& value, Channel channel) const;
    void seen(const Account& account, Channel channel, std::uint64_t value,
              model::EvidenceLine& line) const;
    void peers(const Population& population, const Profile& profile, std::uint32_t token,
               const Account& account, model::EvidenceLine& line) const;

    const Observer& observer_;
    const NameOf& names_;
};

}  // namespace seine::detect
