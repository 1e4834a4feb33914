// The accounts of a world: who they are, where they sit, what they run, how much they ask.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tools/world/catalog.h"
#include "tools/world/places.h"

namespace seine::world {

// In seconds, as times are drawn.
inline constexpr double kHour = 3600;
inline constexpr double kDay = 24 * kHour;

enum class Confounder : std::uint8_t {
    none,
    cgnat,
    mobile,
    split_tcp,
    cloud,
    ci,
    serverless,
    corp_nat,
    corp_relay,
    corp_inspection,
    campus,
    campus_burst,
    vpn,
    saas,
    byok_declared,
    byok_undeclared,
    satellite,
    household,
    privacy_relay,
    proxy_user,
    hackathon,
    static_block,
    launch
};
inline constexpr std::array<const char*, 23> kConfounderNames = {"",
                                                                 "cgnat",
                                                                 "mobile",
                                                                 "split_tcp",
                                                                 "cloud",
                                                                 "ci",
                                                                 "serverless",
                                                                 "corp_nat",
                                                                 "corp_relay",
                                                                 "corp_inspection",
                                                                 "campus",
                                                                 "campus_burst",
                                                                 "vpn",
                                                                 "saas",
                                                                 "byok_declared",
                                                                 "byok_undeclared",
                                                                 "satellite",
                                                                 "household",
                                                                 "privacy_relay",
                                                                 "proxy_user",
                                                                 "hackathon",
                                                                 "static_block",
                                                                 "launch"};

enum class Shape : std::uint8_t { office, evening, broad, flat, nightly };
inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
inline constexpr double kNever = 1e18;

struct Account {
    std::uint64_t key = 0;  // of all its draws
    double created_s = 0;   // times are seconds into the window; before it: negative
    double closed_s = kNever;
    double key_rotated_s = kNever;
    double model_from_s = kNever;  // when it moves to the new model
    float per_day = 1;             // exchanges on an average day
    float active = 1;              // probability of being at work on a day
    float per_connection = 3;      // exchanges
    float second_use = 0;          // of sessions from the second site
    float leg_ms = 0;              // to its VPN
    float spike_s =
        -1;  // start of an afternoon with failover_factor times the traffic; below 0: none
    std::uint32_t org = 0;
    SiteId site = kNone;
    SiteId site2 = kNone;
    std::uint32_t group =
        kNone;  // platform whose processes and connections it shares, kNone: its own
    std::uint32_t replaces = kNone;
    std::uint16_t client = 0, build = 0, client2 = 0, build2 = 0;
    std::uint16_t app = 0, app2 = 0;
    std::uint16_t kernel = 0, kernel2 = 0;
    std::uint16_t farm = 0;  // 0: benign, else operator + 1
    std::uint8_t region = 0;
    Shape shape{};
    std::uint8_t tier = 0, trust = 1, model = 1;
    Confounder confounder{};
    bool v6 = false;
    bool server = false;    // a program, not a person
    bool declared = false;  // behind a declared intermediary
    bool proxied = false;   // leaves through rented exits
    bool client2_at_site2 =
        false;  // the second client is what the second site runs; else it is mixed in
};

// Accounts that share client processes and, now and then, connections.
struct Group {
    std::vector<std::uint32_t> members;
    std::uint16_t processes = 1;
    double shared_connection = 0;
};

class People {
  public:
    People(const Parameters& parameters, const Catalog& catalog, Places& places,
           std::uint64_t seed);
    // Makes `count` benign accounts of all kinds; the share of each follows the parameters.
    void settle(std::size_t count);

    std::vector<Account> accounts;
    std::vector<Group> groups;
    // What shows at a site where a box ends TLS.
    [[nodiscard]] std::uint16_t box_client() const { return box_client_; }
    // Draws what accounts of all kinds have: volume, rhythm, model, tier.
    Account person(Role role, std::uint64_t key, std::size_t region) const;
    // When somebody signed up.
    [[nodiscard]] double signup_s(Draw& draw, bool& launch) const;
    [[nodiscard]] std::size_t region_of(double unit) const { return region_weights_.pick(unit); }
    std::uint32_t new_org() { return org_counter_++; }
    // Sites on the blocks of the sellers of static addresses, eight to a /24.
    std::vector<NetworkId> sellers;
    std::vector<SiteId> home_sites;  // lines of benign homes, for exits that are somebody's home

  private:
    enum class Pool : std::uint8_t { cgnat, mobile, vpn, ci, serverless, relay };
    void make_pools(std::size_t count);
    SiteId pool(Pool kind, std::size_t region, std::uint64_t key) const;
    SiteId home_line(std::size_t region, std::uint64_t key);
    Account individual(Role role, std::uint64_t key, Confounder confounder);
    void add_second_network(Account& account, Draw& draw);
    void homes(std::size_t count);
    void pooled(Pool kind, std::size_t count, Role role, Confounder confounder);
    void clouds(std::size_t count, Confounder confounder);
    void companies(std::size_t count);
    void company(std::size_t size, std::uint64_t key);
    void campuses(std::size_t count);
    void platforms(std::size_t count);
    void sub_keys(std::size_t count);
    void satellites(std::size_t count);
    void households(std::size_t count);
    void proxy_users(std::size_t count);
    void hackathons(std::size_t count);
    void churn();
    std::uint64_t next_key() { return key_of(seed_, ++key_counter_, 0xacc); }
    std::uint16_t app_of(Draw& draw, bool person) const;

    const Parameters& p_;
    const Catalog& catalog_;
    Places& places_;
    std::uint64_t seed_;
    std::uint64_t key_counter_ = 0;
    std::uint32_t org_counter_ = 1;
    std::uint16_t box_client_ = 0;
    double window_s_;
    Weights region_weights_, app_weights_, model_weights_, people_shapes_, server_shapes_, active_;
    std::array<std::vector<std::vector<SiteId>>, 6> pools_;  // kind, region
};

}  // namespace seine::world
