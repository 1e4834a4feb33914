// The join's parts together: flows (joiner.cpp), records (join_records.cpp), what is told and when (join_told.cpp).
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/account/connections.h"
#include "control/account/gateways.h"
#include "control/account/join.h"
#include "control/account/match.h"
#include "control/account/pending.h"
#include "control/account/progress.h"

namespace seine::account {

class Joiner final : public Join {
  public:
    Joiner(const JoinConfig& config, JoinSink& sink, Connections connections, Pending pending)
        : config_(config),
          sink_(sink),
          connections_(std::move(connections)),
          pending_(std::move(pending)),
          gateways_(config.gateways_max) {
        if (config.told_at_tick) told_later_.reserve(kToldLaterMax);
    }

    void expect(std::span<const FlowEvent> events) override;
    void expect(std::span<const SourceRecord> records) override { connections_.expect(records); }
    void flow(const FlowEvent& event, Nanos now) override;
    void record(const SourceRecord& record, Nanos now) override;
    void flows_complete(std::uint16_t dataplane, Nanos until, Nanos now) override {
        progress_.reached(dataplane, until.count, now.count);
        judge_ready();
    }
    void tick(Nanos now) override;
    void save(std::string& state, bool connections) const override;
    bool restore(std::string_view state) override;
    void tell_news() override;
    void finish() override;
    const JoinCounters& counters() const override { return counters_; }
    JoinState state() const override;
    void gateways(const std::function<void(const GatewayState&)>& visit) const override;
    std::uint32_t waiting_of(std::uint32_t gateway) const override;

  private:
    using Outcome = std::uint64_t JoinCounters::*;
    [[nodiscard]] std::uint32_t ms(std::int64_t now) const noexcept {
        return static_cast<std::uint32_t>(now / kMillisecond);
    }
    // Flows.
    std::uint32_t take_in(const FlowEvent& event, std::int64_t now);
    std::uint32_t other_half(const FlowEvent& event) noexcept;
    void end_reused(const FlowEvent& event, std::int64_t now);
    void close(std::uint32_t number, const FlowEvent& event, std::int64_t now);
    void let_go(std::uint32_t number);
    void let_oldest_closed_go();
    void judge_those_of(const FlowEvent& event, std::uint32_t number);
    // Records.
    bool tell_event(const SourceRecord& record, const Gateway& gateway);
    bool is_repeat(const SourceRecord& record, Gateway& gateway);
    [[nodiscard]] bool ready(const Claim& claim) const noexcept;
    [[nodiscard]] bool left_behind(const Claim& claim) const noexcept;
    bool judge(Claim& claim, bool settled, Outcome& lost);
    bool judge_waiting(std::uint32_t number, bool settled);
    void judge_ready();
    void expect_waiting(std::uint32_t number);
    void judge_again();
    void drop(std::uint32_t number, Outcome counter);
    void remove_waiting(std::uint32_t number);
    void wait(const Claim& claim);
    void attach(const Claim& claim, const Match& match);
    void give_up(std::uint32_t number);
    void tell(std::uint32_t number);
    void tell_those_that_wait();
    void expect_sightings(std::span<const std::uint32_t> numbers);
    void forget(const Claim& claim) noexcept;

    JoinConfig config_;
    JoinSink& sink_;
    Connections connections_;
    Pending pending_;
    Gateways gateways_;
    Progress progress_;
    JoinCounters counters_;
    model::Sighting out_;
    static constexpr std::int64_t kFarBehind = kSecond;
    static constexpr std::size_t kToldLaterMax = 65'536;
    std::vector<std::uint32_t> told_later_;  // connections with news, until the next tick
    std::uint32_t expected_ = 0;             // waiting records whose memory is asked for
    std::uint64_t let_go_ = 0;
    std::uint16_t jumped_ =
        Gateways::kNone;  // a gateway whose waiting records are to be judged anew
};

}  // namespace seine::account
