#include "tools/world/operators.h"

#include <algorithm>
#include <cmath>

namespace seine::world {

Operators::Operators(const Parameters& parameters, const LevelParameters& level,
                     const Catalog& catalog, Places& places, People& people, std::uint64_t seed)
    : p_(parameters),
      level_(level),
      catalog_(catalog),
      places_(places),
      people_(people),
      seed_(key_of(seed, 0xfa83)) {
    for (std::size_t i = 0; i < p_.farm.operators.size(); ++i) {
        Operator op;
        op.name = p_.farm.operators[i];
        op.campaign = p_.farm.campaigns[i];
        const Region& region = p_.regions[static_cast<std::size_t>(p_.farm.relay_regions[i])];
        Draw draw(key_of(seed_, i, 1));
        op.lat = region.lat + 2 * draw.normal();
        op.lon = region.lon + 2 * draw.normal();
        if (!level_.client.empty()) {
            op.client = catalog_.client_named(level_.client);
            op.build = static_cast<std::uint16_t>(level_.rank);
        }
        op.first_task =
            static_cast<std::uint16_t>(p_.apps.count + static_cast<std::int64_t>(i) * 16);
        op.slip_header = key_of(seed_, i, 2);
        op.exchanges_per_day = p_.farm.exchanges[i] / p_.farm.campaign_days *
                               static_cast<double>(count_of(i)) /
                               static_cast<double>(std::max<std::int64_t>(1, p_.farm.accounts[i]));
        operators_.push_back(std::move(op));
    }
}

std::size_t Operators::count_of(std::size_t which) const {
    const auto wanted = static_cast<std::int64_t>(
        std::llround(static_cast<double>(p_.farm.accounts[which]) * p_.scale()));
    return static_cast<std::size_t>(std::max(p_.farm.accounts_min, wanted));
}

std::size_t Operators::accounts_at_start() const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < operators_.size(); ++i) sum += count_of(i);
    return sum;
}

void Operators::rent_pool() {
    const bool residential = level_.kind == "rotating" || level_.kind == "sticky";
    const double wanted =
        (residential ? static_cast<double>(level_.addresses.front()) : p_.pool.exits) * p_.scale();
    const auto count = static_cast<std::size_t>(std::max(200.0, wanted));
    const Weights regions(p_.pool.regions);
    for (std::size_t i = 0; i < count; ++i) {
        Draw draw(key_of(seed_, i, 0x9001));
        if (draw.chance(p_.pool.homes) && !people_.home_sites.empty()) {
            pool_.push_back(people_.home_sites[draw.below(people_.home_sites.size())]);
            continue;
        }
        const std::uint64_t key = draw.bits();
        const auto gap = static_cast<std::uint32_t>(draw.exponential(200));
        pool_.push_back(places_.add(
            places_.network(Class::residential, regions.pick(draw.unit()), key), 1, gap, key));
    }
}

void Operators::rent_hosts(std::size_t which) {
    Operator& op = operators_[which];
    const bool few = level_.kind == "hosts";
    const double wanted =
        static_cast<double>(level_.addresses[std::min(which, level_.addresses.size() - 1)]) *
        (few ? 1 : p_.scale());
    const auto count = static_cast<std::size_t>(std::max(few ? 1.0 : 4.0, std::round(wanted)));
    const auto home = static_cast<std::size_t>(p_.farm.relay_regions[which]);
    for (std::size_t i = 0; i < count; ++i) {
        // Hosts stand with the relay; datacentre proxies in three networks elsewhere.
        const std::uint64_t key = key_of(seed_, which, few ? 0 : i % 3, 0x405);
        const std::size_t region = few ? home : Weights(p_.pool.regions).pick(unit_of(key));
        const auto gap = static_cast<std::uint32_t>(few ? 3 : Draw(key_of(key, i)).below(12));
        op.hosts.push_back(
            places_.add(places_.network(Class::hosting, region, key), 1, gap, key_of(key, i)));
        places_.site(op.hosts.back()).renumbered = 0;
    }
}

