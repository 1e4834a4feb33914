// A request that waits under its stream's number while others of its connection are matched (HTTP/2).
#pragma once
#include <memory>

#include "dataplane/signature/match_state.h"

namespace seine::signature {

// What MatchState holds of it, and the bodies that are read of it.
struct ParkedRequest {
    std::uint32_t stream = 0;
    std::uint16_t next = MatchState::kNoneParked;  // an older one of the same flow, or the next free one
    bool awaits_answer = false;                    // rules look at the body of its response
    std::uint16_t bodies[2] = {MatchState::kNoBody, MatchState::kNoBody};  // of the request, of the response
    SeenState request;

    [[nodiscard]] bool done() const noexcept {
        return !awaits_answer && bodies[0] == MatchState::kNoBody && bodies[1] == MatchState::kNoBody;
    }
};

// One worker's, made at start. Those of a flow are a chain that begins at MatchState::parked, the newest first.
class ParkedRequests {
  public:
    static constexpr std::size_t kOfFlowMax = 32;  // past it the oldest of the flow is given up

    explicit ParkedRequests(std::uint16_t count);
    // The new head of the chain, empty but for its place in it; nullptr: none is free.
    ParkedRequest* take(MatchState& state) noexcept;
    // nullptr: not there.
    [[nodiscard]] ParkedRequest* find(const MatchState& state, std::uint32_t stream) const noexcept;
    [[nodiscard]] ParkedRequest* newest(const MatchState& state) const noexcept { return at(state.parked); }
    // The oldest of a flow that has kOfFlowMax; nullptr: there are fewer.
    [[nodiscard]] ParkedRequest* over(const MatchState& state) const noexcept;
    // `request` is in the chain.
    void give(MatchState& state, ParkedRequest& request) noexcept;

  private:
    [[nodiscard]] ParkedRequest* at(std::uint16_t place) const noexcept {
        return place == MatchState::kNoneParked ? nullptr : &requests_[place];
    }
    std::unique_ptr<ParkedRequest[]> requests_;
    std::uint16_t free_ = MatchState::kNoneParked;
};

}  // namespace seine::signature
