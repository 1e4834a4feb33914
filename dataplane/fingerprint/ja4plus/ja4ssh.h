// JA4SSH: the shape of an SSH session in windows of 200 packets (fingerprints.md "JA4SSH", D25,
// D26).
#pragma once
#include <array>
#include <cstdint>

#include "dataplane/base/fixed_string.h"

namespace seine::fingerprint {

inline constexpr std::size_t kJa4sshBytesMax = 48;

// State of one SSH flow: about 430 bytes, fixed. What the references agree on beside the written
// method:
// - a segment counts when ssh::Segments says so; its payload length goes in as it is;
// - bare ACKs count from the first packet of the flow on, so the one that ends the handshake is
// among them;
// - the first FIN ends the last window: nothing behind it counts.
class Ja4ssh {
  public:
    static constexpr std::size_t kWindowPackets = 200;

    // A segment that counts. True: the window is full; call take() before the next.
    bool packet(bool from_client, std::uint32_t payload_bytes) noexcept;
    // Segments whose flags are exactly ACK and that carry nothing; `count` for those before the
    // banner.
    void bare_ack(bool from_client, std::uint32_t count = 1) noexcept {
        (from_client ? client_ : server_).acks += count;
    }
    // Prints the window at hand and begins the next one. False, and nothing printed, when it holds
    // no SSH packet; at the end of the flow this is `ja4ssh_final`.
    bool take(FixedString<kJa4sshBytesMax>& out) noexcept;
    [[nodiscard]] std::size_t packet_count() const noexcept {
        return client_.packets + server_.packets;
    }

  private:
    struct Count {
        std::uint32_t acks = 0;
        std::uint16_t packets = 0;
    };
    // Client lengths fill from the front, server lengths from the back: together at most a window.
    std::array<std::uint16_t, kWindowPackets> lengths_;  // NOLINT: only the counted ends are read
    Count client_;
    Count server_;
};

}  // namespace seine::fingerprint
