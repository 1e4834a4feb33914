// Datagrams of a socket, as many at a call as wait there.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/socket.h>
#include <vector>

namespace seine::account {

// One thread. Its memory is wiped at the end; what a datagram said is wiped by who reads it.
class Inbox {
  public:
    static constexpr std::size_t kAtOnce = 32;
    static constexpr std::size_t kDatagramBytesMax = 64 * 1024;

    struct Datagram {
        std::span<std::uint8_t> bytes;     // good until the next receive()
        bool cut = false;                  // it was longer
        bool dropped_known = false;        // the socket says how many it dropped for want of room
        std::uint32_t dropped = 0;         // since it was opened
    };

    Inbox();
    ~Inbox();
    Inbox(const Inbox&) = delete;
    Inbox& operator=(const Inbox&) = delete;
    // Does not wait. How many came, at most kAtOnce; fewer: no more are there now.
    std::size_t receive(int fd);
    [[nodiscard]] Datagram operator[](std::size_t at);

  private:
    // Not a power of two: else all begin in the same few places of the processor's caches.
    static constexpr std::size_t kStride = kDatagramBytesMax + 1344;
    struct alignas(cmsghdr) Control {
        std::array<std::uint8_t, 64> bytes;
    };
    std::vector<std::uint8_t> memory_;
    std::array<iovec, kAtOnce> parts_{};
    std::array<Control, kAtOnce> controls_{};
    std::array<mmsghdr, kAtOnce> messages_{};
};

}  // namespace seine::account
