// Flows and records by a few words, and a sink that keeps what the join hands out.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "control/account/join.h"

namespace seine::account {

inline constexpr Nanos kStart{1'700'000'000 * kSecond};
inline Nanos after_ms(std::int64_t ms) { return kStart + ms * kMillisecond; }

inline model::Address v4(std::uint32_t number) {
    model::Address address{};
    address[10] = address[11] = 0xff;
    for (unsigned i = 0; i < 4; ++i)
        address[12 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
    return address;
}
inline std::array<std::uint8_t, 16> tag_of(std::uint32_t account) {
    std::array<std::uint8_t, 16> tag{};
    tag[0] = 0xa0;
    for (unsigned i = 0; i < 4; ++i)
        tag[4 + i] = static_cast<std::uint8_t>(account >> (24 - 8 * i));
    return tag;
}

struct Kept final : JoinSink {
    void sighting(const model::Sighting& sighting) override { sightings.push_back(sighting); }
    void account_event(const model::AccountEvent& event) override { events.push_back(event); }
    [[nodiscard]] std::uint64_t requests() const {
        std::uint64_t sum = 0;
        for (const auto& sighting : sightings)
            for (const auto& use : sighting.uses) sum += use.requests;
        return sum;
    }
    std::vector<model::Sighting> sightings;
    std::vector<model::AccountEvent> events;
};

// A join with its sink and calls in milliseconds after kStart.
class Scene {
  public:
    explicit Scene(JoinConfig config = small()) {
        auto made = Join::make(config, kept);
        SEINE_CHECK(made.has_value());
        join = std::move(*made);
    }
    static JoinConfig small() {
        JoinConfig config;
        config.connections_max = 1000;
        config.pending_bytes_max = std::size_t{1} << 20;
        return config;
    }
    static model::Flow flow(std::uint64_t number, std::uint32_t client, std::uint16_t port,
                            std::int64_t open_ms) {
        model::Flow flow;
        flow.id = {1, 7, number};
        flow.tuple = {v4(client), v4(0x0a000001), port, 443, contract::Proto::tcp};
        flow.t_open = after_ms(open_ms);
        flow.t_close = flow.t_open;
        flow.ja4 = 11;
        return flow;
    }
    static SourceRecord said(std::uint32_t account, std::uint32_t client, std::uint16_t port,
                             std::int64_t at_ms, std::uint32_t seq) {
        SourceRecord said;
        said.record.gateway_id = 5;
        said.record.boot_epoch = 3;
        said.record.seq = seq;
        said.record.t_req_us = static_cast<std::uint64_t>(after_ms(at_ms).micros());
        said.record.client_ip = v4(client);
        said.record.client_port = port;
        said.record.proto = 6;
        said.record.account_tag = tag_of(account);
        said.record.status_class = 2;
        return said;
    }
    void open(const model::Flow& flow, std::int64_t now_ms) {
        join->flow({FlowEvent::Kind::open, &flow, {}, 0, 0}, after_ms(now_ms));
    }
    void update(const model::Flow& flow, std::int64_t now_ms) {
        join->flow({FlowEvent::Kind::update, &flow, {}, 0, 0}, after_ms(now_ms));
    }
    void close(model::Flow flow, std::int64_t at_ms) {
        flow.t_close = after_ms(at_ms);
        flow.closed = true;
        join->flow({FlowEvent::Kind::close, &flow, {}, 0, 0}, after_ms(at_ms));
    }
    void drained(std::int64_t until_ms) {
        join->flows_complete(1, after_ms(until_ms), after_ms(until_ms));
    }
    void say(const SourceRecord& record, std::int64_t now_ms) {
        join->record(record, after_ms(now_ms));
    }
    void tick(std::int64_t now_ms) { join->tick(after_ms(now_ms)); }
    [[nodiscard]] const JoinCounters& counted() const { return join->counters(); }
    // Every record taken is in exactly one outcome, or waits.
    [[nodiscard]] bool adds_up() const {
        const JoinCounters& c = counted();
        return c.records == c.records_joined + c.records_told + c.records_duplicate +
                                c.records_too_old + c.records_unmatched + c.records_off_time +
                                c.records_ambiguous + c.records_evicted + c.records_refused +
                                join->state().pending;
    }

    Kept kept;
    std::unique_ptr<Join> join;
};

}  // namespace seine::account
