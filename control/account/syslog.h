// Syslog around log lines: framing over TCP, and the header in front of the message.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"

namespace seine::account {

// The message of a syslog datagram: `<PRI>` and the headers of RFC 5424 or RFC 3164 (as nginx and
// HAProxy write them) left out. malformed: no header that one of them would write.
Parse syslog_message(std::string_view datagram, std::string_view& message) noexcept;

// Frames of one TCP connection (RFC 6587): octet counting, or one a line; which one the first byte
// of each frame tells.
class SyslogFrames {
  public:
    static constexpr std::size_t kFrameBytesMax = 64 * 1024;

    // Calls take(frame) for each whole frame in `bytes` and what was left before. False when the
    // stream can no longer be understood (a frame past the bound, a count that is none): close the
    // connection.
    template <typename Take>
    bool feed(std::string_view bytes, Take&& take);
    void forget() noexcept;  // wipes what is held

  private:
    enum class Next : std::uint8_t { frame, wait, broken };
    Next next(std::size_t& from, std::string_view& frame) const noexcept;
    std::vector<char> held_;
};

template <typename Take>
bool SyslogFrames::feed(std::string_view bytes, Take&& take) {
    held_.insert(held_.end(), bytes.begin(), bytes.end());
    std::size_t from = 0;
    std::string_view frame;
    Next step = Next::wait;
    while ((step = next(from, frame)) == Next::frame) {
        if (!frame.empty()) take(frame);
    }
    std::fill(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(from), '\0');
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(from));
    return step != Next::broken;
}

}  // namespace seine::account