void Operators::rent_own(std::uint32_t account, std::size_t which) {
    Account& a = people_.accounts[account];
    own_exits_.resize(std::max<std::size_t>(own_exits_.size(), account - first_farm_ + 1));
    std::vector<SiteId>& exits = own_exits_[account - first_farm_];
    // A move every period with the level's probability; all exits are rented up front.
    const double periods = std::max(
        0.0, (p_.world.days * kDay - std::max(0.0, a.created_s)) / (p_.farm.closing_hours * kHour));
    std::size_t needed = 1;
    for (double k = 1; k <= periods; ++k)
        needed += unit_of(key_of(a.key, static_cast<std::uint64_t>(k), 0x303e)) < level_.moved;
    for (std::size_t i = 0; i < needed; ++i) {
        Draw draw(key_of(a.key, i, 0x0e8));
        const bool server = p_.pool.static_server;
        SiteId id = kNone;
        if (level_.kind == "static") {
            // Eight accounts to a /24 of a seller.
            const std::size_t n = static_in_24_++;
            const std::uint64_t block_key = key_of(seed_, which, n / 8, 0x24);
            const NetworkId network = people_.sellers[block_key % people_.sellers.size()];
            const std::uint32_t used = places_.networks()[network].used;
            const std::uint32_t gap =
                n % 8 == 0 ? 256 - used % 256 + static_cast<std::uint32_t>(draw.below(20))
                           : static_cast<std::uint32_t>(draw.below(25));
            id = places_.add(network, 1, gap, draw.bits());
        } else {
            const Weights regions(p_.pool.regions);
            const auto gap = static_cast<std::uint32_t>(200 + draw.below(200));
            const std::uint64_t key = draw.bits();
            id = places_.add(places_.network(Class::residential, regions.pick(draw.unit()), key), 1,
                             gap, key);
        }
        Site& site = places_.site(id);
        site.renumbered = 0;
        if (server) site.access_ms = static_cast<float>(draw.log_normal(0.6, 0.3));
        exits.push_back(id);
    }
}

std::uint32_t Operators::sign_up(std::size_t which, double created_s, std::uint32_t replaces) {
    const auto number = static_cast<std::uint32_t>(people_.accounts.size());
    Draw draw(key_of(seed_, which, number, 0x519));
    Account a = people_.person(draw.chance(0.6) ? Role::dev : Role::srv, draw.bits(),
                               people_.region_of(draw.unit()));
    const Operator& op = operators_[which];
    a.farm = static_cast<std::uint16_t>(which + 1);
    a.org = people_.new_org();
    a.created_s = created_s;
    a.replaces = replaces;
    a.proxied = true;
    if (!level_.client.empty()) {
        a.client = a.client2 = op.client;
        a.build = a.build2 = op.build;
        a.kernel = a.kernel2 =
            catalog_.kernel_of(level_.kind == "sticky" ? Role::dev : Role::srv, draw.unit());
    }
    const double release = p_.models.release_day * kDay;
    a.model_from_s = draw.chance(p_.farm.pivot) ? release + draw.between(0, kDay) : a.model_from_s;
    if (draw.chance(level_.aged)) a.created_s = -kDay * draw.between(200, 900);  // bought
    a.v6 = draw.chance(0.15);
    people_.accounts.push_back(a);
    return number;
}

void Operators::sign_up_all(std::size_t which) {
    const std::size_t count = count_of(which);
    Draw draw(key_of(seed_, which, 0xba7c));
    const auto batch = static_cast<std::size_t>(
        std::max(5.0, static_cast<double>(p_.farm.batch) * std::sqrt(p_.scale())));
    double batch_at = 0;
    std::size_t in_batch = 0;
    for (std::size_t i = 0; i < count; ++i) {
        double created = 0;
        if (draw.chance(level_.batched)) {
            if (in_batch == 0) batch_at = -draw.between(1, p_.farm.batch_days) * kDay;
            created = batch_at + draw.between(0, p_.farm.batch_hours * kHour);
            in_batch = (in_batch + 1) % batch;
        } else {
            created =
                -draw.between(0.5, level_.batched > 0 ? p_.farm.batch_days : p_.farm.slow_days) *
                kDay;
        }
        operators_[which].members.push_back(sign_up(which, created, kNone));
    }
}

