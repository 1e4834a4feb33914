#include "dataplane/signature/parked_request.h"

namespace seine::signature {

ParkedRequests::ParkedRequests(std::uint16_t count) : requests_(std::make_unique<ParkedRequest[]>(count)) {
    for (std::uint16_t i = count; i > 0; --i) {
        requests_[i - 1].next = free_;
        free_ = static_cast<std::uint16_t>(i - 1);
    }
}

ParkedRequest* ParkedRequests::take(MatchState& state) noexcept {
    ParkedRequest* const request = at(free_);
    if (request == nullptr) return nullptr;
    const std::uint16_t place = free_;
    free_ = request->next;
    *request = {};
    request->next = state.parked;
    state.parked = place;
    return request;
}

ParkedRequest* ParkedRequests::find(const MatchState& state, std::uint32_t stream) const noexcept {
    ParkedRequest* one = at(state.parked);
    while (one != nullptr && one->stream != stream) one = at(one->next);
    return one;
}

ParkedRequest* ParkedRequests::over(const MatchState& state) const noexcept {
    std::size_t count = 0;
    ParkedRequest* last = nullptr;
    for (ParkedRequest* one = at(state.parked); one != nullptr; one = at(one->next)) {
        last = one;
        ++count;
    }
    return count >= kOfFlowMax ? last : nullptr;
}

void ParkedRequests::give(MatchState& state, ParkedRequest& request) noexcept {
    std::uint16_t* link = &state.parked;
    while (at(*link) != &request) link = &at(*link)->next;
    const std::uint16_t place = *link;
    *link = request.next;
    request.next = free_;
    free_ = place;
}

}  // namespace seine::signature
