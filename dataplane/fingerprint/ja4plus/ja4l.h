// JA4L and JA4LS: half of a handshake's round trip and the TTL (JA4+: see NOTICE in this folder).
#pragma once
#include <cstdint>

#include "dataplane/base/clock.h"
#include "dataplane/base/fixed_string.h"

namespace seine::fingerprint {

using Ja4lText = FixedString<32>;

// floor((later - earlier) / 2 in us)_ttl; both times are cut to microseconds first (D18, D20, D29). False,
// and `out` empty, when time runs backwards.
bool ja4l_part(Nanos earlier, Nanos later, std::uint8_t ttl, Ja4lText& out) noexcept;

// The three times of a TCP handshake. The first SYN, the first SYN-ACK and the first ACK count, each with
// the TTL it carried (D17, D30).
class Ja4lTcp {
  public:
    void syn(Nanos now, std::uint8_t ttl) noexcept;      // SYN without ACK
    void syn_ack(Nanos now, std::uint8_t ttl) noexcept;
    // A client segment with ACK and without SYN that completes the handshake: sequence number ISN + 1 and
    // acknowledgement of the server's ISN + 1. The caller compares the numbers.
    void handshake_ack(Nanos now) noexcept;

    // False, and `out` empty, while the packets for it were not seen.
    bool client(Ja4lText& out) const noexcept;  // ja4l_c: SYN-ACK to ACK, TTL of the SYN
    bool server(Ja4lText& out) const noexcept;  // ja4l_s: SYN to SYN-ACK, TTL of the SYN-ACK
    [[nodiscard]] bool complete() const noexcept { return seen_ == 7; }

  private:
    Nanos syn_, syn_ack_, ack_;
    std::uint8_t client_ttl_ = 0;
    std::uint8_t server_ttl_ = 0;
    std::uint8_t seen_ = 0;  // bits: 1 SYN, 2 SYN-ACK, 4 ACK
};

// The four times of a QUIC handshake: first client Initial, first server Initial, last server Handshake
// packet before the first client Handshake packet (D21).
class Ja4lQuic {
  public:
    void client_initial(Nanos now, std::uint8_t ttl) noexcept;
    void server_initial(Nanos now, std::uint8_t ttl) noexcept;
    void server_handshake(Nanos now) noexcept;
    void client_handshake(Nanos now) noexcept;

    bool client(Ja4lText& out) const noexcept;
    bool server(Ja4lText& out) const noexcept;
    [[nodiscard]] bool complete() const noexcept { return (seen_ & 8) != 0; }

  private:
    Nanos client_initial_, server_initial_, server_handshake_, client_handshake_;
    std::uint8_t client_ttl_ = 0;
    std::uint8_t server_ttl_ = 0;
    std::uint8_t seen_ = 0;  // bits: 1 client Initial, 2 server Initial, 4 server and 8 client Handshake
};

}  // namespace seine::fingerprint
