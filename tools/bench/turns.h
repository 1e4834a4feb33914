// Two threads of one processor that take turns: while one runs the other waits.
#pragma once
#include <condition_variable>
#include <mutex>

namespace seine::bench {

// Side 0 begins. What runs side by side like this meets the same neighbours, clock and memory, slice by slice.
class Turns {
  public:
    // Blocks until it is `side`'s turn, or the other has left for good.
    void wait(unsigned side) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return turn_ == side || left_[1 - side]; });
    }
    void pass(unsigned side) {
        {
            const std::lock_guard lock(mutex_);
            turn_ = 1 - side;
        }
        changed_.notify_all();
        wait(side);
    }
    void leave(unsigned side) {
        {
            const std::lock_guard lock(mutex_);
            left_[side] = true;
        }
        changed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    unsigned turn_ = 0;
    bool left_[2] = {false, false};
};

}  // namespace seine::bench
