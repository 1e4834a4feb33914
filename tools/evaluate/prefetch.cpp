#include "tools/evaluate/prefetch.h"

#include <utility>

namespace seine::evaluate {

Prefetch::Prefetch(std::unique_ptr<BatchSource> source)
    : source_(std::move(source)), thread_([this] { read(); }) {}

Prefetch::~Prefetch() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Prefetch::read() {
    for (;;) {
        Batch batch;
        Status status = source_->next(batch);
        const bool last = !status.ok() || (batch.flows.empty() && batch.records.empty());
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopped_ || ready_.size() < kBatchesMax; });
        if (stopped_) return;
        if (last) {
            status_ = std::move(status);
            ended_ = true;
        } else {
            ready_.push_back(std::move(batch));
        }
        lock.unlock();
        changed_.notify_all();
        if (last) return;
    }
}

Status Prefetch::next(Batch& out) {
    out = Batch();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_ || !ready_.empty(); });
    if (ready_.empty()) return status_;
    out = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return {};
}

}  // namespace seine::evaluate
