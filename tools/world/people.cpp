#include "tools/world/people.h"

#include <algorithm>
#include <cmath>

namespace seine::world {
namespace {

std::vector<double> shares_of(const std::vector<Region>& regions) {
    std::vector<double> out;
    for (const Region& r : regions) out.push_back(r.share);
    return out;
}

}  // namespace

People::People(const Parameters& parameters, const Catalog& catalog, Places& places,
               std::uint64_t seed)
    : p_(parameters),
      catalog_(catalog),
      places_(places),
      seed_(key_of(seed, 0x9e0)),
      box_client_(catalog.client_named("inspection")),
      window_s_(parameters.world.days * kDay),
      region_weights_(shares_of(parameters.regions)),
      app_weights_(zipf(static_cast<std::size_t>(parameters.apps.count), parameters.apps.zipf)),
      model_weights_(parameters.models.shares),
      people_shapes_(parameters.days.people_shapes),
      server_shapes_(parameters.days.server_shapes),
      active_(parameters.days.active_share) {
    // The blocks that sell static addresses are networks of their own, one after the other.
    for (std::int64_t i = 0; i < p_.pool.sellers; ++i) {
        const std::size_t region =
            Weights(p_.pool.regions)
                .pick(unit_of(key_of(seed_, static_cast<std::uint64_t>(i), 0x5e11)));
        Network network;
        network.kind = Class::residential;
        network.region = static_cast<std::uint8_t>(region);
        network.asn =
            4'260'000'000u + static_cast<std::uint32_t>(
                                 key_of(seed_, static_cast<std::uint64_t>(i), 0xa5) % 30'000'000);
        sellers.push_back(static_cast<NetworkId>(places_.networks().size()));
        places_.networks().push_back(network);
    }
}

std::uint16_t People::app_of(Draw& draw, bool person) const {
    if (person && draw.chance(p_.apps.generic)) return 0;
    return static_cast<std::uint16_t>(app_weights_.pick(draw.unit()));
}

Account People::person(Role role, std::uint64_t key, std::size_t region) const {
    Account a;
    Draw draw(key_of(key, 1));
    a.key = key;
    a.region = static_cast<std::uint8_t>(region);
    a.server = role == Role::srv;
    a.client = catalog_.client_of(role, draw.unit());
    a.build = catalog_.build_of(a.client, draw.unit());
    a.client2 = a.client, a.build2 = a.build;
    if (draw.chance(p_.clients.second_share)) {
        a.client2 = catalog_.client_of(role, draw.unit());
        a.build2 = catalog_.build_of(a.client2, draw.unit());
    }
    a.kernel = a.kernel2 = catalog_.kernel_of(role, draw.unit());
    const double sigma = p_.world.exchanges_sigma;
    const double monthly =
        std::min(p_.world.exchanges_max, draw.log_normal(p_.world.exchanges_median, sigma));
    a.per_day = static_cast<float>(monthly / 30);
    // Busy accounts keep connections longer; the constant makes the mean over connections what the
    // parameter says.
    const double base = p_.world.exchanges_per_connection * std::exp(-0.18 * sigma * sigma);
    a.per_connection = static_cast<float>(
        std::max(1.0, base * std::pow(monthly / p_.world.exchanges_median, 0.2)));
    a.active = static_cast<float>(
        p_.days.active_day[std::min(active_.pick(draw.unit()), p_.days.active_day.size() - 1)]);
    a.shape = static_cast<Shape>((a.server ? server_shapes_ : people_shapes_).pick(draw.unit()));
    a.app = app_of(draw, !a.server);
    a.app2 = draw.chance(0.2) ? app_of(draw, !a.server) : a.app;
    a.model = static_cast<std::uint8_t>(1 + model_weights_.pick(draw.unit()));
    const double release = p_.models.release_day * kDay;
    a.model_from_s = draw.chance(p_.models.alias)
                         ? release
                         : release + draw.exponential(p_.models.adopt_days * kDay);
    a.tier = static_cast<std::uint8_t>(Weights(p_.tiers.people).pick(draw.unit()));
    a.trust = static_cast<std::uint8_t>(1 + draw.below(3));
    return a;
}

