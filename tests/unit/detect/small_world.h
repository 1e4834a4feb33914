// A small town of accounts for detection tests: people at home, and whatever a test adds to them.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "control/detect/engine.h"

namespace seine::detect::test {

constexpr std::int64_t kStart = 1'772'409'600ll * kSecond;  // a Monday
constexpr std::int64_t kHourNs = 3'600 * kSecond;
constexpr std::int64_t kDayNs = 24 * kHourNs;

inline std::uint64_t mixed(std::uint64_t a, std::uint64_t b = 0) {
    return mix64(a * 0x9e3779b97f4a7c15u + 0x1234567, b * 2 + 0xd6e8feb86659fd93u);
}

template <typename Tag>
Tag tag_of(std::uint64_t n) {
    Tag tag;
    for (std::size_t i = 0; i < 16; ++i) {
        tag.bytes[i] = static_cast<std::uint8_t>(mixed(n, i / 8 + 1) >> (8 * (i % 8)));
    }
    return tag;
}

inline model::Address ipv4(std::uint32_t value) {
    model::Address a{};
    a[10] = a[11] = 0xff;
    for (std::size_t i = 0; i < 4; ++i)
        a[12 + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
    return a;
}

// What one connection shows; a test fills what it is about.
struct Visit {
    std::uint64_t account = 0;
    std::uint64_t org = 0;  // 0: the account's own
    std::int64_t at = kStart;
    std::uint32_t address = 0;
    std::uint64_t stack = 1;
    std::uint64_t syn = 1;
    std::uint32_t rtt_tcp_us = 20'000, rtt_tls_us = 22'000;
    std::uint64_t session = 0;
    std::uint32_t request_bytes = 2000, response_bytes = 5000;
    std::uint32_t first_seen_day = 0;
    std::uint16_t flags = 0;
    std::uint8_t tier = 1;
};

inline model::Sighting sighting(const Visit& v, std::uint64_t flow, bool closed) {
    model::Sighting s;
    s.first = !closed;
    s.flow.id = {1, 1, flow};
    s.flow.tuple.client = ipv4(v.address);
    s.flow.tuple.client_port = static_cast<std::uint16_t>(1024 + flow % 60'000);
    s.flow.t_open = {v.at};
    s.flow.t_close = {v.at + (closed ? 5 * kSecond : 0)};
    s.flow.closed = closed;
    s.flow.ja4 = s.flow.ja4_norm = v.stack;
    s.flow.syn = v.syn;
    s.flow.rtt_known = s.flow.rtt_valid = true;
    s.flow.rtt_tcp_us = v.rtt_tcp_us;
    s.flow.rtt_tls_us = v.rtt_tls_us;
    if (v.session != 0) s.flow.session_presented.push_back(v.session);
    if (closed) s.flow.exchanges.push_back({20, v.request_bytes, v.response_bytes});
    model::AccountUse use;
    use.account = tag_of<model::AccountTag>(v.account);
    use.org = tag_of<model::OrgTag>(v.org != 0 ? v.org : v.account + 1'000'000'000);
    use.t_first = use.t_last = {v.at + 20 * kMillisecond};
    use.requests = closed ? 0 : 1;
    use.first_seen_day = v.first_seen_day;
    use.flags = v.flags;
    use.tier = v.tier;
    s.uses.push_back(use);
    return s;
}

class Town {
  public:
    explicit Town(Options options = {}) {
        options.accounts_max = options.accounts_max > 100'000 ? 100'000 : options.accounts_max;
        options.sessions_max = 20'000;
        options.exits_max = 20'000;
        options.sparse_accounts = 1000;
        auto made = Engine::make(options);
        engine = std::move(made.value());
        engine->set_prefixes(networks());
    }
    static PrefixTable networks() {
        PrefixTable prefixes;
        // 10.0.0.0/8 lives at home, 20.0.0.0/8 is for rent, 30.0.0.0/8 a campus, 40.0.0.0/8
        // servers.
        for (std::uint32_t i = 0; i < 64; ++i) {
            prefixes.add(ipv4(10u << 24 | i << 18), 110, {64'000 + i, NetClass::residential});
            prefixes.add(ipv4(20u << 24 | i << 18), 110, {64'100 + i, NetClass::residential});
        }
        prefixes.add(ipv4(30u << 24), 104, {64'200, NetClass::education});
        prefixes.add(ipv4(40u << 24), 104, {64'300, NetClass::hosting});
        prefixes.add(ipv4(50u << 24), 104, {64'400, NetClass::mobile});
        return prefixes;
    }
    static std::uint32_t today() { return static_cast<std::uint32_t>(kStart / kDayNs); }

    void visit(const Visit& v) { visits.push_back(v); }
    // `n` people with their own lines, stacks of different fame, ages up to four years.
    void people(std::uint64_t first, std::uint64_t n, unsigned connections = 5) {
        for (std::uint64_t a = first; a < first + n; ++a) {
            for (unsigned c = 0; c < connections; ++c) {
                Visit v;
                v.account = a;
                v.at = kStart + static_cast<std::int64_t>(mixed(a, 10 + c) % (6 * kDayNs));
                v.address = 10u << 24 | static_cast<std::uint32_t>(mixed(a, 2) % (1u << 24));
                const std::uint64_t fame = mixed(a, 3) % 100;
                v.stack = 1 + (fame < 30 ? 0 : fame < 50 ? 1 : fame < 65 ? 2 : 3 + fame % 25);
                v.syn = 1 + mixed(a, 4) % 3;
                v.rtt_tcp_us = 10'000 + static_cast<std::uint32_t>(mixed(a, 5) % 90'000);
                v.rtt_tls_us =
                    v.rtt_tcp_us + 1500 + static_cast<std::uint32_t>(mixed(a, 20 + c) % 2000);
                v.request_bytes = 600 + static_cast<std::uint32_t>(mixed(a, 6) % 20'000) +
                                  static_cast<std::uint32_t>(mixed(a, 40 + c) % 300);
                v.first_seen_day = today() - static_cast<std::uint32_t>(mixed(a, 7) % 1400);
                visit(v);
            }
        }
    }
    // Five accounts on one server that hand one TLS session around, and sign up in one week.
    void sharing_farm(std::uint64_t first) {
        for (std::uint64_t a = first; a < first + 5; ++a) {
            for (unsigned c = 0; c < 12; ++c) {
                Visit v;
                v.account = a;
                v.at = kStart + c * 8 * kHourNs + static_cast<std::int64_t>(a - first) * kSecond;
                v.address = 40u << 24 | 77;
                v.stack = 555;
                v.session = 900'000 + c;
                v.first_seen_day = today() - 5;
                visit(v);
            }
        }
    }
    // An operator's accounts: rented exits all over, one relay far behind them, one client.
    void relayed_farm(std::uint64_t first, std::uint64_t n, unsigned connections = 8) {
        for (std::uint64_t a = first; a < first + n; ++a) {
            for (unsigned c = 0; c < connections; ++c) {
                Visit v;
                v.account = a;
                v.at = kStart + static_cast<std::int64_t>(mixed(a, 10 + c) % (6 * kDayNs));
                v.address = 20u << 24 | static_cast<std::uint32_t>(mixed(a, 60 + c) % (1u << 24));
                v.stack = 777;
                v.rtt_tcp_us = 20'000 + static_cast<std::uint32_t>(mixed(a, 70 + c) % 60'000);
                v.rtt_tls_us = v.rtt_tcp_us * 2 + 120'000;
                v.request_bytes = 4000 + static_cast<std::uint32_t>(mixed(a, 40 + c) % 400);
                v.first_seen_day = today() - 10 - static_cast<std::uint32_t>(a % 3);
                visit(v);
            }
        }
    }
    // Everything so far in order of time, with sweeps in between and one at the end.
    void play(unsigned sweeps = 2) {
        struct Step {
            std::int64_t at;
            std::uint64_t flow;
            bool closed;
        };
        std::vector<Step> steps;
        for (std::uint64_t i = 0; i < visits.size(); ++i) {
            steps.push_back({visits[i].at, i, false});
            steps.push_back({visits[i].at + 5 * kSecond, i, true});
        }
        std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) {
            return a.at != b.at       ? a.at < b.at
                   : a.flow != b.flow ? a.flow < b.flow
                                      : a.closed < b.closed;
        });
        std::size_t done = 0;
        for (const Step& step : steps) {
            engine->take(sighting(visits[step.flow], step.flow + 1, step.closed));
            if (++done % (steps.size() / sweeps + 1) == 0) engine->sweep({step.at});
        }
        end = {kStart + 6 * kDayNs + kHourNs};
        engine->sweep(end);
    }
    [[nodiscard]] std::size_t alerted(std::uint64_t first, std::uint64_t n) const {
        std::size_t hits = 0;
        for (std::uint64_t a = first; a < first + n; ++a) {
            hits += engine->result(tag_of<model::AccountTag>(a)).alerted ? 1 : 0;
        }
        return hits;
    }

    std::unique_ptr<Engine> engine;
    std::vector<Visit> visits;
    Nanos end;
};

}  // namespace seine::detect::test
