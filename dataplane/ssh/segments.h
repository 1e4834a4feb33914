// Which TCP segments of an SSH connection JA4SSH counts as SSH packets.
#pragma once
#include "dataplane/base/bytes.h"

namespace seine::ssh {

// The references count a segment when a message ends in it: while packets are in clear (up to
// NEWKEYS, RFC 4253 section 7.3) a segment that only holds the front or the middle of one counts no
// more than a second copy of bytes already seen. Boundaries are followed once a side has said
// protocol 2.0; before that, and in ciphertext, every segment with new bytes counts. 56 bytes,
// fixed; keeps nothing of the stream but the first bytes of the line or packet at hand.
class Segments {
  public:
    // Segments in capture order. `payload` is what was captured of `payload_bytes` on the wire.
    bool counts(bool from_client, std::uint32_t sequence, ByteView payload,
                std::uint32_t payload_bytes) noexcept;

  private:
    enum class At : std::uint8_t { line, header, body, open };
    struct Direction {
        std::uint32_t next_sequence = 0;
        std::uint32_t left = 0;      // of the packet at hand
        std::uint8_t front[8] = {};  // of the line or packet at hand
        std::uint8_t front_bytes = 0;
        std::uint8_t message = 0;
        At at = At::line;
        bool begun = false;
    };
    bool walk(Direction& direction, ByteView bytes) noexcept;
    void end_line(Direction& direction) noexcept;
    static void end_packet(Direction& direction) noexcept;

    Direction client_;
    Direction server_;
    bool version_known_ = false;
};

}  // namespace seine::ssh