double People::signup_s(Draw& draw, bool& launch) const {
    launch = false;
    if (draw.chance(p_.signups.old_share))
        return -kDay * draw.between(static_cast<double>(p_.signups.recent_days),
                                    static_cast<double>(p_.signups.old_days_max));
    if (draw.chance(p_.signups.launch_share)) {
        launch = true;
        const double day =
            p_.signups.launch_days_before[draw.below(p_.signups.launch_days_before.size())];
        return kDay * (-day + std::min(2.0, draw.exponential(0.6)));
    }
    // The release day counts for several days.
    const double before = static_cast<double>(p_.signups.recent_days),
                 extra = p_.signups.release_factor - 1;
    const double at = draw.between(0, before + p_.world.days + extra);
    if (at > before + p_.world.days) return kDay * (p_.models.release_day + draw.unit());
    return kDay * (at - before);
}

// ---- shared networks ----

void People::make_pools(std::size_t count) {
    struct Spec {
        Pool kind;
        Class network;
        double share, per_address, seen;
        std::uint16_t per_user;
        std::uint32_t sticky_s;
    };
    const double second = p_.people.second_network * 0.6;
    const Spec specs[] = {
        {Pool::cgnat, Class::residential, p_.people.cgnat + 0.2 * second,
         p_.cgnat.accounts_per_address, 4, static_cast<std::uint16_t>(p_.cgnat.addresses),
         static_cast<std::uint32_t>(p_.cgnat.sticky_s)},
        {Pool::mobile, Class::mobile, p_.people.mobile + 0.35 * second,
         p_.mobile.accounts_per_address, 4, 24, static_cast<std::uint32_t>(p_.mobile.sticky_s)},
        {Pool::vpn, Class::vpn, p_.people.vpn + 0.2 * second, p_.vpn.accounts_per_address, 4, 6,
         40000},
        {Pool::ci, Class::ci, p_.people.ci + 0.12 * second, p_.ci.accounts_per_address, 12, 20, 0},
        {Pool::serverless, Class::hosting, p_.people.serverless + 0.13 * second,
         p_.serverless.accounts_per_address, 14, 20, 900},
        {Pool::relay, Class::vpn, p_.people.privacy_relay, p_.privacy_relay.accounts_per_address, 4,
         8, 10800}};
    for (const Spec& spec : specs) {
        auto& regions = pools_[static_cast<std::size_t>(spec.kind)];
        regions.resize(p_.regions.size());
        for (std::size_t region = 0; region < p_.regions.size(); ++region) {
            const double users =
                static_cast<double>(count) * spec.share * region_weights_.share(region);
            const auto carriers = static_cast<std::size_t>(
                std::clamp(users / 250, 1.0, spec.network == Class::residential ? 8.0 : 6.0));
            const double addresses =
                users * spec.seen / spec.per_address / static_cast<double>(carriers);
            for (std::size_t i = 0; i < carriers; ++i) {
                const std::uint64_t key =
                    key_of(seed_, region * 64 + i, static_cast<std::uint64_t>(spec.kind), 0x9001);
                const SiteId id = places_.add(
                    places_.network(spec.network, region, key),
                    static_cast<std::uint16_t>(std::clamp(addresses, 2.0, 4000.0)), 256, key);
                Site& site = places_.site(id);
                site.per_user = std::min(spec.per_user, site.addresses);
                site.sticky_s = spec.sticky_s;
                if (spec.kind == Pool::mobile && places_.network_of(site).splits_tcp) {
                    site.split = true;  // TCP ends in the carrier's core, the radio comes after it
                    site.relay_ms = site.access_ms;
                    site.access_ms = 2;
                }
                if (spec.kind == Pool::relay) {
                    site.split = true;
                    site.relay_ms = static_cast<float>(Draw(key).between(8, 30));
                }
                regions[region].push_back(id);
            }
        }
    }
}

SiteId People::pool(Pool kind, std::size_t region, std::uint64_t key) const {
    const std::vector<SiteId>& list = pools_[static_cast<std::size_t>(kind)][region];
    return list[key_of(seed_, key, 0x91) % list.size()];
}

