// The exchange meter: requests inside TLS and QUIC seen as turns of the conversation.
#pragma once
#include <cstdint>

#include "dataplane/base/assert.h"

namespace seine::pipeline {

// One turn: the client speaks, then the server answers. Sizes are ciphertext bytes (TCP payload, or
// UDP payload for QUIC), each byte of a TCP stream counted once.
struct Exchange {
    std::uint32_t start_ms = 0;  // after the first packet of the flow
    std::uint32_t request_bytes = 0;
    std::uint32_t response_bytes = 0;
};

// A chunk of finished exchanges that an update or close record has still to carry.
struct ExchangeBlock {
    static constexpr std::uint32_t kCap = 15;
    std::uint32_t count = 0;
    Exchange items[kCap];
};

// Client bytes that are too few for a request and come while an answer flows are acknowledgements of a
// higher layer (HTTP/2 WINDOW_UPDATE and PING, QUIC ACK): they do not begin an exchange.
inline constexpr std::uint32_t kRequestBytesMin = 64;
inline constexpr std::uint32_t kQuicRequestBytesMin = 80;

// The turn in progress. Lives in the flow's second cache line.
class Meter {
  public:
    // True when `finished` was filled: a new turn began and the one before it is complete.
    bool on_client(std::uint32_t bytes, std::uint32_t now_ms, std::uint32_t bytes_min,
                   Exchange& finished) noexcept {
        if (now_.response_bytes > 0 && bytes < bytes_min) return false;
        bool ended = false;
        if (now_.response_bytes > 0) {
            finished = now_;
            now_ = {};
            ended = true;
        }
        if (now_.request_bytes == 0) now_.start_ms = now_ms;
        now_.request_bytes = sum(now_.request_bytes, bytes);
        return ended;
    }
    // Server bytes before any client byte (a flow joined in the middle) belong to no exchange.
    void on_server(std::uint32_t bytes) noexcept {
        if (now_.request_bytes > 0) now_.response_bytes = sum(now_.response_bytes, bytes);
    }
    // The turn that the end of the flow cuts off; false when there is none.
    bool take_last(Exchange& last) noexcept {
        if (now_.request_bytes == 0) return false;
        last = now_;
        now_ = {};
        return true;
    }

  private:
    static std::uint32_t sum(std::uint32_t a, std::uint32_t b) noexcept {
        const std::uint32_t total = a + b;
        return total < a ? 0xffffffffu : total;  // saturates: 4 GiB in one turn
    }
    Exchange now_;
};
static_assert(sizeof(Meter) == 12);

}  // namespace seine::pipeline
