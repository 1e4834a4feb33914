// One connection in full: addresses, hellos, round trips, sessions, exchanges, and what gateways
// say of it.
#pragma once
#include <cstdint>
#include <vector>

#include "control/model/flow.h"
#include "dataplane/contract/account_record.h"
#include "tools/world/schedule.h"

namespace seine::world {

inline constexpr std::size_t kAccountsMax = 4;  // on one connection

struct Flow {
    std::int64_t t_open_ns = 0, t_close_ns = 0;  // since 1970
    model::Address source{}, target{};
    std::uint16_t source_port = 0, target_port = 443;
    std::uint8_t proto = 6, ttl = 64;
    TextId ja4 = 0, ja4_norm = 0, syn = 0;
    std::uint32_t rtt_tcp_us = 0, rtt_tls_us = 0;  // 0: not seen
    bool rtt_valid = false;
    std::uint8_t retrans = 0;
    std::uint64_t presented = 0, issued = 0;  // session ids, 0: none
    std::uint32_t exchanges_first = 0;        // in Piece::exchanges
    std::uint16_t exchanges_listed = 0;
    std::uint16_t exchanges = 0;  // in all
    std::uint8_t account_count = 0;
    std::uint32_t accounts[kAccountsMax]{};
};

// A record before its gateway numbers and sends it.
struct Draft {
    contract::AccountRecord record;
    std::int64_t sent_ns = 0;
    std::uint32_t account = 0;
    bool signup = false;
    bool lost = false, doubled = false;
    std::int64_t delay_ns = 0;
};

// Connections expanded together; flows in the order of their events.
struct Piece {
    std::vector<Flow> flows;
    std::vector<model::Exchange> exchanges;
    std::vector<Draft> drafts;
};

class Connector {
  public:
    Connector(const Parameters& parameters, const Catalog& catalog, const Places& places,
              const People& people, const Operators& operators, std::uint64_t seed);
    void expand(const Event& event, Piece& out) const;
    // What a gateway tells of an account outside connections.
    [[nodiscard]] Draft signup(std::uint32_t account) const;
    [[nodiscard]] Draft closed(std::uint32_t account) const;
    [[nodiscard]] std::array<std::uint8_t, 16> account_tag(std::uint32_t account) const;
    [[nodiscard]] std::array<std::uint8_t, 16> org_tag(std::uint32_t org) const;

  private:
    // Where a connection comes from and what stands between.
    struct Route {
        const Site* site = nullptr;
        std::uint64_t user = 0;  // who the site takes it for
        std::uint16_t kernel = 0;
        double tcp_ms = 0, tls_ms = 0;  // least of each, without jitter
        bool v6 = false;
        bool relayed_tls = false;  // TLS comes from behind a relay
        double second_access = 0;  // times the exit's access line is crossed again
    };
    struct Stack {
        Build build;
        std::uint64_t process = 0;  // whose session cache, 0: keeps none
        std::uint64_t header_desc = 0;
        std::uint16_t platform = 0;
        double crypto_ms = 1;
    };
    [[nodiscard]] Route route_of(const Event& event, const Account& account, double t_s,
                                 std::uint64_t key) const;
    [[nodiscard]] Stack stack_of(const Event& event, const Account& account, const Route& route,
                                 double t_s) const;
    void round_trips(const Route& route, const Stack& stack, bool quic, Draw& draw,
                     Flow& flow) const;
    void sessions(const Stack& stack, double t_s, Draw& draw, Flow& flow, bool& resumed) const;
    void exchanges(const Event& event, const Account& account, Draw& draw, Flow& flow,
                   Piece& out) const;
    void records(const Event& event, const Stack& stack, bool quic, bool resumed, Draw& draw,
                 const Flow& flow, Piece& out) const;
    void more_accounts(const Event& event, const Account& account, Draw& draw, Flow& flow) const;
    void fill_account(std::uint32_t number, double t_s, contract::AccountRecord& record) const;
    void send(Draft& draft, std::uint32_t gateway, std::int64_t t_ns, Draw& draw) const;
    [[nodiscard]] std::uint32_t request_bytes(const Event& event, std::size_t k,
                                              std::uint64_t account) const;

    const Parameters& p_;
    const Catalog& catalog_;
    const Places& places_;
    const People& people_;
    const Operators& operators_;
    std::uint64_t seed_;
    std::int64_t start_ns_;
    std::vector<model::Address> vips_v4_, vips_v6_;
    std::array<Weights, kClasses> mss_;
    Weights models_, endpoints_;
};

}  // namespace seine::world