void Operators::close_and_replace(std::size_t which) {
    if (level_.closed <= 0) return;
    Operator& op = operators_[which];
    const double end = p_.world.days * kDay, period = p_.farm.closing_hours * kHour;
    std::size_t round = 0;
    for (double at = period; at < end; at += period, ++round) {
        const std::size_t live = op.members.size();
        for (std::size_t i = 0; i < live; ++i) {
            const std::uint32_t number = op.members[i];
            Draw draw(key_of(people_.accounts[number].key, round, 0xc105e));
            if (people_.accounts[number].closed_s != kNever ||
                people_.accounts[number].created_s > at || !draw.chance(level_.closed))
                continue;
            people_.accounts[number].closed_s = at + draw.between(0, 6) * kHour;
            const double created =
                people_.accounts[number].closed_s + draw.between(0.5, 23) * kHour;
            if (created < end) op.members.push_back(sign_up(which, created, number));
        }
    }
}

void Operators::enlist() {
    first_farm_ = static_cast<std::uint32_t>(people_.accounts.size());
    const bool own = level_.kind == "static" || level_.kind == "dispersed";
    for (std::size_t i = 0; i < operators_.size(); ++i) {
        if (level_.kind == "hosts" || level_.kind == "datacentre") rent_hosts(i);
        sign_up_all(i);
        close_and_replace(i);
        double sum = 0;
        for (const std::uint32_t member : operators_[i].members) {
            if (own) rent_own(member, i);
            operators_[i].weights.push_back(
                sum +=
                Draw(key_of(people_.accounts[member].key, 0x3e1)).log_normal(1, p_.farm.spread));
        }
    }
}

bool Operators::shares_tickets(const Account& account) const {
    return account.farm != 0 && unit_of(key_of(account.key, 0x71c)) < level_.tickets;
}

SiteId Operators::exit_of(std::uint32_t number, double t_s, std::uint64_t connection) const {
    const Account& a = people_.accounts[number];
    if (a.farm != 0 && number - first_farm_ < own_exits_.size() &&
        !own_exits_[number - first_farm_].empty()) {
        const std::vector<SiteId>& exits = own_exits_[number - first_farm_];
        std::size_t moves = 0;
        const double periods = (t_s - std::max(0.0, a.created_s)) / (p_.farm.closing_hours * kHour);
        for (double k = 1; k <= periods; ++k)
            moves += unit_of(key_of(a.key, static_cast<std::uint64_t>(k), 0x303e)) < level_.moved;
        return exits[std::min(moves, exits.size() - 1)];
    }
    const std::vector<SiteId>& from = a.farm != 0 && !operators_[a.farm - 1u].hosts.empty()
                                          ? operators_[a.farm - 1u].hosts
                                          : pool_;
    const double low = a.farm != 0 ? static_cast<double>(level_.exits_seen.front()) : 3;
    const double high = a.farm != 0 ? static_cast<double>(level_.exits_seen.back()) : 10;
    const auto seen =
        static_cast<std::uint64_t>(std::lround(low + (high - low) * unit_of(key_of(a.key, 0x5ee))));
    const double rotate = a.farm != 0 ? static_cast<double>(level_.rotate_s) : 3600;
    const std::uint64_t turn = rotate <= 0 ? connection : static_cast<std::uint64_t>(t_s / rotate);
    const std::uint64_t slot = key_of(a.key, turn, 0x107) % std::max<std::uint64_t>(1, seen);
    std::uint64_t moved = 0;
    if (a.farm != 0 && level_.moved > 0) {
        for (double k = 1; k <= t_s / (p_.farm.closing_hours * kHour); ++k)
            if (unit_of(key_of(a.key, slot, static_cast<std::uint64_t>(k), 0x303e)) < level_.moved)
                moved = static_cast<std::uint64_t>(k);
    }
    return from[key_of(a.key, slot, moved, 0xe817) % from.size()];
}

}  // namespace seine::world
