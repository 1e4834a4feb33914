// Where connections come from: networks with their prefixes, sites with their addresses, and how
// far away they are.
#pragma once
#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "control/model/address.h"
#include "tools/world/parameters.h"
#include "tools/world/random.h"

namespace seine::world {

using NetworkId = std::uint16_t;

struct Network {
    Class kind{};
    std::uint8_t region = 0;
    std::uint32_t asn = 0;
    std::vector<std::uint32_t> blocks;  // its IPv4 /20s, as the upper 20 bits
    std::uint32_t used = 0;             // addresses handed out of them
    bool splits_tcp = false;
};

// One place: a line, an office, a pool of shared addresses, a venue.
struct Site {
    NetworkId network = 0;
    std::uint32_t first = 0;      // number of its first address inside the network
    std::uint16_t addresses = 1;  // that its users may leave through
    std::uint16_t per_user = 1;   // of them, that one user sees
    std::uint32_t sticky_s = 0;   // a user keeps an address so long; 0: only for a connection
    float lat = 0, lon = 0;
    float access_ms = 1;
    float relay_ms = 0;  // what ends TCP here is so far from what ends TLS; 0: nothing does
    bool split = false;
    bool inspected = false;       // a box ends TLS and opens it anew
    std::uint8_t renumbered = 0;  // 1 daily, 2 weekly, 0 about never
};
using SiteId = std::uint32_t;

class Places {
  public:
    Places(const Parameters& parameters, std::uint64_t seed);

    // A network of the class in the region; which of them follows from `key`.
    [[nodiscard]] NetworkId network(Class kind, std::size_t region, std::uint64_t key) const;
    // Takes `count` numbers behind each other out of a network, after a gap of `gap` unused ones.
    std::uint32_t take(NetworkId network, std::uint32_t count, std::uint32_t gap);
    // A site with `addresses` of a network, its access line drawn from `key`.
    SiteId add(NetworkId network, std::uint16_t addresses, std::uint32_t gap, std::uint64_t key);
    [[nodiscard]] Site& site(SiteId id) { return sites_[id]; }
    [[nodiscard]] const Site& site(SiteId id) const { return sites_[id]; }
    [[nodiscard]] const Network& network_of(const Site& site) const {
        return networks_[site.network];
    }
    [[nodiscard]] Network& network_of(const Site& site) { return networks_[site.network]; }
    [[nodiscard]] const std::vector<Network>& networks() const { return networks_; }
    [[nodiscard]] std::vector<Network>& networks() { return networks_; }

    // The address a user shows at `t_s` seconds into the window. `connection` tells connections
    // apart where an address is kept for one only.
    [[nodiscard]] model::Address address(const Site& site, std::uint64_t user, double t_s,
                                         std::uint64_t connection, bool v6) const;
    // Round trip between two places, and from the edge to an address' /24.
    [[nodiscard]] double path_ms(double lat, double lon) const;
    [[nodiscard]] double edge_ms(const Site& site) const;
    [[nodiscard]] double between_ms(double lat_a, double lon_a, double lat_b, double lon_b) const;

    struct Prefix {
        std::array<std::uint8_t, 16> address{};
        unsigned bits = 0;  // of 32 for IPv4, of 128 for IPv6
        bool v6 = false;
        NetworkId network = 0;
    };
    // Every prefix in use, in the order of addresses.
    [[nodiscard]] std::vector<Prefix> prefixes() const;

  private:
    [[nodiscard]] std::uint32_t next_block();
    void place(Site& site, std::uint64_t key) const;
    const Parameters& parameters_;
    std::uint64_t seed_;
    std::uint32_t block_counter_ = 0;
    std::vector<Network> networks_;
    std::array<std::vector<std::vector<NetworkId>>, kClasses> by_class_;  // class, region
    std::vector<Site> sites_;
};

}  // namespace seine::world
