#include "tools/world/connection.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace seine::world {
namespace {

std::uint8_t log2_of(std::uint64_t n) {
    std::uint8_t bits = 0;
    while (n > 1) n >>= 1, ++bits;
    return bits;
}

}  // namespace

Connector::Connector(const Parameters& parameters, const Catalog& catalog, const Places& places,
                     const People& people, const Operators& operators, std::uint64_t seed)
    : p_(parameters),
      catalog_(catalog),
      places_(places),
      people_(people),
      operators_(operators),
      seed_(key_of(seed, 0xc022)),
      start_ns_(parameters.world.start_epoch_s * kSecond),
      models_(parameters.models.shares),
      endpoints_(parameters.models.endpoints) {
    for (const auto& [texts, into] :
         {std::pair(&p_.edge.vips_v4, &vips_v4_), std::pair(&p_.edge.vips_v6, &vips_v6_)}) {
        for (const std::string& text : *texts) {
            model::Address address{};
            if (model::from_text(text, address)) into->push_back(address);
        }
        if (into->empty()) into->push_back(model::Address{});
    }
    for (std::size_t c = 0; c < kClasses; ++c) {
        std::vector<double> shares;
        for (std::size_t i = 1; i < p_.classes[c].mss.size(); i += 2)
            shares.push_back(p_.classes[c].mss[i]);
        mss_[c] = Weights(shares);
    }
}

std::array<std::uint8_t, 16> Connector::account_tag(std::uint32_t account) const {
    std::array<std::uint8_t, 16> out;
    const std::uint64_t halves[2] = {key_of(seed_, account, 0x7a6), key_of(seed_, account, 0x7a7)};
    std::memcpy(out.data(), halves, 16);
    return out;
}

std::array<std::uint8_t, 16> Connector::org_tag(std::uint32_t org) const {
    std::array<std::uint8_t, 16> out;
    const std::uint64_t halves[2] = {key_of(seed_, org, 0x0a6), key_of(seed_, org, 0x0a7)};
    std::memcpy(out.data(), halves, 16);
    return out;
}

Connector::Route Connector::route_of(const Event& event, const Account& a, double t_s,
                                     std::uint64_t key) const {
    Route r;
    r.user = a.key;
    r.v6 = a.v6;
    r.kernel = event.second_site ? a.kernel2 : a.kernel;
    if (!a.proxied) {
        const Site& site = places_.site(event.second_site ? a.site2 : a.site);
        r.site = &site;
        r.tcp_ms = places_.edge_ms(site) + site.access_ms +
                   (a.leg_ms > 0 && !event.second_site ? a.leg_ms : 0);
        r.tls_ms = r.tcp_ms + (site.split ? site.relay_ms : 0);
        r.relayed_tls = site.split;
        if (site.split || site.inspected)
            r.kernel = catalog_.kernel_of(Role::box,
                                          unit_of(key_of(seed_, site.first, site.network, 0xb0)));
        r.v6 = a.v6 && (site.addresses == 1 || !site.split);
        return r;
    }
    const SiteId exit = operators_.exit_of(event.account, t_s, key);
    const Site& site = places_.site(exit);
    r.site = &site;
    r.user = exit;  // an exit is one device on its line, whoever rents it
    const bool hosts = places_.network_of(site).kind == Class::hosting;
    const LevelParameters& level = operators_.level();
    const bool gap = a.farm == 0 || unit_of(key_of(key, 0x6a9)) < level.gap;
    r.tcp_ms = places_.edge_ms(site) + site.access_ms;
    r.tls_ms = r.tcp_ms;
    if (gap) {
        double lat = p_.regions[a.region].lat, lon = p_.regions[a.region].lon;
        if (a.farm != 0)
            lat = operators_.all()[a.farm - 1u].lat, lon = operators_.all()[a.farm - 1u].lon;
        r.tls_ms += places_.between_ms(site.lat, site.lon, lat, lon) + p_.round_trip.relay_ms +
                    (a.farm == 0 ? places_.site(a.site).access_ms : 0);
        if (!hosts) r.tls_ms += site.access_ms, r.second_access = 1;
        r.relayed_tls = true;
    }
    const bool server = hosts || site.access_ms < 1.5f;
    const bool own_client =
        !gap && !hosts && a.farm != 0 && level.gap == 0;  // TLS from the rented device itself
    if (!own_client)
        r.kernel = catalog_.kernel_of(server ? Role::srv : Role::exit,
                                      unit_of(key_of(seed_, exit, 0xe817)));
    r.v6 = a.v6 && unit_of(key_of(seed_, exit, 0x6)) < (hosts ? 0.05 : 0.5);
    return r;
}

