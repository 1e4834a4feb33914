// The farms of a world: their accounts, and the addresses through which those come.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tools/world/people.h"

namespace seine::world {

struct Operator {
    std::string name, campaign;
    std::vector<std::uint32_t> members;  // accounts, in order of creation
    std::vector<double> weights;         // running sums over members
    std::vector<SiteId> hosts;           // of levels with hosts or datacentres
    double exchanges_per_day = 0;
    double lat = 0, lon = 0;              // of its relay
    std::uint16_t client = 0, build = 0;  // of the relay's stack, where the level names one
    std::uint16_t first_task = 0;         // app number
    std::uint64_t slip_header = 0;        // header order of its own software
};

class Operators {
  public:
    Operators(const Parameters& parameters, const LevelParameters& level, const Catalog& catalog,
              Places& places, People& people, std::uint64_t seed);
    // How many accounts the campaigns start with at this scale.
    [[nodiscard]] std::size_t accounts_at_start() const;
    // Opens the residential pool, which is there without farms too; after People::settle().
    void rent_pool();
    // Signs up all accounts, replacements among them, and rents what the level needs; after
    // rent_pool().
    void enlist();

    [[nodiscard]] const std::vector<Operator>& all() const { return operators_; }
    [[nodiscard]] const LevelParameters& level() const { return level_; }
    // The exit of an account at a time; for people who rent one too.
    [[nodiscard]] SiteId exit_of(std::uint32_t account, double t_s, std::uint64_t connection) const;
    // Whether the account's connections come from a relay process with a shared session cache.
    [[nodiscard]] bool shares_tickets(const Account& account) const;

  private:
    void rent_hosts(std::size_t which);
    void rent_own(std::uint32_t account, std::size_t which);
    std::uint32_t sign_up(std::size_t which, double created_s, std::uint32_t replaces);
    void sign_up_all(std::size_t which);
    void close_and_replace(std::size_t which);
    [[nodiscard]] std::size_t count_of(std::size_t which) const;

    const Parameters& p_;
    const LevelParameters& level_;
    const Catalog& catalog_;
    Places& places_;
    People& people_;
    std::uint64_t seed_;
    std::vector<Operator> operators_;
    std::vector<SiteId> pool_;
    std::uint32_t first_farm_ = 0;  // account number
    std::vector<std::vector<SiteId>>
        own_exits_;  // by account - first_farm_, of static and dispersed levels
    std::size_t static_in_24_ = 0;
};

}  // namespace seine::world
