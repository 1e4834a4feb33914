#include "dataplane/runtime/reload.h"

#include <algorithm>

namespace seine::runtime {

void Reload::publish(std::unique_ptr<signature::Generation> generation) {
    if (owned_ != nullptr) waiting_.push_back(std::move(owned_));
    owned_ = std::move(generation);
    current_.store(owned_.get(), std::memory_order_release);
    static_cast<void>(retire());
}

std::size_t Reload::retire() {
    const auto free_now = [this](const std::unique_ptr<signature::Generation>& old) {
        // A worker that has read the pointer but not said so yet still shows the set before: every worker
        // must show the newest one.
        const bool let_go = std::all_of(seats_.begin(), seats_.end(), [&](const RuleSeat& seat) {
            return seat.gone.load(std::memory_order_acquire) ||
                   seat.adopted.load(std::memory_order_acquire) == owned_.get();
        });
        if (let_go) packets_of_retired_ += old->packets();
        return let_go;
    };
    waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), free_now), waiting_.end());
    return waiting_.size();
}

std::uint64_t Reload::packets() const noexcept {
    std::uint64_t out = packets_of_retired_ + (owned_ == nullptr ? 0 : owned_->packets());
    for (const auto& old : waiting_) out += old->packets();
    return out;
}

}  // namespace seine::runtime
