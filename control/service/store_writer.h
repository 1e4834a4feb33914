// Batches go into the store in a thread of their own, so that taking in goes on meanwhile.
#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "control/store/store.h"

namespace seine::service {

// One batch at a time: give() when idle(), then outcome() until it is there. What is past its time
// is swept here too, every few seconds, between batches. give(), outcome() and wait() by one thread.
class StoreWriter {
  public:
    struct Outcome {
        Status status;
        std::int64_t took = 0;                // nanoseconds
        std::unique_ptr<store::Batch> batch;  // comes back where it was not taken
        std::unique_ptr<store::Batch> empty;  // else: nothing but the room of its lists, for the next one
        std::vector<std::vector<store::AccountValueRow>> lists;  // and those of its accounts, empty
    };
    // `prepare` is called with each batch before it is written, in the writer's thread.
    StoreWriter(store::Store& store, std::function<Nanos()> clock, std::function<void(store::Batch&)> prepare);
    ~StoreWriter();
    StoreWriter(const StoreWriter&) = delete;
    StoreWriter& operator=(const StoreWriter&) = delete;

    void start();
    // Ends the thread; a batch in hand is written first.
    void stop();
    // Nothing was given whose outcome was not heard yet.
    [[nodiscard]] bool idle() const noexcept { return !given_; }
    void give(std::unique_ptr<store::Batch> batch);
    // The outcome of the batch that was given, once; empty while it is being written.
    std::optional<Outcome> outcome();
    // The same, and waits for it.
    std::optional<Outcome> wait();

  private:
    void run();
    void sweep();

    store::Store& store_;
    std::function<Nanos()> clock_;
    std::function<void(store::Batch&)> prepare_;
    bool given_ = false;  // of the giving thread
    Nanos swept_;         // of the writer's

    std::mutex mutex_;  // of what follows
    std::condition_variable wake_;
    std::unique_ptr<store::Batch> next_;
    std::optional<Outcome> done_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace seine::service
