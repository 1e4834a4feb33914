#include "tools/world/schedule.h"

#include <algorithm>
#include <cmath>

namespace seine::world {
namespace {

constexpr double kConnectionsPerDayMax = 4000;

std::int64_t nanos(double t_s) { return static_cast<std::int64_t>(t_s * 1e9); }

}  // namespace

Schedule::Schedule(const Parameters& parameters, const People& people, const Operators& operators,
                   std::uint64_t seed)
    : p_(parameters),
      people_(people),
      operators_(operators),
      seed_(key_of(seed, 0x5c4ed)),
      window_s_(parameters.world.days * kDay),
      apps_(zipf(static_cast<std::size_t>(parameters.apps.count), parameters.apps.zipf)) {
    std::vector<double> nightly(24, 0.0);
    nightly[1] = nightly[2] = nightly[3] = 1;
    for (const std::vector<double>& shape :
         {p_.days.office, p_.days.evening, p_.days.broad, std::vector<double>(24, 1.0), nightly})
        shapes_.emplace_back(shape);
    std::vector<double> shares;
    for (const Region& r : p_.regions) shares.push_back(r.share);
    regions_ = Weights(shares);
}

double Schedule::hour_of(Shape shape, Draw& draw) const {
    return static_cast<double>(shapes_[static_cast<std::size_t>(shape)].pick(draw.unit())) +
           draw.unit();
}

void Schedule::sessions(std::uint32_t number, std::size_t day, double exchanges, Draw& draw,
                        std::vector<Event>& out) const {
    const Account& a = people_.accounts[number];
    const double mean = std::max(1.0, exchanges / a.per_connection);
    std::uint64_t left =
        std::max<std::uint64_t>(1, draw.poisson(std::min(mean, kConnectionsPerDayMax)));
    const double tz = static_cast<double>(p_.regions[a.region].tz);
    while (left > 0) {
        const std::uint64_t count = std::min(left, draw.geometric(p_.days.session_connections));
        left -= count;
        double t = static_cast<double>(day) * kDay + (hour_of(a.shape, draw) - tz) * kHour;
        if (t < static_cast<double>(day) * kDay) t += kDay;
        if (t >= static_cast<double>(day + 1) * kDay) t -= kDay;
        Event event;
        event.account = number;
        event.conversation = static_cast<std::uint32_t>(draw.bits());
        event.second_site = a.site2 != kNone && draw.chance(a.second_use);
        event.app = draw.chance(0.8) ? a.app : a.app2;
        for (std::uint64_t i = 0; i < count; ++i) {
            event.exchanges = static_cast<std::uint16_t>(
                std::min<std::uint64_t>(600, draw.geometric(a.per_connection)));
            event.t_ns = nanos(t);
            event.limited = draw.chance(p_.apps.limited);
            if (t >= std::max(0.0, a.created_s) && t < std::min(window_s_, a.closed_s))
                out.push_back(event);
            event.steps = static_cast<std::uint16_t>(std::min(400, event.steps + event.exchanges));
            t += 0.4 + draw.exponential(a.server ? 8.0 : p_.days.session_gap_s);
        }
    }
}

void Schedule::people_day(std::size_t day, std::size_t first, std::size_t last,
                          std::vector<Event>& out) const {
    const double begin = static_cast<double>(day) * kDay;
    // 1 January 1970 was a Thursday.
    const bool weekend =
        (static_cast<std::size_t>(p_.world.start_epoch_s / 86400) + day + 3) % 7 >= 5;
    for (std::size_t i = first; i < last; ++i) {
        const Account& a = people_.accounts[i];
        if (a.farm != 0 || a.created_s >= begin + kDay || a.closed_s <= begin) continue;
        Draw draw(key_of(a.key, day, 0xda7));
        double active = a.active;
        if (weekend && a.shape == Shape::office) active *= p_.days.weekend_office;
        const bool first_day = a.created_s >= begin;
        const bool spike = a.spike_s >= begin && a.spike_s < begin + kDay;
        if (!first_day && !spike && !draw.chance(active)) continue;
        double exchanges = a.per_day / a.active * draw.log_normal(0.8, 0.6);
        if (spike) exchanges *= 1 + p_.people.failover_factor / 4;
        sessions(static_cast<std::uint32_t>(i), day, exchanges, draw, out);
    }
}

std::uint32_t Schedule::member_at(const Operator& op, double t_s, Draw& draw) const {
    for (int attempt = 0; attempt < 12; ++attempt) {
        const double at = draw.unit() * op.weights.back();
        const auto found = static_cast<std::size_t>(
            std::upper_bound(op.weights.begin(), op.weights.end(), at) - op.weights.begin());
        const std::uint32_t number = op.members[std::min(found, op.members.size() - 1)];
        const Account& a = people_.accounts[number];
        if (a.created_s <= t_s && t_s < a.closed_s) return number;
    }
    return kNone;
}

void Schedule::conversation(std::size_t which, std::uint64_t key, const Talk& talk,
                            std::vector<Event>& out) const {
    const Operator& op = operators_.all()[which];
    const LevelParameters& level = operators_.level();
    Draw draw(key_of(key, 0xc0));
    std::uint32_t member = member_at(op, talk.t_s, draw);
    std::uint64_t left =
        std::min<std::uint64_t>(300, draw.geometric(p_.farm.conversation_exchanges));
    Event event;
    event.conversation = talk.conversation;
    event.app = talk.app;
    double t = talk.t_s;
    while (left > 0 && member != kNone && t < window_s_) {
        const std::uint64_t n = std::min(left, draw.geometric(level.exchanges_per_connection));
        event.account = member;
        event.t_ns = nanos(t);
        event.exchanges = static_cast<std::uint16_t>(n);
        event.limited = draw.chance(level.limited);
        if (event.limited) event.exchanges = 1;
        if (t < people_.accounts[member].closed_s) out.push_back(event);
        if (event.limited && draw.chance(p_.farm.twins)) {
            // The relay gives the same request to another account at once, and stays there.
            const std::uint32_t other = member_at(op, t, draw);
            const double gap_ms = draw.between(static_cast<double>(p_.farm.twin_ms.front()),
                                               static_cast<double>(p_.farm.twin_ms.back()));
            if (other != kNone && other != member) {
                member = other;
                t += 0.35 + gap_ms / 1000;
                continue;
            }
        }
        left -= event.limited ? std::min<std::uint64_t>(1, left) : n;
        event.steps = static_cast<std::uint16_t>(std::min<std::uint64_t>(400, event.steps + n));
        t += 3 + draw.exponential(25) + static_cast<double>(n) * 4;
        if (draw.chance(p_.farm.continuity)) {
            const std::uint32_t other = member_at(op, t, draw);
            if (other != kNone) member = other;
        }
    }
}

void Schedule::operator_day(std::size_t day, std::size_t which, std::vector<Event>& out) const {
    const Operator& op = operators_.all()[which];
    if (op.members.empty()) return;
    const LevelParameters& level = operators_.level();
    Draw draw(key_of(seed_, day, which, 0x0da));
    const double share = std::min(1.0, p_.world.days - static_cast<double>(day));
    const double mean = op.exchanges_per_day * share / p_.farm.conversation_exchanges;
    const std::uint64_t talks = draw.poisson(mean);
    for (std::uint64_t i = 0; i < talks; ++i) {
        Draw own(key_of(seed_, key_of(day, which), i, 0x7a1));
        const bool customer = own.chance(level.customers);
        double t = static_cast<double>(day) * kDay + own.unit() * kDay * share;
        if (own.chance(level.human)) {
            const double tz = static_cast<double>(p_.regions[regions_.pick(own.unit())].tz);
            double hour = hour_of(own.chance(0.6) ? Shape::office : Shape::evening, own) - tz;
            hour += hour < 0 ? 24 : hour >= 24 ? -24 : 0;
            t = static_cast<double>(day) * kDay + hour * kHour;
        }
        Talk talk{t, static_cast<std::uint32_t>(own.bits()), 0};
        talk.app = customer ? static_cast<std::uint16_t>(
                                  own.chance(p_.apps.generic) ? 0 : apps_.pick(own.unit()))
                            : static_cast<std::uint16_t>(
                                  op.first_task + own.below(static_cast<std::uint64_t>(
                                                      std::max<std::int64_t>(1, p_.farm.tasks))));
        conversation(which, own.bits(), talk, out);
    }
}

}  // namespace seine::world
