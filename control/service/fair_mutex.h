// A lock that is given out in the order in which it was asked for: a thread that takes it again and again,
// a little at a time, keeps nobody out.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace seine::service {

class FairMutex {
  public:
    void lock() {
        std::unique_lock held(mutex_);
        const std::uint64_t mine = next_++;
        turn_.wait(held, [this, mine] { return mine == now_; });
    }
    void unlock() {
        {
            const std::lock_guard held(mutex_);
            ++now_;
        }
        turn_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable turn_;
    std::uint64_t next_ = 0, now_ = 0;  // numbers given to who asked, and whose turn it is
};

}  // namespace seine::service