SiteId People::home_line(std::size_t region, std::uint64_t key) {
    Draw draw(key_of(key, 0x803e));
    const auto gap = static_cast<std::uint32_t>(
        draw.exponential(std::max(0.0, 256 / p_.prefixes.home_accounts_per_24 - 1)));
    const SiteId id = places_.add(places_.network(Class::residential, region, key), 1, gap, key);
    home_sites.push_back(id);
    return id;
}

void People::add_second_network(Account& a, Draw& draw) {
    if (!draw.chance(p_.people.second_network)) return;
    constexpr Pool kKinds[] = {Pool::vpn, Pool::mobile, Pool::ci, Pool::serverless, Pool::cgnat};
    static const Weights weights({0.2, 0.35, 0.12, 0.13, 0.2});
    const Pool kind = kKinds[weights.pick(draw.unit())];
    a.site2 = pool(kind, a.region, a.key);
    a.second_use = static_cast<float>(p_.people.second_use);
    if (kind == Pool::mobile) a.kernel2 = catalog_.kernel_of(Role::mob, draw.unit());
    if (kind == Pool::ci || kind == Pool::serverless) {
        a.kernel2 = catalog_.kernel_of(Role::srv, draw.unit());
        a.client2 = catalog_.client_of(Role::srv, draw.unit());
        a.build2 = catalog_.build_of(a.client2, draw.unit());
        a.client2_at_site2 = true;
    }
}

// Somebody alone with an account of his own; the site is the caller's.
Account People::individual(Role role, std::uint64_t key, Confounder confounder) {
    Draw draw(key_of(key, 0x1d));
    Account a = person(role, key, region_of(draw.unit()));
    bool launch = false;
    a.created_s = signup_s(draw, launch);
    a.confounder = launch && confounder == Confounder::none ? Confounder::launch : confounder;
    a.org = new_org();
    return a;
}

// ---- the kinds ----

void People::homes(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t key = next_key();
        Account a = individual(Role::dev, key, Confounder::none);
        Draw draw(key_of(key, 2));
        a.site = home_line(a.region, key);
        a.v6 = draw.chance(p_.classes[0].v6);
        add_second_network(a, draw);
        accounts.push_back(a);
    }
}

void People::pooled(Pool kind, std::size_t count, Role role, Confounder confounder) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t key = next_key();
        Account a = individual(role, key, confounder);
        Draw draw(key_of(key, 3));
        a.site = pool(kind, a.region, key);
        const Site& site = places_.site(a.site);
        a.v6 = draw.chance(p_.classes[static_cast<std::size_t>(places_.network_of(site).kind)].v6);
        if (kind == Pool::mobile && site.split) a.confounder = Confounder::split_tcp;
        if (kind == Pool::mobile && draw.chance(p_.mobile.wifi)) {
            a.site2 = home_line(a.region, key);
            a.second_use = 0.45f;
        } else if (kind == Pool::cgnat) {
            add_second_network(a, draw);
        }
        if (kind == Pool::vpn) {
            a.leg_ms = static_cast<float>(draw.log_normal(14, 0.6));
            a.site2 = home_line(a.region, key_of(key, 4));
            a.second_use = 0.3f;
        }
        accounts.push_back(a);
    }
}

void People::clouds(std::size_t count, Confounder confounder) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t key = next_key();
        Account a = individual(Role::srv, key, confounder);
        Draw draw(key_of(key, 5));
        if (confounder == Confounder::static_block) {
            const NetworkId network = sellers[draw.below(sellers.size())];
            a.site = places_.add(network, 1, static_cast<std::uint32_t>(20 + draw.below(90)), key);
            places_.site(a.site).access_ms = 0.6f;
            places_.site(a.site).renumbered = 0;
        } else {
            a.site = places_.add(places_.network(Class::hosting, a.region, key), 1,
                                 static_cast<std::uint32_t>(draw.exponential(20)), key);
            places_.site(a.site).renumbered = 0;
        }
        a.v6 = draw.chance(p_.classes[static_cast<std::size_t>(Class::hosting)].v6);
        if (draw.chance(0.35)) {  // the developer at home
            a.site2 = home_line(a.region, key);
            a.second_use = 0.15f;
            a.client2 = catalog_.client_of(Role::dev, draw.unit());
            a.build2 = catalog_.build_of(a.client2, draw.unit());
            a.kernel2 = catalog_.kernel_of(Role::dev, draw.unit());
            a.client2_at_site2 = true;
        }
        accounts.push_back(a);
    }
}

