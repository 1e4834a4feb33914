// The join at full rate: connections that open, say three times whose they are, and close. The
// generator is apart from what is measured: each simulated second is laid out first, then handed
// over under a CPU clock. usage: account_join_bench [seconds [flows/s [records per flow [mean life,
// s [shuffle ms]]]]]; --figures before them: one line of numbers, for seine-bench.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <span>
#include <vector>

#include "control/account/join.h"

namespace {

using namespace seine;

struct Event {
    std::uint64_t flow;
    std::uint32_t seq;     // of a record
    std::int32_t late_ms;  // of a record: arrival after its time
    std::uint8_t kind;     // 0 open, 1 record, 2 close
};

std::uint64_t mixed(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

// Every connection's facts follow from its number; a port of a client comes again after 40 million.
model::Tuple tuple_of(std::uint64_t flow) {
    model::Tuple tuple;
    const auto client = static_cast<std::uint32_t>(flow % 1'000'003);
    tuple.client[10] = tuple.client[11] = tuple.server[10] = tuple.server[11] = 0xff;
    for (unsigned i = 0; i < 4; ++i)
        tuple.client[12 + i] = static_cast<std::uint8_t>(client >> (8 * i));
    tuple.client_port = static_cast<std::uint16_t>(1024 + flow / 1'000'003 % 40);
    tuple.server[15] = 1;
    tuple.server_port = 443;
    return tuple;
}

struct Check final : account::JoinSink {
    void sighting(const model::Sighting& sighting) override {
        for (const model::AccountUse& use : sighting.uses) {
            wrong += load_le64(use.account.bytes.data()) != sighting.flow.id.counter ? 1 : 0;
            requests += use.requests;
        }
        sightings += 1;
    }
    void account_event(const model::AccountEvent&) override {}
    std::uint64_t wrong = 0;
    std::uint64_t requests = 0;
    std::uint64_t sightings = 0;
};

double cpu_seconds() {
    timespec at{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return static_cast<double>(at.tv_sec) + 1e-9 * static_cast<double>(at.tv_nsec);
}

struct Settings {
    std::int64_t seconds = 20;
    std::uint64_t flows_per_s = 100'000;
    std::uint64_t records_per_flow = 3;
    std::int64_t life_s = 10;
    std::int64_t shuffle_ms = 50;
};

class World {
  public:
    explicit World(const Settings& settings)
        : settings_(settings), calendar_(static_cast<std::size_t>((settings.seconds + 1) * 1000)) {}
    // Adds what a second's new connections will do.
    void open_second(std::int64_t second) {
        for (std::uint64_t i = 0; i < settings_.flows_per_s; ++i) {
            const std::uint64_t flow = ++flows_;
            const std::int64_t open =
                second * 1000 + static_cast<std::int64_t>(i * 1000 / settings_.flows_per_s);
            const std::uint64_t dice = mixed(flow);
            const std::int64_t life =
                200 + static_cast<std::int64_t>(
                          dice % static_cast<std::uint64_t>(2000 * settings_.life_s));
            put(open + 60, {flow, 0, 0, 0});
            for (std::uint64_t r = 0; r < settings_.records_per_flow; ++r) {
                const auto at =
                    open + 40 +
                    (r == 0 ? 0
                            : static_cast<std::int64_t>(mixed(dice + r) %
                                                        static_cast<std::uint64_t>(life - 100)));
                const auto late = static_cast<std::int32_t>(
                    mixed(dice ^ r) % static_cast<std::uint64_t>(settings_.shuffle_ms));
                put(at + late, {flow, 0, late, 1});
            }
            put(open + life, {flow, 0, 0, 2});
        }
    }
    std::vector<Event>& at_ms(std::int64_t ms) { return calendar_[static_cast<std::size_t>(ms)]; }
    [[nodiscard]] std::uint64_t flows() const { return flows_; }

  private:
    void put(std::int64_t ms, const Event& event) {
        if (ms < static_cast<std::int64_t>(calendar_.size())) at_ms(ms).push_back(event);
    }
    Settings settings_;
    std::vector<std::vector<Event>> calendar_;
    std::uint64_t flows_ = 0;
};

// What is handed over, laid out before the clock starts.
struct Call {
    Nanos now;
    std::uint8_t kind = 0;
    model::Flow flow;
    account::SourceRecord record;
};

void lay_out(const Event& event, std::int64_t ms, std::uint32_t& seq, Call& out) {
    out.now = {kStart + ms * kMillisecond};
    out.kind = event.kind;
    if (event.kind == 1) {
        out.record = {};
        contract::AccountRecord& r = out.record.record;
        r.gateway_id = 1;
        r.boot_epoch = 1;
        r.seq = ++seq;
        r.t_req_us = static_cast<std::uint64_t>((out.now + -event.late_ms * kMillisecond).micros());
        const model::Tuple tuple = tuple_of(event.flow);
        r.client_ip = tuple.client;
        r.client_port = tuple.client_port;
        r.proto = 6;
        std::memcpy(r.account_tag.data(), &event.flow, sizeof event.flow);
        return;
    }
    out.flow = {};
    out.flow.id = {1, 1, event.flow};
    out.flow.tuple = tuple_of(event.flow);
    out.flow.t_open = out.now + (event.kind == 0 ? -60 * kMillisecond : 0);
    out.flow.t_close = out.now;
    out.flow.ja4 = 1 + event.flow % 400;
    out.flow.syn = 1 + event.flow % 50;
    out.flow.closed = event.kind == 2;
    if (event.kind == 2) out.flow.exchanges.assign(2, {10, 700, 9000});
}

// As a daemon does: what is known to come is told first.
constexpr std::size_t kTogether = 64;
void hand_over(account::Join& join, std::span<const Call> calls) {
    std::array<account::FlowEvent, kTogether> events;
    std::array<account::SourceRecord, kTogether> records;
    std::size_t event_count = 0;
    std::size_t record_count = 0;
    for (const Call& call : calls) {
        if (call.kind == 1) {
            records[record_count++] = call.record;
            continue;
        }
        account::FlowEvent& event = events[event_count++];
        event.kind = call.kind == 0 ? account::FlowEvent::Kind::open : account::FlowEvent::Kind::close;
        event.flow = &call.flow;
    }
    join.expect({events.data(), event_count});
    join.expect({records.data(), record_count});
    event_count = record_count = 0;
    for (const Call& call : calls) {
        if (call.kind == 1) join.record(records[record_count++], call.now);
        else join.flow(events[event_count++], call.now);
    }
}

void report(const Settings& settings, const account::JoinCounters& c, const Check& check,
            double spent, const account::JoinState& peak) {
    const std::uint64_t records = c.records;
    std::printf("join: %lld s of %llu openings/s and %llu records/s, records up to %lld ms late\n",
                static_cast<long long>(settings.seconds),
                static_cast<unsigned long long>(settings.flows_per_s),
                static_cast<unsigned long long>(settings.flows_per_s * settings.records_per_flow),
                static_cast<long long>(settings.shuffle_ms));
    std::printf(
        "  CPU %.2f s for %llu records and %llu flow events: %.0f records per CPU-second together "
        "with their flows\n",
        spent, static_cast<unsigned long long>(records),
        static_cast<unsigned long long>(c.flows_opened + c.flows_closed),
        static_cast<double>(records) / spent);
    std::printf("  one second of load takes %.2f CPU s\n",
                spent / static_cast<double>(settings.seconds));
    std::printf("  joined %.4f %%, wrong %llu, unmatched %llu, ambiguous %llu, at once %.1f %%\n",
                100.0 * static_cast<double>(c.records_joined) / static_cast<double>(records),
                static_cast<unsigned long long>(check.wrong),
                static_cast<unsigned long long>(c.records_unmatched),
                static_cast<unsigned long long>(c.records_ambiguous),
                100.0 * static_cast<double>(c.joined_at_once) / static_cast<double>(records));
    std::printf("  at most %u connections in %.0f B each, %u records waiting in %.1f MB\n",
                peak.connections,
                static_cast<double>(peak.connection_bytes) / std::max(1u, peak.connections),
                peak.pending, 1e-6 * static_cast<double>(peak.pending_bytes));
}

// Records a CPU-second, percent joined, wrong ones, bytes a connection.
void figures(const account::JoinCounters& c, const Check& check, double spent, const account::JoinState& peak) {
    std::printf("%.0f %.4f %llu %.0f\n", static_cast<double>(c.records) / spent,
                100.0 * static_cast<double>(c.records_joined) / static_cast<double>(c.records),
                static_cast<unsigned long long>(check.wrong),
                static_cast<double>(peak.connection_bytes) / std::max(1u, peak.connections));
}

bool read_settings(int argc, char** argv, Settings& settings) {
    if (argc > 1) settings.seconds = std::atoll(argv[1]);
    if (argc > 2) settings.flows_per_s = static_cast<std::uint64_t>(std::atoll(argv[2]));
    if (argc > 3) settings.records_per_flow = static_cast<std::uint64_t>(std::atoll(argv[3]));
    if (argc > 4) settings.life_s = std::atoll(argv[4]);
    if (argc > 5) settings.shuffle_ms = std::atoll(argv[5]);
    return settings.seconds >= 1 && settings.flows_per_s >= 1 && settings.life_s >= 1 &&
           settings.shuffle_ms >= 1;
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    const bool bare = argc > 1 && std::strcmp(argv[1], "--figures") == 0;
    if (!read_settings(bare ? argc - 1 : argc, bare ? argv + 1 : argv, settings)) {
        std::fputs(
            "usage: account_join_bench [seconds [flows/s [records per flow [mean life, s [shuffle "
            "ms]]]]]\n",
            stderr);
        return 2;
    }
    Check check;
    account::JoinConfig config;
    config.connections_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(
        20'000'000, settings.flows_per_s * static_cast<std::uint64_t>(2 * settings.life_s + 20)));
    auto made = account::Join::make(config, check);
    if (!made) {
        std::fprintf(stderr, "%s\n", made.error().message().c_str());
        return 1;
    }
    account::Join& join = **made;
    World world(settings);
    std::vector<Call> calls;
    double spent = 0;
    std::uint32_t seq = 0;
    account::JoinState peak;
    for (std::int64_t second = 0; second < settings.seconds; ++second) {
        world.open_second(second);
        // Rounds of 20 ms, as a daemon's.
        for (std::int64_t ms = second * 1000; ms < (second + 1) * 1000; ms += 20) {
            std::size_t count = 0;
            for (std::int64_t at = ms; at < ms + 20; ++at) {
                for (const Event& event : world.at_ms(at)) {
                    if (count == calls.size()) calls.emplace_back();
                    lay_out(event, at, seq, calls[count++]);
                }
                world.at_ms(at) = {};
            }
            const double begun = cpu_seconds();
            for (std::size_t at = 0; at < count; at += kTogether)
                hand_over(join, {calls.data() + at, std::min(kTogether, count - at)});
            join.tick({kStart + (ms + 20) * kMillisecond});
            spent += cpu_seconds() - begun;
        }
        const account::JoinState state = join.state();
        peak.connections = std::max(peak.connections, state.connections);
        peak.pending = std::max(peak.pending, state.pending);
        peak.connection_bytes = std::max(peak.connection_bytes, state.connection_bytes);
        peak.pending_bytes = std::max(peak.pending_bytes, state.pending_bytes);
    }
    join.finish();
    if (bare) figures(join.counters(), check, spent, peak);
    else report(settings, join.counters(), check, spent, peak);
    const account::JoinCounters& c = join.counters();
    return check.wrong == 0 && check.requests == c.records_joined - c.accounts_overflow ? 0 : 1;
}
