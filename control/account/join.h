// The join: account records find the connection that they speak of, by addresses and time.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "control/account/flow_event.h"
#include "control/account/join_config.h"
#include "control/account/join_counters.h"
#include "control/account/source_record.h"
#include "control/model/sighting.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/status.h"

namespace seine::account {

// What there is now, and the bounds of single connections that were hit.
struct JoinState {
    std::uint32_t connections = 0;
    std::uint32_t pending = 0;
    std::uint32_t gateways = 0;
    std::size_t connection_bytes = 0;  // touched, heads of chains left out
    std::size_t pending_bytes = 0;
    std::uint64_t exchanges_dropped = 0;
    std::uint64_t sessions_dropped = 0;
    std::uint64_t keys_dropped = 0;
};
struct GatewayState {
    std::uint32_t id = 0;
    std::int64_t offset_ns = 0;  // its clock less the dataplane's
    bool learned = false;
    std::uint64_t records = 0;
    std::uint64_t joined = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t sequence_gaps = 0;
    std::uint32_t waiting = 0;  // records for their flow
};

// Receives what the join finds. References are good for the call. In a sighting all accounts of the
// connection are listed, those with nothing new with requests 0, so that exchanges of an update can
// be put to them.
class JoinSink {
  public:
    // The account and the flow of a sighting.
    struct Coming {
        contract::FlowId flow;
        model::AccountTag account;
    };
    virtual ~JoinSink() = default;
    // Sightings of these follow: memory for them may be asked for.
    virtual void expect(std::span<const Coming>) {}
    virtual void sighting(const model::Sighting& sighting) = 0;
    virtual void account_event(const model::AccountEvent& event) = 0;
    // A record whose SourceRecord::request is set has its connection.
    virtual void request_joined(std::uint64_t, const contract::FlowId&, const model::AccountTag&,
                                const model::OrgTag&) {}
};

// One thread; the sink is called from within and must not call back. Same calls, same outcome.
// After make() it allocates only when a new gateway appears and when a sighting's lists grow.
class Join {
  public:
    static Result<std::unique_ptr<Join>> make(const JoinConfig& config, JoinSink& sink);
    virtual ~Join() = default;
    Join(const Join&) = delete;
    Join& operator=(const Join&) = delete;

    // What flow() or record() is called with next, in tens: asks for the memory that they need. No
    // effect but time.
    virtual void expect(std::span<const FlowEvent> events) = 0;
    virtual void expect(std::span<const SourceRecord> records) = 0;

    virtual void flow(const FlowEvent& event, Nanos now) = 0;
    virtual void record(const SourceRecord& record, Nanos now) = 0;
    // All flow events of the dataplane up to `until` (its clock) have been handed in: its ring is
    // empty. Without it records wait for a later event or `settle`.
    virtual void flows_complete(std::uint16_t dataplane, Nanos until, Nanos now) = 0;
    // Lets time pass: whoever waited long enough is judged. Call at least once a second.
    virtual void tick(Nanos now) = 0;
    // What must outlive a restart, for the transaction that keeps what was handed out: connections,
    // records that wait, clocks and sequence windows. About 400 bytes a connection or record, 8 KiB
    // a gateway and boot. restore() before anything else, with the same hash_seed, by the same
    // build; false when `state` is not such: then the join begins empty.
    // Without `connections` what waits, clocks and windows alone: a connection that was open is then
    // known again by its next record.
    virtual void save(std::string& state, bool connections = true) const = 0;
    virtual bool restore(std::string_view state) = 0;
    // Hands out what connections with accounts have that was not told yet, so that a state without
    // connections holds back nothing that was counted.
    virtual void tell_news() = 0;
    // Nothing more will come: judges all who wait and hands out what is not told yet.
    virtual void finish() = 0;

    [[nodiscard]] virtual const JoinCounters& counters() const = 0;
    [[nodiscard]] virtual JoinState state() const = 0;
    // At most JoinConfig::gateways_max.
    virtual void gateways(const std::function<void(const GatewayState&)>& visit) const = 0;
    // Records of the gateway that wait for their flow.
    [[nodiscard]] virtual std::uint32_t waiting_of(std::uint32_t gateway) const = 0;

  protected:
    Join() = default;
};

}  // namespace seine::account
