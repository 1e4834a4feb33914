#include "control/service/store_writer.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "control/service/guarded_thread.h"
#include "control/service/log.h"

namespace seine::service {
namespace {

constexpr std::int64_t kSweepEvery = 5 * kSecond;
constexpr std::size_t kRoomKeptMax = 500'000;  // items of a list
constexpr std::size_t kListKeptMax = 32;       // items of an account's

template <typename Item>
void keep_room(std::vector<Item>& from, std::vector<Item>& to) {
    from.clear();
    if (from.capacity() <= kRoomKeptMax) to.swap(from);
}

// The lists of accounts as well: else each is made in one thread and given back in another.
std::vector<std::vector<store::AccountValueRow>> emptied_lists(store::Batch& batch) {
    std::vector<std::vector<store::AccountValueRow>> out;
    out.reserve(std::min(batch.accounts.size(), kRoomKeptMax));
    for (store::AccountUse& use : batch.accounts) {
        if (out.size() == out.capacity()) break;
        if (use.values.capacity() == 0 || use.values.capacity() > kListKeptMax) continue;
        use.values.clear();
        out.push_back(std::move(use.values));
    }
    return out;
}

// The long lists' memory is used again: fresh pages would have to be cleared for each batch.
std::unique_ptr<store::Batch> emptied(std::unique_ptr<store::Batch> batch) {
    auto out = std::make_unique<store::Batch>();
    keep_room(batch->values, out->values);
    keep_room(batch->accounts, out->accounts);
    return out;
}

}  // namespace

StoreWriter::StoreWriter(store::Store& store, std::function<Nanos()> clock, std::function<void(store::Batch&)> prepare)
    : store_(store), clock_(std::move(clock)), prepare_(std::move(prepare)) {}

StoreWriter::~StoreWriter() { stop(); }

void StoreWriter::start() {
    thread_ = guarded_thread("writes the store", [this] { run(); });
}

void StoreWriter::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void StoreWriter::give(std::unique_ptr<store::Batch> batch) {
    given_ = true;
    {
        const std::lock_guard lock(mutex_);
        next_ = std::move(batch);
        done_.reset();
    }
    wake_.notify_all();
}

std::optional<StoreWriter::Outcome> StoreWriter::outcome() {
    if (!given_) return {};
    std::optional<Outcome> out;
    const std::lock_guard lock(mutex_);
    out.swap(done_);
    given_ = !out.has_value();
    return out;
}

std::optional<StoreWriter::Outcome> StoreWriter::wait() {
    if (!given_) return {};
    {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return done_.has_value(); });
    }
    return outcome();
}

void StoreWriter::sweep() {
    const Nanos now = clock_();
    if (now - swept_ < kSweepEvery) return;
    swept_ = now;
    const Status status = store_.sweep(now);
    if (!status.ok()) log(Level::warning, status.message());
}

void StoreWriter::run() {
    while (true) {
        std::unique_ptr<store::Batch> batch;
        {
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_ || next_ != nullptr; });
            if (next_ == nullptr && stopping_) return;
            batch = std::move(next_);
        }
        if (batch == nullptr) {
            sweep();
            continue;
        }
        const Nanos begun = clock_();
        prepare_(*batch);
        Outcome outcome;
        outcome.status = store_.write(*batch);
        if (outcome.status.ok()) {
            outcome.lists = emptied_lists(*batch);
            outcome.empty = emptied(std::move(batch));
        } else {
            outcome.batch = std::move(batch);
        }
        outcome.took = clock_() - begun;
        {
            const std::lock_guard lock(mutex_);
            done_ = std::move(outcome);
        }
        wake_.notify_all();
        sweep();
    }
}

}  // namespace seine::service
