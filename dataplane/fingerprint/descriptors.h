// Seine's own descriptors: the SYN of a stack as text, and the two round trips of one handshake.
#pragma once
#include <cstdint>
#include <string_view>

#include "dataplane/base/clock.h"
#include "dataplane/base/fixed_string.h"
#include "dataplane/wire/packet_view.h"

namespace seine::fingerprint {

inline constexpr std::size_t kSynBytesMax = 144;
using SynText = FixedString<kSynBytesMax>;

// The free SYN descriptor of a SYN (or SYN-ACK), five parts joined by '/':
//
//   4/64/x44/M1460.S.T.N.W7/de
//   | |  |   |              `- flags, in this order; '-' if none:
//   | |  |   |                   d  DF set (IPv4 only)       e  ECN asked for (ECE and CWR on a SYN,
//   | |  |   |                                                 ECE alone on a SYN-ACK)
//   | |  |   |                   p  payload in the SYN       i  IPv4 id not zero although DF is set
//   | |  |   |                   u  URG, PSH or FIN          b  option list broken or cut
//   | |  |   `- options in wire order joined by '.', with their values; '-' if none:
//   | |  |        M1460 maximum segment size   W7 window scale   S selective ACK permitted
//   | |  |        T timestamps   N no operation   E end of list (each byte)   F fast open
//   | |  |        X77 any other kind; '?' behind a letter: not the length its RFC gives
//   | |  `- window: xN if it is N times the segment size (N = 1 to 64), yN if N times that plus the
//   | |     header bytes (40, over IPv6 60), else the raw field
//   | `- initial TTL class: the smallest of 32, 64, 128, 255 not below the observed TTL
//   `- IP version
//
// It carries the facts of the window_options_MSS_scale form (x and y times the MSS give the window back),
// in a layout of our own. `out` is replaced.
void syn_descriptor(const wire::PacketView& syn, SynText& out) noexcept;

// Why a round-trip sample does not count, as bits: enumerator (also its name in records) and meaning.
#define SEINE_RTT_CAUSES(X)                                                                    \
    X(retransmission, "a segment between t1 and t4 was sent twice")                            \
    X(reordering, "segments between t1 and t4 came out of order")                              \
    X(hello_retry, "HelloRetryRequest")                                                        \
    X(early_data, "TLS 1.3 early data")                                                        \
    X(fast_open, "data in the SYN")                                                            \
    X(abbreviated, "abbreviated TLS 1.2 handshake")                                            \
    X(client_certificate, "the server asked for a client certificate in clear")                \
    X(flight_too_long, "the server's flight is longer than 10 segments")                       \
    X(one_direction, "only one direction was seen")                                            \
    X(poll_gap, "the receiver paused for more than 1 ms between t1 and t4")                    \
    X(incomplete, "the handshake was not seen to its end")                                     \
    X(time_back, "timestamps run backwards")                                                   \
    X(loss, "the capture lost segments")

enum class RttCause : std::uint8_t {
#define SEINE_X(id, meaning) id,
    SEINE_RTT_CAUSES(SEINE_X)
#undef SEINE_X
        count_
};
[[nodiscard]] constexpr std::uint16_t rtt_bit(RttCause cause) noexcept {
    return static_cast<std::uint16_t>(1u << static_cast<unsigned>(cause));
}
[[nodiscard]] std::string_view rtt_cause_name(RttCause cause) noexcept;
// Names of all bits set, joined by ','; nothing for 0.
using RttCauseText = FixedString<192>;
void rtt_cause_names(std::uint16_t causes, RttCauseText& out) noexcept;

// The sample of one connection. A time that could not be measured is -1.
struct RttSample {
    std::int32_t rtt_tcp_us = -1;     // t2 - t1: to whoever ends TCP
    std::int32_t rtt_tls_us = -1;     // t4 - t3: to whoever ends TLS, its crypto time included
    std::int32_t late_hello_us = -1;  // from the end of the TCP handshake to the client's first byte
    std::uint16_t causes = 0;         // bits of RttCause
    bool valid = false;               // both measured and no cause
};

// Inputs of the cross-layer round trip (docs: detection, 3.1), fed by what the pipeline sees:
//
//   SYN-ACK out t1 | first ACK in t2 | hello in ... | server's flight out, last byte t3 | client's next bytes in t4
//
// t3 is the last server payload before the next client payload, since the end of the flight is encrypted in
// TLS 1.3. Events come in the order of the capture; after t4 (measured()) all are ignored but the marks
// client_certificate and abbreviated. Before t1 only fast_open counts, since what was sent again before the
// SYN-ACK disturbs nothing.
class CrossLayerRtt {
  public:
    static constexpr std::int64_t kPollGapNsMax = kMillisecond;
    static constexpr unsigned kFlightSegmentsMax = 10;

    void syn_ack(Nanos now) noexcept;           // a second one marks a retransmission
    void client_ack(Nanos now) noexcept;        // any client segment with ACK, without SYN; the first counts
    void client_payload(Nanos now) noexcept;    // in capture order, retransmissions left out
    // The client's hello is complete; called after client_payload of the segment that completed it.
    void client_hello() noexcept;
    void server_payload(Nanos now, std::uint32_t payload_bytes) noexcept;
    void mark(RttCause cause) noexcept;         // retransmission, hello_retry, ... as they are seen
    void poll_gap(std::int64_t gap_ns) noexcept;  // time between two polls of the receiver
    void set_mss(std::uint16_t mss) noexcept;   // the smaller of both; 1460 until told

    [[nodiscard]] bool measured() const noexcept { return stage_ == Stage::measured; }
    // False before t1: nothing worth feeding yet.
    [[nodiscard]] bool started() const noexcept { return stage_ != Stage::idle; }
    [[nodiscard]] RttSample sample() const noexcept;

  private:
    enum class Stage : std::uint8_t { idle, syn_ack_out, established, hello, flight, measured };
    enum Seen : std::uint8_t { kT1 = 1, kT2 = 2, kT3 = 4, kT4 = 8, kClient = 16, kServer = 32, kClientByte = 64 };
    [[nodiscard]] bool seen(unsigned bits) const noexcept { return (seen_ & bits) == bits; }
    void see(unsigned bits) noexcept { seen_ = static_cast<std::uint8_t>(seen_ | bits); }

    Nanos t1_, t2_, t3_, t4_;
    Nanos first_client_;
    std::uint32_t flight_bytes_ = 0;
    std::uint16_t mss_ = 1460;
    std::uint16_t causes_ = 0;
    Stage stage_ = Stage::idle;
    std::uint8_t seen_ = 0;
};
static_assert(sizeof(CrossLayerRtt) <= 64);

}  // namespace seine::fingerprint
