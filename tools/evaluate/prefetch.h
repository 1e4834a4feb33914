// A reader of one file of a world on a thread of its own, a few batches ahead of who takes them.
#pragma once
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "dataplane/base/status.h"
#include "tools/evaluate/world_batch.h"

namespace seine::evaluate {

class Prefetch {
  public:
    static constexpr std::size_t kBatchesMax = 3;

    explicit Prefetch(std::unique_ptr<BatchSource> source);
    ~Prefetch();
    Prefetch(const Prefetch&) = delete;
    Prefetch& operator=(const Prefetch&) = delete;

    // The next batch in file order; an empty one is the end.
    Status next(Batch& out);

  private:
    void read();
    std::unique_ptr<BatchSource> source_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Batch> ready_;
    Status status_;
    bool ended_ = false;
    bool stopped_ = false;
    std::thread thread_;
};

}  // namespace seine::evaluate
