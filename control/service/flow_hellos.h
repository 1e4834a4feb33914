// The opening records of flows, kept until their requests come: bounded, the oldest go first.
#pragma once
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "control/service/recent_flows.h"

namespace seine::service {

// One thread.
class FlowHellos {
  public:
    static constexpr std::size_t kCheckedMax = 4;

    struct Hello {
        contract::FlowId id;
        std::vector<std::uint8_t> frame;
        std::uint64_t checked[kCheckedMax] = {};  // requests that were alike need no second look
        std::size_t checked_count = 0;

        // False when one like it was looked at lately.
        bool fresh(std::uint64_t request) noexcept;
    };

    explicit FlowHellos(std::size_t bytes_max) : bytes_max_(bytes_max) {}
    void add(const contract::FlowId& id, ByteView frame);
    // Null when it is not, or no longer, here. Good until the next add().
    [[nodiscard]] Hello* find(const contract::FlowId& id);
    void clear();
    [[nodiscard]] std::size_t size() const noexcept { return hellos_.size(); }
    [[nodiscard]] std::uint64_t pushed_out() const noexcept { return pushed_out_; }

  private:
    static std::size_t bytes_of(const Hello& hello) noexcept { return hello.frame.size() + sizeof(Hello) + 64; }

    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    std::uint64_t pushed_out_ = 0;
    std::deque<Hello> hellos_;  // a deque keeps the rest in place when its ends move
    std::unordered_map<contract::FlowId, Hello*, FlowIdHash> by_id_;
};

}  // namespace seine::service