Connector::Stack Connector::stack_of(const Event& event, const Account& a, const Route& route,
                                     double t_s) const {
    Stack s;
    const bool second =
        event.second_site
            ? a.client2_at_site2
            : !a.client2_at_site2 && unit_of(key_of(event.conversation, a.key, 0xc2)) < 0.3;
    std::uint16_t client = second ? a.client2 : a.client, number = second ? a.build2 : a.build;
    std::uint64_t who = a.key;
    if (route.site->inspected && !a.proxied) {
        // The box speaks for everybody in the house.
        who = key_of(seed_, route.site->first, route.site->network, 0x1b0);
        client = people_.box_client();
        number = catalog_.build_of(client, unit_of(who));
    }
    s.build = catalog_.build(client, number, who, t_s / kDay);
    s.header_desc =
        catalog_
            .build(second ? a.client2 : a.client, second ? a.build2 : a.build, a.key, t_s / kDay)
            .header_desc;
    s.crypto_ms = Draw(key_of(who, 0xc47))
                      .log_normal(p_.client[client].crypto_ms, p_.round_trip.crypto_sigma);
    s.platform = static_cast<std::uint16_t>((second ? a.client2 : a.client) * 16 +
                                            (event.second_site ? a.kernel2 : a.kernel) + 1);
    if (a.farm != 0) {
        const Operator& op = operators_.all()[a.farm - 1u];
        if (unit_of(key_of(a.key, 0x511)) < operators_.level().own_headers)
            s.header_desc = op.slip_header;
        // One relay ends all TLS: its crypto time is that of one machine.
        if (!operators_.level().client.empty())
            s.crypto_ms = Draw(key_of(op.slip_header, 0xc47)).log_normal(0.9, 0.2);
    }
    const Resume resume = catalog_.resume(client);
    if (operators_.shares_tickets(a)) {
        const auto processes =
            static_cast<std::uint64_t>(std::max<std::int64_t>(1, operators_.level().processes));
        s.process = key_of(operators_.all()[a.farm - 1u].slip_header,
                           key_of(a.key, 0x9c) % processes, 0x9c);
    } else if (a.farm != 0 && !operators_.level().client.empty() &&
               operators_.level().kind != "sticky") {
        s.process = 0;  // an agent object per account, and such relays keep no cache then
    } else if (resume != Resume::none) {
        if (route.site->inspected && !a.proxied)
            s.process = who;
        else if (a.group != kNone && !event.second_site)
            s.process = key_of(seed_, a.group,
                               key_of(a.key, 0x9c) % people_.groups[a.group].processes, 0x9c);
        else
            s.process = key_of(a.key, event.second_site ? 2 : 1, client);
    }
    return s;
}

void Connector::round_trips(const Route& route, const Stack& stack, bool quic, Draw& draw,
                            Flow& flow) const {
    const ClassParameters& of =
        p_.classes[static_cast<std::size_t>(places_.network_of(*route.site).kind)];
    const auto jitter = [&] {
        double ms = draw.exponential(of.jitter_ms);
        if (draw.chance(of.spike_share)) ms += draw.exponential(of.spike_ms);
        return ms;
    };
    const double tcp = route.tcp_ms + jitter();
    double tls = route.tls_ms + jitter() + stack.crypto_ms * draw.between(0.9, 1.5);
    if (route.second_access > 0) tls += route.second_access * jitter();
    if (route.relayed_tls) tls += draw.exponential(1.0);
    flow.rtt_tls_us = static_cast<std::uint32_t>(1000 * tls);
    if (quic) return;
    flow.rtt_tcp_us = static_cast<std::uint32_t>(1000 * tcp);
    flow.retrans = draw.chance(of.loss * 2) ? static_cast<std::uint8_t>(1 + draw.below(2)) : 0;
    const bool retried = draw.chance(of.loss);
    flow.rtt_valid = !retried && !stack.build.retry_request;
    if (retried) {
        flow.rtt_tls_us += 200'000;
        flow.retrans = static_cast<std::uint8_t>(flow.retrans + 1);
    }
}

