// Follows lines and clear packets over segments to tell in which of them a message ends.
//
//   line --"SSH-2.0", "SSH-1.99"--> header --6 bytes--> body --end--> header .. --NEWKEYS--> open
//   line --"SSH-1.5"--> open
#include "dataplane/ssh/segments.h"

#include "dataplane/ssh/ssh.h"

namespace seine::ssh {
namespace {

constexpr std::uint8_t kHeaderBytes = 6;  // length, padding length, message number
constexpr std::uint8_t kMessageNewKeys = 21;

}  // namespace

void Segments::end_line(Direction& direction) noexcept {
    const ByteView line(direction.front, direction.front_bytes);
    direction.front_bytes = 0;
    if (!starts_with(line, "SSH-")) return;
    const bool two = starts_with(line, "SSH-2.");
    version_known_ = version_known_ || two;
    direction.at = two || starts_with(line, "SSH-1.99") ? At::header : At::open;
}

void Segments::end_packet(Direction& direction) noexcept {
    direction.at = direction.message == kMessageNewKeys ? At::open : At::header;
    direction.front_bytes = 0;
}

// True when a line or a packet ends in `bytes`.
bool Segments::walk(Direction& direction, ByteView bytes) noexcept {
    bool ended = false;
    for (std::size_t i = 0; i < bytes.size();) {
        switch (direction.at) {
            case At::line: {
                const std::uint8_t c = bytes[i++];
                if (direction.front_bytes < sizeof direction.front)
                    direction.front[direction.front_bytes++] = c;
                if (c != '\n') break;
                end_line(direction);
                ended = true;
                break;
            }
            case At::header: {
                direction.front[direction.front_bytes++] = bytes[i++];
                if (direction.front_bytes < 4) break;
                const std::uint32_t length = load_be32(direction.front);
                if (length > kPacketBytesMax || length < kHeaderBytes) {
                    direction.front_bytes = 0;  // no packet: what is here counts and is done with
                    return true;
                }
                if (direction.front_bytes < kHeaderBytes) break;
                direction.message = direction.front[5];
                direction.left = length + 4 - kHeaderBytes;
                direction.at = At::body;
                break;
            }
            case At::body: {
                const std::size_t here = bytes.size() - i;
                const std::uint32_t step =
                    here < direction.left ? static_cast<std::uint32_t>(here) : direction.left;
                direction.left -= step;
                i += step;
                if (direction.left > 0) break;
                end_packet(direction);
                ended = true;
                break;
            }
            case At::open:
                return true;
        }
    }
    return ended;
}

bool Segments::counts(bool from_client, std::uint32_t sequence, ByteView payload,
                      std::uint32_t payload_bytes) noexcept {
    Direction& direction = from_client ? client_ : server_;
    if (!direction.begun) {
        direction.begun = true;
        direction.next_sequence = sequence;
    }
    constexpr std::uint32_t kHalf = std::uint32_t{1} << 31;
    const std::uint32_t known = direction.next_sequence - sequence;  // bytes of it seen before
    const bool hole = known >= kHalf;
    if (!hole && known >= payload_bytes) return false;
    direction.next_sequence = sequence + payload_bytes;
    if (hole || payload.size() < payload_bytes) {
        direction.at = At::open;  // boundaries are lost
        return true;
    }
    const bool ended = walk(direction, payload.subspan(known));
    return ended || !version_known_;
}

}  // namespace seine::ssh
