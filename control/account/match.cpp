#include "control/account/match.h"

#include <algorithm>
#include <cstdlib>

namespace seine::account {
namespace {

bool server_fits(const Connection& connection, const Claim& claim) noexcept {
    // Behind a balancer a gateway sees another server address than the PROXY header names.
    return claim.server == 0 || claim.server == connection.server ||
           connection.has(Connection::kCarried);
}

std::int64_t t_conn(const Claim& claim) noexcept {
    return claim.t_req - std::int64_t{claim.t_conn_before_ms} * kMillisecond;
}

// Narrows connections down as they are looked at: by how far the claim's time lies outside the life
// of each.
class Choice {
  public:
    Choice(const Connections& connections, const Claim& claim, std::int64_t offset_ns,
           const JoinConfig& config) noexcept
        : connections_(connections), claim_(claim), offset_ns_(offset_ns), config_(config) {}

    void look(std::uint32_t number) noexcept {
        const Connection& c = connections_[number];
        if (!server_fits(c, claim_) || number == best_ || number == second_) return;
        ++seen_;
        // The inner leg of a connection whose outer one fits is no other connection.
        if (best_ != 0 && best_outside_ == 0) {
            if (c.has(Connection::kCarried) && !connections_[best_].has(Connection::kCarried))
                return;
            if (!c.has(Connection::kCarried) && connections_[best_].has(Connection::kCarried) &&
                outside_ns(c) == 0 && opened_with(c)) {
                best_ = number;
                return;
            }
        }
        const std::int64_t outside = outside_ns(c);
        if (outside > config_.window_ns || !opened_with(c)) return;
        if (best_ == 0 || outside < best_outside_) {
            second_ = best_;
            second_outside_ = best_outside_;
            best_ = number;
            best_outside_ = outside;
        } else if (second_ == 0 || outside < second_outside_) {
            second_ = number;
            second_outside_ = outside;
        }
    }
    [[nodiscard]] Match answer(bool complete, Match::By by) const noexcept {
        Match match;
        match.by = by;
        match.connection = best_;
        if (!complete) {
            match.kind = Match::Kind::ambiguous;
        } else if (best_ == 0) {
            match.kind = seen_ > 0 ? Match::Kind::off_time : Match::Kind::none;
        } else if (second_ != 0 && second_outside_ < best_outside_ + config_.tight_ns) {
            match.kind = Match::Kind::ambiguous;
        } else {
            match.kind =
                well_inside(connections_[best_]) ? Match::Kind::clear : Match::Kind::barely;
        }
        return match;
    }

  private:
    [[nodiscard]] std::int64_t at() const noexcept { return claim_.t_req - offset_ns_; }
    [[nodiscard]] std::int64_t outside_ns(const Connection& c) const noexcept {
        return std::max({std::int64_t{0}, c.t_open - at(), at() - c.end_ns()});
    }
    // A connection that ends about then may have a successor that nobody has told of yet; it cannot
    // have begun when this one did.
    [[nodiscard]] bool well_inside(const Connection& c) const noexcept {
        if (at() < c.t_open - config_.tight_ns) return false;
        if (at() <= c.end_ns() - config_.tight_ns) return true;
        return claim_.t_conn_before_ms != Claim::kNoConn &&
               std::llabs(t_conn(claim_) - offset_ns_ - c.t_open) <= config_.tight_ns &&
               c.end_ns() - c.t_open >= 2 * config_.tight_ns;
    }
    [[nodiscard]] bool opened_with(const Connection& c) const noexcept {
        if (claim_.t_conn_before_ms == Claim::kNoConn) return true;
        // A gateway counts from its accept, a dataplane from the SYN: the handshake lies between.
        const std::int64_t opened = t_conn(claim_) - offset_ns_;
        return std::llabs(opened - c.t_open) <= config_.window_ns;
    }
    const Connections& connections_;
    const Claim& claim_;
    std::int64_t offset_ns_;
    const JoinConfig& config_;
    unsigned seen_ = 0;
    std::uint32_t best_ = 0;
    std::uint32_t second_ = 0;
    std::int64_t best_outside_ = 0;
    std::int64_t second_outside_ = 0;
};

}  // namespace

Match match_now(const Connections& connections, const Claim& claim, std::int64_t offset_ns,
                const JoinConfig& config) noexcept {
    if (claim.id_key != 0) {
        Choice choice(connections, claim, offset_ns, config);
        const bool complete = connections.each_of_key(
            claim.id_key, [&choice](std::uint32_t number) { choice.look(number); });
        const Match match = choice.answer(complete, Match::By::id);
        if (match.kind != Match::Kind::none) return match;
    }
    if (claim.tuple_key == 0) return {};
    Choice choice(connections, claim, offset_ns, config);
    const bool complete = connections.each_of_tuple(
        claim.tuple_key, [&choice](std::uint32_t number) { choice.look(number); });
    return choice.answer(complete, Match::By::addresses);
}

Match match_last(const Connections& connections, const Claim& claim, std::int64_t offset_ns,
                 const JoinConfig& config) noexcept {
    Match::By by = Match::By::session;
    for (const std::uint64_t key : {claim.session_key, claim.address_key}) {
        if (key != 0) {
            Choice choice(connections, claim, offset_ns, config);
            const bool complete = connections.each_of_key(
                key, [&choice](std::uint32_t number) { choice.look(number); });
            const Match match = choice.answer(complete, by);
            const bool found =
                match.kind == Match::Kind::clear || match.kind == Match::Kind::barely;
            if (found || match.kind == Match::Kind::ambiguous) return match;
        }
        by = Match::By::address_alone;
    }
    return {};
}

std::uint32_t outer_leg(const Connections& connections, std::uint32_t inner,
                        std::int64_t window_ns) noexcept {
    const Connection& leg = connections[inner];
    std::uint32_t found = inner;
    const auto look = [&](std::uint32_t number) {
        const Connection& c = connections[number];
        if (c.has(Connection::kCarried) || c.client != leg.client ||
            c.client_port != leg.client_port)
            return;
        if (c.t_open > leg.t_open + window_ns || c.end_ns() < leg.t_open - window_ns) return;
        if (found == inner || connections[found].t_open < c.t_open) found = number;
    };
    static_cast<void>(connections.each_of_tuple(
        connections.tuple_key(leg.client, leg.client_port, leg.proto), look));
    return found;
}

bool clock_sample(const Connections& connections, const Claim& claim, std::int64_t offset_ns,
                  std::int64_t& difference_ns) noexcept {
    bool found = false;
    const bool conn_known = claim.t_conn_before_ms != Claim::kNoConn;
    const std::int64_t at = conn_known ? t_conn(claim) : claim.t_req;
    const auto look = [&](std::uint32_t number) {
        const Connection& c = connections[number];
        if (!server_fits(c, claim) || (!conn_known && c.use_count > 0)) return;
        const std::int64_t difference = at - c.t_open;
        if (found && std::llabs(difference - offset_ns) >= std::llabs(difference_ns - offset_ns)) {
            return;
        }
        difference_ns = difference;
        found = true;
    };
    const std::uint64_t key = claim.id_key != 0 ? claim.id_key : claim.tuple_key;
    if (key == 0) return false;
    const bool complete = claim.id_key != 0 ? connections.each_of_key(key, look)
                                            : connections.each_of_tuple(key, look);
    return complete && found;
}

}  // namespace seine::account