void Connector::sessions(const Stack& stack, double t_s, Draw& draw, Flow& flow,
                         bool& resumed) const {
    resumed = false;
    if (stack.process == 0) return;
    const auto lifetime = static_cast<double>(p_.sessions.lifetime_s);
    const double phase = unit_of(key_of(stack.process, 0x9a)) * lifetime;
    const auto period = static_cast<std::uint64_t>((t_s + phase) / lifetime);
    // A process that has just started has nothing to show.
    const double life = p_.sessions.restart_hours * 3600;
    const double age = std::fmod(t_s + unit_of(key_of(stack.process, 0x51)) * life, life);
    resumed = draw.chance(p_.sessions.presented) && age > 120;
    if (stack.build.tls12) {
        // A ticket is kept for its lifetime and shown on every connection; new ones go out in
        // clear.
        const std::uint64_t ticket = key_of(stack.process, period, 0x712) | 1;
        if (resumed)
            flow.presented = ticket;
        else
            flow.issued = ticket;
        return;
    }
    if (!resumed) return;
    const Resume kind = catalog_.resume(stack.build.client);
    const double wave_s = static_cast<double>(p_.sessions.wave_ms) / 1000;
    const auto wave =
        static_cast<std::uint64_t>(t_s / wave_s + unit_of(key_of(stack.process, 0x3a)));
    const std::uint64_t own = kind == Resume::single ? draw.bits() : 0;
    flow.presented = key_of(stack.process, wave, own, 0x713) | 1;
}

std::uint32_t Connector::request_bytes(const Event& event, std::size_t k,
                                       std::uint64_t account) const {
    const bool task = event.app >= p_.apps.count;
    Draw app(key_of(seed_, event.app, 0xa99));
    const double fixed = app.log_normal(p_.apps.request_median, p_.apps.request_sigma);
    const double spread = task ? 0.08 : app.between(p_.apps.spread_min, p_.apps.spread_max);
    const bool agentic = app.chance(p_.apps.agentic) || event.app == 0;
    const double turn = app.log_normal(900, 0.7);
    Draw talk(key_of(event.conversation, 0x7a1));
    double bytes = 280 + fixed * talk.log_normal(1, task ? 0.05 : 0.3);
    const std::size_t step = event.steps + k;
    if (agentic) {
        for (std::size_t i = 0; i < std::min<std::size_t>(step, 400); ++i)
            bytes += turn * (0.5 + unit_of(key_of(event.conversation, i, 0x57e)));
    } else {
        bytes += fixed * spread * std::fabs(Draw(key_of(event.conversation, step, 0x57f)).normal());
    }
    const auto slack = static_cast<std::uint64_t>(p_.farm.key_slack) + 1;
    return static_cast<std::uint32_t>(std::min(4e6, bytes)) +
           static_cast<std::uint32_t>(key_of(account, 0x51ac) % slack);
}

