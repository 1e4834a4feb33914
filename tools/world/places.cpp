#include "tools/world/places.h"

#include <algorithm>
#include <cmath>

namespace seine::world {
namespace {

constexpr std::uint32_t kBlockAddresses = 4096;  // of a /20
constexpr double kDaySeconds = 86400;

void store_be32(std::uint8_t* to, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) to[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}
void store_be64(std::uint8_t* to, std::uint64_t value) {
    store_be32(to, static_cast<std::uint32_t>(value >> 32));
    store_be32(to + 4, static_cast<std::uint32_t>(value));
}

// A permutation of 20-bit numbers in four Feistel rounds.
std::uint32_t shuffled_block(std::uint32_t n, std::uint64_t seed) {
    std::uint32_t left = n >> 10, right = n & 1023;
    for (std::uint64_t round = 0; round < 4; ++round) {
        const auto mixed = static_cast<std::uint32_t>(key_of(seed, right, round)) & 1023;
        const std::uint32_t next = left ^ mixed;
        left = right;
        right = next;
    }
    return left << 10 | right;
}

// /20s with addresses that are not for the public Internet (RFC 6890), and the edge's own.
bool reserved(std::uint32_t block) {
    const std::uint32_t a = block >> 12, b = block >> 4 & 255;
    if (a == 0 || a == 10 || a == 127 || a >= 224) return true;
    if ((a == 100 && b >= 64 && b < 128) || (a == 169 && b == 254) ||
        (a == 172 && b >= 16 && b < 32))
        return true;
    return (a == 192 && (b == 0 || b == 88 || b == 168)) ||
           (a == 198 && (b == 18 || b == 19 || b == 51)) || (a == 203 && b == 0);
}

}  // namespace

Places::Places(const Parameters& parameters, std::uint64_t seed)
    : parameters_(parameters), seed_(key_of(seed, 0x91ace)) {
    std::uint32_t asn = 4'200'000'000u + static_cast<std::uint32_t>(seed_ % 40'000'000);
    for (std::size_t kind = 0; kind < kClasses; ++kind) {
        by_class_[kind].resize(parameters.regions.size());
        for (std::size_t region = 0; region < parameters.regions.size(); ++region) {
            for (std::int64_t i = 0; i < parameters.classes[kind].networks_per_region; ++i) {
                Network network;
                network.kind = static_cast<Class>(kind);
                network.region = static_cast<std::uint8_t>(region);
                network.asn = asn += 1 + static_cast<std::uint32_t>(key_of(seed_, asn) % 997);
                network.splits_tcp =
                    network.kind == Class::mobile &&
                    unit_of(key_of(seed_, asn, 1)) < parameters.mobile.split_carriers;
                by_class_[kind][region].push_back(static_cast<NetworkId>(networks_.size()));
                networks_.push_back(std::move(network));
            }
        }
    }
}

NetworkId Places::network(Class kind, std::size_t region, std::uint64_t key) const {
    const std::vector<NetworkId>& list = by_class_[static_cast<std::size_t>(kind)][region];
    // The first networks of a region are its large ones.
    const double u = unit_of(key_of(seed_, key, 0x4e7));
    return list[static_cast<std::size_t>(u * std::sqrt(u) * static_cast<double>(list.size()))];
}

std::uint32_t Places::next_block() {
    for (;;) {
        const std::uint32_t block = shuffled_block(block_counter_++ & 0xfffff, seed_);
        if (!reserved(block)) return block;
    }
}

std::uint32_t Places::take(NetworkId id, std::uint32_t count, std::uint32_t gap) {
    Network& network = networks_[id];
    std::uint32_t first = network.used + gap;
    // Behind each other means inside one block.
    if (first / kBlockAddresses != (first + count - 1) / kBlockAddresses)
        first = (first / kBlockAddresses + 1) * kBlockAddresses;
    if (first % 256 == 0) ++first;  // no network addresses
    while (network.blocks.size() * kBlockAddresses < std::size_t{first} + count)
        network.blocks.push_back(next_block());
    network.used = first + count;
    return first;
}

void Places::place(Site& site, std::uint64_t key) const {
    const Network& network = networks_[site.network];
    const Region& region = parameters_.regions[network.region];
    const ClassParameters& of = parameters_.classes[static_cast<std::size_t>(network.kind)];
    Draw area(
        key_of(seed_, site.network, site.first >> 8, 0xa4ea));  // all of a /24 is in one place
    site.lat = static_cast<float>(
        std::clamp(region.lat + parameters_.round_trip.spread_deg * area.normal(), -65.0, 70.0));
    site.lon = static_cast<float>(region.lon + parameters_.round_trip.spread_deg * area.normal());
    Draw line(key_of(seed_, key, 0x11e));
    site.access_ms = static_cast<float>(line.log_normal(of.access_ms, of.access_sigma));
    const double u = line.unit();
    site.renumbered =
        u < parameters_.prefixes.renumbered_daily                                            ? 1
        : u < parameters_.prefixes.renumbered_daily + parameters_.prefixes.renumbered_weekly ? 2
                                                                                             : 0;
}

SiteId Places::add(NetworkId network, std::uint16_t addresses, std::uint32_t gap,
                   std::uint64_t key) {
    Site site;
    site.network = network;
    site.addresses = std::max<std::uint16_t>(1, addresses);
    site.first = take(network, site.addresses, gap);
    place(site, key);
    sites_.push_back(site);
    return static_cast<SiteId>(sites_.size() - 1);
}

model::Address Places::address(const Site& site, std::uint64_t user, double t_s,
                               std::uint64_t connection, bool v6) const {
    const Network& network = networks_[site.network];
    std::uint64_t number = site.first;
    if (site.addresses > 1) {
        // Of the pool a user sees some; which one now follows from the period, or from the
        // connection.
        const std::uint64_t period =
            site.sticky_s == 0 ? connection : static_cast<std::uint64_t>(t_s / site.sticky_s);
        const std::uint64_t which =
            key_of(seed_, user, period, 0x5a) % std::max<std::uint64_t>(1, site.per_user);
        number += key_of(seed_, user, which, 0x900) % site.addresses;
    } else if (site.renumbered != 0 && !v6) {
        const double period = site.renumbered == 1 ? 1 : 7;
        const double phase = unit_of(key_of(seed_, site.first, site.network, 0x9a5e)) * period;
        const auto epoch = static_cast<std::uint64_t>(t_s / kDaySeconds / period + phase);
        const std::uint64_t block = site.first / kBlockAddresses;
        number = block * kBlockAddresses + 1 +
                 key_of(seed_, site.first, site.network, epoch) % (kBlockAddresses - 2);
    }
    model::Address out{};
    if (!v6) {
        const std::uint32_t ip = network.blocks[number / kBlockAddresses] << 12 |
                                 static_cast<std::uint32_t>(number % kBlockAddresses);
        out[10] = out[11] = 0xff;
        store_be32(out.data() + 12, ip);
        return out;
    }
    // 3fff::/20 is for documentation (RFC 9637): 20 bits of network, a /56 a line, and a host part
    // that privacy extensions change every day (RFC 8981).
    const bool own_line = site.addresses == 1 ||
                          (network.kind != Class::residential && network.kind != Class::mobile);
    const std::uint64_t line =
        own_line ? number & 0x7ffff : 0x80000 | (key_of(seed_, user, site.network) & 0x7ffff);
    const std::uint64_t day = static_cast<std::uint64_t>(t_s / kDaySeconds);
    const std::uint64_t high =
        std::uint64_t{0x3fff} << 48 | std::uint64_t{site.network} << 28 | line << 8 | (user & 1);
    const std::uint64_t low = key_of(seed_, user, site.network, day) & ~(std::uint64_t{1} << 57);
    store_be64(out.data(), high);
    store_be64(out.data() + 8, low);
    return out;
}

double Places::between_ms(double lat_a, double lon_a, double lat_b, double lon_b) const {
    constexpr double kRadians = 3.14159265358979 / 180, kEarthKm = 6371;
    const double dlat = (lat_b - lat_a) * kRadians, dlon = (lon_b - lon_a) * kRadians;
    const double h = std::pow(std::sin(dlat / 2), 2) + std::cos(lat_a * kRadians) *
                                                           std::cos(lat_b * kRadians) *
                                                           std::pow(std::sin(dlon / 2), 2);
    const double km = 2 * kEarthKm * std::asin(std::min(1.0, std::sqrt(h)));
    return parameters_.round_trip.floor_ms + km * parameters_.round_trip.ms_per_km;
}

double Places::path_ms(double lat, double lon) const {
    return between_ms(lat, lon, parameters_.edge.lat, parameters_.edge.lon);
}

double Places::edge_ms(const Site& site) const {
    Draw detour(key_of(seed_, site.network, site.first >> 8, 0xde));
    return path_ms(site.lat, site.lon) * detour.log_normal(1, parameters_.round_trip.detour_sigma);
}

std::vector<Places::Prefix> Places::prefixes() const {
    std::vector<Prefix> out;
    for (std::size_t n = 0; n < networks_.size(); ++n) {
        if (networks_[n].blocks.empty()) continue;
        for (const std::uint32_t block : networks_[n].blocks) {
            Prefix prefix;
            prefix.address[10] = prefix.address[11] = 0xff;
            store_be32(prefix.address.data() + 12, block << 12);
            prefix.bits = 20;
            prefix.network = static_cast<NetworkId>(n);
            out.push_back(prefix);
        }
        Prefix prefix;
        store_be64(prefix.address.data(), std::uint64_t{0x3fff} << 48 | std::uint64_t{n} << 28);
        prefix.bits = 36;
        prefix.v6 = true;
        prefix.network = static_cast<NetworkId>(n);
        out.push_back(prefix);
    }
    std::sort(out.begin(), out.end(),
              [](const Prefix& a, const Prefix& b) { return a.address < b.address; });
    return out;
}

}  // namespace seine::world