void People::satellites(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t key = next_key();
        Account a = individual(Role::dev, key, Confounder::satellite);
        a.site = places_.add(places_.network(Class::satellite, a.region, key), 1, 3, key);
        Site& site = places_.site(a.site);
        if (unit_of(key_of(key, 6)) < p_.satellite.geostationary) {
            site.split = true;
            site.relay_ms = static_cast<float>(p_.satellite.orbit_ms);
            site.access_ms = 2;
        }
        accounts.push_back(a);
    }
}

void People::households(std::size_t count) {
    for (std::size_t left = count; left > 0;) {
        const std::uint64_t key = next_key();
        Draw draw(key_of(key, 7));
        const std::size_t size = std::min<std::size_t>(left, draw.chance(0.7) ? 2 : 3);
        const std::size_t region = region_of(draw.unit());
        const SiteId line = home_line(region, key);
        const bool v6 = draw.chance(p_.classes[0].v6);
        Account first;
        for (std::size_t i = 0; i < size; ++i) {
            Account a = individual(Role::dev, next_key(), Confounder::household);
            a.region = static_cast<std::uint8_t>(region);
            a.site = line;
            a.v6 = v6;
            if (i == 0)
                first = a;
            else if (draw.chance(0.5))
                a.client = first.client, a.build = first.build;
            accounts.push_back(a);
        }
        left -= size;
    }
}

void People::proxy_users(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        Account a = individual(Role::dev, next_key(), Confounder::proxy_user);
        a.proxied = true;
        a.site = home_line(a.region, a.key);  // where he really sits
        accounts.push_back(a);
    }
}

void People::churn() {
    const double weeks = p_.world.days / 7;
    for (Account& a : accounts) {
        Draw draw(key_of(a.key, 8));
        if (draw.chance(p_.people.closed_per_week * weeks))
            a.closed_s =
                std::max(a.created_s, 0.0) + draw.unit() * (window_s_ - std::max(a.created_s, 0.0));
        if (draw.chance(p_.people.key_rotation_per_week * weeks))
            a.key_rotated_s = draw.unit() * window_s_;
    }
}

void People::settle(std::size_t count) {
    make_pools(count);
    const auto& s = p_.people;
    const double all = s.home + s.cgnat + s.mobile + s.cloud + s.ci + s.serverless + s.corporate +
                       s.campus + s.vpn + s.saas + s.byok + s.satellite + s.household +
                       s.privacy_relay + s.proxy_user + s.hackathon + s.static_block;
    const auto part = [&](double share) {
        return static_cast<std::size_t>(std::llround(static_cast<double>(count) * share / all));
    };
    accounts.reserve(count + count / 16);
    homes(part(s.home));
    pooled(Pool::cgnat, part(s.cgnat), Role::dev, Confounder::cgnat);
    pooled(Pool::mobile, part(s.mobile), Role::mob, Confounder::mobile);
    clouds(part(s.cloud), Confounder::cloud);
    clouds(part(s.static_block), Confounder::static_block);
    pooled(Pool::ci, part(s.ci), Role::srv, Confounder::ci);
    pooled(Pool::serverless, part(s.serverless), Role::srv, Confounder::serverless);
    companies(part(s.corporate));
    campuses(part(s.campus));
    pooled(Pool::vpn, part(s.vpn), Role::dev, Confounder::vpn);
    sub_keys(part(s.saas));
    platforms(part(s.byok));
    satellites(part(s.satellite));
    households(part(s.household));
    pooled(Pool::relay, part(s.privacy_relay), Role::dev, Confounder::privacy_relay);
    proxy_users(part(s.proxy_user));
    hackathons(part(s.hackathon));
    churn();
}

}  // namespace seine::world