void Connector::exchanges(const Event& event, const Account& a, Draw& draw, Flow& flow,
                          Piece& out) const {
    const bool task = event.app >= p_.apps.count;
    Draw app(key_of(seed_, event.app, 0xa9a));
    const double answer = app.log_normal(p_.apps.response_median, p_.apps.response_sigma) *
                          (task ? p_.farm.task_response_factor : 1);
    double at_ms =
        static_cast<double>(flow.rtt_tcp_us + flow.rtt_tls_us) / 1000 + draw.exponential(15);
    flow.exchanges_first = static_cast<std::uint32_t>(out.exchanges.size());
    flow.exchanges = event.exchanges;
    flow.exchanges_listed = static_cast<std::uint16_t>(
        std::min<std::int64_t>(event.exchanges, p_.world.exchanges_listed_max));
    const double think_s = a.farm != 0 ? 1.5 : a.server ? p_.apps.think_server_s : p_.apps.think_s;
    for (std::size_t k = 0; k < event.exchanges; ++k) {
        const bool refused = event.limited && k == 0;
        const double bytes =
            refused ? 260 + draw.between(0, 40) : 180 + draw.log_normal(answer, 0.6);
        if (k < flow.exchanges_listed)
            out.exchanges.push_back({static_cast<std::uint32_t>(at_ms),
                                     request_bytes(event, k, a.key),
                                     static_cast<std::uint32_t>(std::min(8e6, bytes))});
        at_ms += static_cast<double>(flow.rtt_tls_us) / 1000 +
                 (refused ? 30 : 300 + std::min(40'000.0, bytes * 0.9)) +
                 1000 * draw.exponential(think_s);
        if (refused && a.farm == 0 && draw.chance(0.8))
            at_ms += 900;  // and the same account tries again
    }
    flow.t_close_ns = flow.t_open_ns + static_cast<std::int64_t>(at_ms * 1e6) +
                      static_cast<std::int64_t>(draw.exponential(a.server ? 4e9 : 9e9));
}

void Connector::more_accounts(const Event& event, const Account& a, Draw& draw, Flow& flow) const {
    const std::vector<std::uint32_t>* others = nullptr;
    double chance = 0;
    if (a.farm != 0) {
        others = &operators_.all()[a.farm - 1u].members;
        chance = operators_.level().shared_connection;
    } else if (a.group != kNone && !event.second_site) {
        others = &people_.groups[a.group].members;
        chance = people_.groups[a.group].shared_connection;
    }
    if (others == nullptr || chance <= 0 || !draw.chance(chance)) return;
    const double t_s = static_cast<double>(event.t_ns) / 1e9;
    const std::uint64_t more = 1 + draw.below(kAccountsMax - 1);
    for (std::uint64_t i = 0;
         i < more && flow.account_count < std::min<std::size_t>(kAccountsMax, event.exchanges);
         ++i) {
        const std::uint32_t other = (*others)[draw.below(others->size())];
        const Account& b = people_.accounts[other];
        const bool there = std::find(flow.accounts, flow.accounts + flow.account_count, other) !=
                           flow.accounts + flow.account_count;
        if (!there && b.created_s <= t_s && t_s < b.closed_s)
            flow.accounts[flow.account_count++] = other;
    }
}

void Connector::fill_account(std::uint32_t number, double t_s, contract::AccountRecord& r) const {
    const Account& a = people_.accounts[number];
    r.account_tag = account_tag(number);
    r.org_tag = org_tag(a.org);
    r.key_tag = key_of(a.key, t_s >= a.key_rotated_s ? 2 : 1, 0x4e9);
    r.tag_epoch = 1;
    r.tier = a.tier;
    r.trust = a.trust;
    r.first_seen_day = static_cast<std::uint32_t>(
        (static_cast<double>(p_.world.start_epoch_s) + a.created_s) / kDay);
    if (a.declared) r.flags |= contract::AccountFlags::declared_intermediary;
}

void Connector::send(Draft& draft, std::uint32_t gateway, std::int64_t t_ns, Draw& draw) const {
    Draw of(key_of(seed_, gateway, 0x6a7e));
    const double offset_s = of.between(-p_.gateway.offset_s_max, p_.gateway.offset_s_max);
    const double drift = of.between(-p_.gateway.drift_ppm, p_.gateway.drift_ppm) * 1e-6;
    const auto shift =
        static_cast<std::int64_t>(1e9 * offset_s + drift * static_cast<double>(t_ns - start_ns_));
    draft.record.gateway_id = gateway;
    draft.record.t_req_us = static_cast<std::uint64_t>((t_ns + shift) / 1000);
    draft.sent_ns = t_ns;
    draft.delay_ns = static_cast<std::int64_t>(
        1e6 * draw.log_normal(p_.gateway.delay_ms, p_.gateway.delay_sigma));
    draft.lost = draw.chance(p_.gateway.lost);
    draft.doubled = draw.chance(p_.gateway.doubled);
    if (draw.chance(p_.gateway.late))
        draft.delay_ns += static_cast<std::int64_t>(1e9 * draw.between(5, 40));
    if (draft.record.t_conn_us != 0)
        draft.record.t_conn_us = static_cast<std::uint64_t>(
            (static_cast<std::int64_t>(draft.record.t_conn_us) * 1000 + shift) / 1000);
}

void Connector::records(const Event& event, const Stack& stack, bool quic, bool resumed, Draw& draw,
                        const Flow& flow, Piece& out) const {
    const double t_s = static_cast<double>(event.t_ns) / 1e9;
    const std::uint32_t gateway =
        1 + static_cast<std::uint32_t>(
                key_of(seed_, flow.source_port, static_cast<std::uint64_t>(event.t_ns), 0x6a) %
                static_cast<std::uint64_t>(p_.gateway.count));
    using Flags = contract::AccountFlags;
    const bool h2 = p_.client[stack.build.client].alpn == "h2" && !quic;
    for (std::size_t i = 0; i < flow.account_count; ++i) {
        const Account& a = people_.accounts[flow.accounts[i]];
        Draft draft;
        contract::AccountRecord& r = draft.record;
        draft.account = flow.accounts[i];
        fill_account(draft.account, t_s, r);
        r.flags = static_cast<std::uint16_t>(
            r.flags | (model::is_v4(flow.source) ? 0 : Flags::ipv6) |
            (resumed ? Flags::resumed : 0) | (h2 ? Flags::h2 : 0) | (quic ? Flags::h3 : 0));
        r.client_ip = flow.source;
        r.client_port = flow.source_port;
        r.server_ip = flow.target;
        r.server_port = flow.target_port;
        r.proto = flow.proto;
        const model::Exchange& first =
            out.exchanges[flow.exchanges_first +
                          std::min<std::size_t>(i, flow.exchanges_listed - 1u)];
        r.stream_no = h2 || quic ? static_cast<std::uint32_t>(1 + 2 * i) : 0;
        const double model_draw = draw.unit();
        const bool moved = t_s >= a.model_from_s && draw.chance(a.farm != 0 ? 0.9 : 0.65);
        r.model_id = moved ? static_cast<std::uint16_t>(models_.count() + 1)
                     : model_draw < p_.models.own
                         ? a.model
                         : static_cast<std::uint16_t>(1 + models_.pick(draw.unit()));
        r.endpoint_id = static_cast<std::uint16_t>(1 + endpoints_.pick(draw.unit()));
        const bool limited = event.limited && i == 0;
        r.limit_flag = limited ? 1 : 0;
        const double error = draw.unit();
        r.status_class = limited || error < p_.apps.error_4xx            ? 4
                         : error < p_.apps.error_4xx + p_.apps.error_5xx ? 5
                                                                         : 2;
        r.tok_in_b = log2_of(std::max<std::uint64_t>(1, first.request_bytes / 4));
        r.tok_out_b = log2_of(std::max<std::uint64_t>(1, first.response_bytes / 40));
        r.platform_id = stack.platform;
        r.header_desc = stack.header_desc;
        r.session_hint =
            stack.build.tls12 ? (flow.presented != 0 ? flow.presented : flow.issued) : 0;
        if (r.session_hint == 0) r.session_hint = draw.bits();
        r.t_conn_us = static_cast<std::uint64_t>(
            (flow.t_open_ns + std::int64_t{flow.rtt_tcp_us} * 1000) / 1000);
        send(draft, gateway, flow.t_open_ns + std::int64_t{first.start_ms} * 1'000'000 + 2'000'000,
             draw);
        out.drafts.push_back(draft);
    }
}

void Connector::expand(const Event& event, Piece& out) const {
    const Account& a = people_.accounts[event.account];
    const double t_s = static_cast<double>(event.t_ns) / 1e9;
    const std::uint64_t key =
        key_of(a.key, static_cast<std::uint64_t>(event.t_ns), event.conversation);
    Draw draw(key);
    Flow flow;
    flow.t_open_ns = start_ns_ + event.t_ns;
    const Route route = route_of(event, a, t_s, key);
    const Stack stack = stack_of(event, a, route, t_s);
    flow.source = places_.address(*route.site, route.user, t_s, key, route.v6);
    const std::vector<model::Address>& vips = route.v6 ? vips_v6_ : vips_v4_;
    flow.target = vips[draw.below(vips.size())];
    const KernelParameters& kernel = p_.kernels[route.kernel];
    const auto low = static_cast<std::uint64_t>(kernel.ports.front()),
               high = static_cast<std::uint64_t>(kernel.ports.back());
    flow.source_port = static_cast<std::uint16_t>(low + draw.below(high - low + 1));
    const std::uint64_t hops =
        4 + key_of(seed_, route.site->network, route.site->first >> 8, 0x77) % 14;
    flow.ttl = static_cast<std::uint8_t>(static_cast<std::uint64_t>(kernel.ttl) - hops);
    const bool quic = !route.relayed_tls && !stack.build.tls12 && !route.site->inspected &&
                      draw.chance(p_.client[stack.build.client].h3);
    flow.proto = quic ? 17 : 6;
    bool resumed = false;
    sessions(stack, t_s, draw, flow, resumed);
    round_trips(route, stack, quic, draw, flow);
    if (resumed && draw.chance(p_.clients.early_data_share)) flow.rtt_valid = false;
    // An abbreviated TLS 1.2 handshake has no flight to wait for.
    if (stack.build.tls12 && resumed) flow.rtt_valid = false;
    const HelloTexts hello = catalog_.hello(stack.build, quic ? Carrier::quic : Carrier::tcp,
                                            resumed, stack.build.padding && draw.chance(0.4));
    flow.ja4 = hello.ja4;
    flow.ja4_norm = hello.ja4_norm;
    if (!quic) {
        const std::size_t kind = static_cast<std::size_t>(places_.network_of(*route.site).kind);
        const std::size_t which =
            mss_[kind].pick(unit_of(key_of(seed_, route.site->network, route.site->first, 0x355)));
        const auto mss = static_cast<std::uint32_t>(p_.classes[kind].mss[2 * which]);
        flow.syn = catalog_.syn(route.kernel, route.v6 ? mss - 20 : mss);
    }
    exchanges(event, a, draw, flow, out);
    if (!draw.chance(p_.gateway.anonymous) || a.farm != 0)
        flow.accounts[flow.account_count++] = event.account;
    if (flow.account_count > 0) more_accounts(event, a, draw, flow);
    records(event, stack, quic, resumed, draw, flow, out);
    out.flows.push_back(flow);
}

Draft Connector::signup(std::uint32_t account) const {
    Draft draft;
    Draw draw(key_of(people_.accounts[account].key, 0x5169));
    fill_account(account, people_.accounts[account].created_s, draft.record);
    draft.record.flags |= contract::AccountFlags::signup;
    draft.record.type = contract::AccountType::directory;
    draft.account = account;
    draft.signup = true;
    // The account is there before its first request.
    const auto at =
        start_ns_ + static_cast<std::int64_t>(1e9 * people_.accounts[account].created_s);
    send(draft,
         1 + static_cast<std::uint32_t>(draw.below(static_cast<std::uint64_t>(p_.gateway.count))),
         at, draw);
    return draft;
}

Draft Connector::closed(std::uint32_t account) const {
    Draft draft;
    Draw draw(key_of(people_.accounts[account].key, 0xc105));
    fill_account(account, people_.accounts[account].closed_s, draft.record);
    draft.record.type = contract::AccountType::closed;
    draft.account = account;
    const auto at = start_ns_ + static_cast<std::int64_t>(1e9 * people_.accounts[account].closed_s);
    send(draft,
         1 + static_cast<std::uint32_t>(draw.below(static_cast<std::uint64_t>(p_.gateway.count))),
         at, draw);
    return draft;
}

}  // namespace seine::world
