// Benign accounts that come in groups: companies, campuses, platforms, customers with many keys,
// events.
#include <algorithm>
#include <cmath>

#include "tools/world/people.h"

namespace seine::world {

void People::companies(std::size_t count) {
    for (std::size_t left = count; left > 0;) {
        const std::uint64_t key = next_key();
        Draw draw(key_of(key, 0xc0));
        const double wanted =
            std::ceil(draw.log_normal(p_.corporate.size_median, p_.corporate.size_sigma));
        const auto size =
            std::min(left, static_cast<std::size_t>(std::clamp(
                               wanted, 1.0, static_cast<double>(p_.corporate.size_max))));
        company(size, key);
        left -= size;
    }
}

void People::company(std::size_t size, std::uint64_t key) {
    Draw draw(key_of(key, 0xc1));
    const std::size_t region = region_of(draw.unit());
    const bool relay = draw.chance(p_.corporate.relay),
               far = relay && draw.chance(p_.corporate.relay_far);
    const std::size_t exit_region = far ? region_of(draw.unit()) : region;
    const auto addresses = static_cast<std::uint16_t>(1 + draw.below(size > 40 ? 4 : 2));
    const SiteId office =
        places_.add(places_.network(Class::corporate, exit_region, key), addresses,
                    static_cast<std::uint32_t>(draw.exponential(40)), key);
    Site& site = places_.site(office);
    site.sticky_s = 43200;
    site.per_user = addresses;
    site.renumbered = 0;
    Confounder confounder = Confounder::corp_nat;
    if (relay) {
        const Region& there = p_.regions[region];
        site.split = true;
        site.relay_ms =
            static_cast<float>(far ? places_.between_ms(there.lat, there.lon, site.lat, site.lon)
                                   : draw.log_normal(6, 0.8));
        confounder = Confounder::corp_relay;
    } else if (draw.chance(p_.corporate.inspection)) {
        site.inspected = true;
        confounder = Confounder::corp_inspection;
    }
    const bool one_org = draw.chance(p_.corporate.one_organisation),
               batch = draw.chance(p_.corporate.batch);
    const std::uint32_t org = new_org();
    const std::uint16_t client = catalog_.client_of(Role::dev, draw.unit()),
                        build = catalog_.build_of(client, draw.unit());
    const std::uint16_t app =
        static_cast<std::uint16_t>(draw.below(static_cast<std::uint64_t>(p_.apps.count)));
    bool launch = false;
    const double batch_at = signup_s(draw, launch);
    const bool v6 = draw.chance(p_.classes[static_cast<std::size_t>(Class::corporate)].v6);
    for (std::size_t i = 0; i < size; ++i) {
        Account a = individual(draw.chance(0.15) ? Role::srv : Role::dev, next_key(), confounder);
        a.region = static_cast<std::uint8_t>(region);
        a.site = office;
        a.v6 = v6;
        if (one_org) a.org = org;
        if (draw.chance(p_.corporate.common_client)) a.client = client, a.build = build;
        if (draw.chance(p_.corporate.common_app)) a.app = app;
        if (batch) a.created_s = batch_at + draw.between(0, 2 * kDay);
        a.tier = static_cast<std::uint8_t>(Weights(p_.tiers.firms).pick(draw.unit()));
        if (draw.chance(p_.corporate.home_too)) {
            a.site2 = home_line(region, a.key);
            a.second_use = 0.35f;
        }
        accounts.push_back(a);
    }
}

void People::campuses(std::size_t count) {
    for (std::size_t left = count; left > 0;) {
        const std::uint64_t key = next_key();
        Draw draw(key_of(key, 0xca));
        const std::size_t size = std::min(left, static_cast<std::size_t>(p_.campus.size));
        const std::size_t region = region_of(draw.unit());
        const SiteId grounds =
            places_.add(places_.network(Class::education, region, key),
                        static_cast<std::uint16_t>(p_.campus.addresses), 64, key);
        places_.site(grounds).sticky_s = 7200;
        places_.site(grounds).per_user =
            static_cast<std::uint16_t>(std::min<std::int64_t>(12, p_.campus.addresses));
        for (std::size_t done = 0; done < size;) {
            const std::size_t group = std::min<std::size_t>(
                size - done, 5 + draw.below(static_cast<std::uint64_t>(
                                     std::max<std::int64_t>(1, p_.campus.group_max - 5))));
            const bool burst = draw.chance(p_.campus.burst);
            const double at =
                draw.chance(p_.campus.burst_in_window)
                    ? std::floor(draw.between(0, p_.world.days)) * kDay +
                          draw.between(8, 18) * kHour
                    : -std::floor(draw.between(1, 170)) * kDay + draw.between(8, 18) * kHour;
            const std::uint16_t app =
                static_cast<std::uint16_t>(draw.below(static_cast<std::uint64_t>(p_.apps.count)));
            const std::uint16_t client = catalog_.client_of(Role::dev, draw.unit()),
                                build = catalog_.build_of(client, draw.unit());
            for (std::size_t i = 0; i < group; ++i) {
                Account a = individual(Role::dev, next_key(),
                                       burst ? Confounder::campus_burst : Confounder::campus);
                a.region = static_cast<std::uint8_t>(region);
                a.site = grounds;
                if (burst) a.created_s = at + draw.between(0, kHour);
                if (burst && draw.chance(p_.campus.same_app)) a.app = a.app2 = app;
                if (burst && draw.chance(p_.campus.same_client)) a.client = client, a.build = build;
                a.tier = static_cast<std::uint8_t>(Weights(p_.tiers.campus).pick(draw.unit()));
                if (draw.chance(0.4)) {
                    a.site2 = home_line(region, a.key);
                    a.second_use = 0.4f;
                }
                accounts.push_back(a);
            }
            done += group;
        }
        left -= size;
    }
}

// Platforms that customers bring their own keys to: one egress, one stack, shared sessions.
void People::platforms(std::size_t count) {
    // Declared ones by turns, so that a small world has both kinds.
    double owed = 0.5;
    const double size_max = std::clamp(static_cast<double>(count) / 4, 8.0, 2000.0);
    for (std::size_t left = count; left > 0;) {
        const std::uint64_t key = next_key();
        Draw draw(key_of(key, 0xb0));
        const auto size = std::min(
            left, static_cast<std::size_t>(std::clamp(
                      draw.log_normal(p_.byok.size_median, p_.byok.size_sigma), 8.0, size_max)));
        const std::size_t region = region_of(draw.unit());
        const SiteId egress = places_.add(places_.network(Class::hosting, region, key),
                                          static_cast<std::uint16_t>(p_.byok.addresses), 16, key);
        places_.site(egress).per_user = static_cast<std::uint16_t>(p_.byok.addresses);
        owed += p_.byok.declared;
        const bool declared = owed >= 1;
        if (declared) owed -= 1;
        const std::uint16_t client = draw.chance(0.4) ? catalog_.client_named("web-server")
                                     : draw.chance(0.5)
                                         ? catalog_.client_named("node-sdk")
                                         : catalog_.client_of(Role::srv, draw.unit());
        const std::uint16_t build = catalog_.build_of(client, draw.unit());
        const std::uint16_t kernel = catalog_.kernel_of(Role::srv, draw.unit());
        const std::uint16_t app =
            static_cast<std::uint16_t>(draw.below(static_cast<std::uint64_t>(p_.apps.count)));
        const auto group = static_cast<std::uint32_t>(groups.size());
        groups.push_back(
            {{}, static_cast<std::uint16_t>(p_.byok.processes), p_.byok.shared_connection});
        for (std::size_t i = 0; i < size; ++i) {
            Account a =
                individual(Role::dev, next_key(),
                           declared ? Confounder::byok_declared : Confounder::byok_undeclared);
            a.client2 = a.client, a.build2 = a.build, a.kernel2 = a.kernel;
            a.client = client, a.build = build, a.kernel = kernel;
            a.client2_at_site2 = true;
            a.site = egress;
            a.group = group;
            a.declared = declared;
            if (draw.chance(p_.byok.own_app)) a.app = app;
            if (draw.chance(p_.byok.home_too)) {
                a.site2 = home_line(a.region, a.key);
                a.second_use = 0.3f;
            }
            groups[group].members.push_back(static_cast<std::uint32_t>(accounts.size()));
            accounts.push_back(a);
        }
        left -= size;
    }
}

// One customer with a key for each of its own tenants.
void People::sub_keys(std::size_t count) {
    for (std::size_t left = count; left > 0;) {
        const std::uint64_t key = next_key();
        Draw draw(key_of(key, 0x5a));
        const std::size_t size = std::min(left, static_cast<std::size_t>(p_.saas.size));
        const std::size_t region = region_of(draw.unit());
        const SiteId egress = places_.add(places_.network(Class::hosting, region, key),
                                          static_cast<std::uint16_t>(p_.saas.addresses), 16, key);
        places_.site(egress).per_user = static_cast<std::uint16_t>(p_.saas.addresses);
        const std::uint32_t org = new_org();
        const std::uint16_t client = catalog_.client_of(Role::srv, draw.unit()),
                            build = catalog_.build_of(client, draw.unit());
        const std::uint16_t app =
            static_cast<std::uint16_t>(draw.below(static_cast<std::uint64_t>(p_.apps.count)));
        bool launch = false;
        const double begun = signup_s(draw, launch);
        const double spike =
            draw.chance(p_.people.failover_spikes) ? draw.between(0, p_.world.days * kDay) : -1;
        const auto group = static_cast<std::uint32_t>(groups.size());
        groups.push_back({{}, static_cast<std::uint16_t>(p_.saas.processes), 0});
        for (std::size_t i = 0; i < size; ++i) {
            Account a = individual(Role::srv, next_key(), Confounder::saas);
            a.org = org;
            a.site = egress;
            a.client = a.client2 = client, a.build = a.build2 = build;
            a.app = a.app2 = app;
            a.group = group;
            a.created_s = begun + draw.unit() * std::max(0.0, -begun);
            a.tier = static_cast<std::uint8_t>(Weights(p_.tiers.firms).pick(draw.unit()));
            a.spike_s = static_cast<float>(spike);
            groups[group].members.push_back(static_cast<std::uint32_t>(accounts.size()));
            accounts.push_back(a);
        }
        left -= size;
    }
}

// A venue, an evening, a starter project, and most never come back.
void People::hackathons(std::size_t count) {
    for (std::size_t left = count; left > 0;) {
        const std::uint64_t key = next_key();
        Draw draw(key_of(key, 0x8a));
        const std::size_t size = std::min(left, static_cast<std::size_t>(p_.hackathon.size));
        const std::size_t region = region_of(draw.unit());
        const SiteId venue =
            places_.add(places_.network(Class::corporate, region, key),
                        static_cast<std::uint16_t>(p_.hackathon.addresses), 40, key);
        places_.site(venue).per_user = static_cast<std::uint16_t>(p_.hackathon.addresses);
        places_.site(venue).sticky_s = 86400;
        const double day = draw.chance(p_.hackathon.in_window)
                               ? std::floor(draw.between(0, p_.world.days))
                               : -std::floor(draw.between(2, 120));
        const std::uint16_t app =
            static_cast<std::uint16_t>(draw.below(static_cast<std::uint64_t>(p_.apps.count)));
        const std::uint16_t client = catalog_.client_of(Role::dev, draw.unit()),
                            build = catalog_.build_of(client, draw.unit());
        for (std::size_t i = 0; i < size; ++i) {
            Account a = individual(Role::dev, next_key(), Confounder::hackathon);
            a.region = static_cast<std::uint8_t>(region);
            a.created_s = day * kDay + draw.between(9, 11) * kHour;
            a.site2 = home_line(region, a.key);
            a.site = day >= 0 ? venue : a.site2;
            a.second_use = 0.2f;
            if (draw.chance(p_.hackathon.starter_app)) a.app = app;
            if (draw.chance(p_.hackathon.starter_client)) a.client = client, a.build = build;
            accounts.push_back(a);
        }
        left -= size;
    }
}

}  // namespace seine::world
