#include "control/service/flow_hellos.h"

#include <algorithm>

namespace seine::service {

bool FlowHellos::Hello::fresh(std::uint64_t request) noexcept {
    const auto end = checked + std::min(checked_count, kCheckedMax);
    if (std::find(checked, end, request) != end) return false;
    checked[checked_count++ % kCheckedMax] = request;
    return true;
}

void FlowHellos::add(const contract::FlowId& id, ByteView frame) {
    if (by_id_.contains(id)) return;
    Hello hello;
    hello.id = id;
    hello.frame.assign(frame.begin(), frame.end());
    bytes_ += bytes_of(hello);
    hellos_.push_back(std::move(hello));
    by_id_[id] = &hellos_.back();
    while (bytes_ > bytes_max_ && hellos_.size() > 1) {
        bytes_ -= bytes_of(hellos_.front());
        by_id_.erase(hellos_.front().id);
        hellos_.pop_front();
        ++pushed_out_;
    }
}

FlowHellos::Hello* FlowHellos::find(const contract::FlowId& id) {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

void FlowHellos::clear() {
    hellos_.clear();
    by_id_.clear();
    bytes_ = 0;
}

}  // namespace seine::service
