// What became of a frame: one outcome each, every one with a counter of its name.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace seine::wire {

// Every outcome of a frame: enumerator (also the counter's name) and its meaning. Wrong IP and TCP
// checksums are no outcome: with checksum offload a capture on the sending host holds mostly wrong
// ones, so they are not looked at.
#define SEINE_DECODE_RESULTS(X)                                                                   \
    X(ok, "a TCP segment or UDP datagram")                                                        \
    X(fragment_held, "a fragment, kept until its datagram is whole")                              \
    X(fragment_duplicate, "a fragment whose bytes were all there already")                        \
    X(fragment_dropped, "a fragment past a bound, in conflict, or of a datagram given up before") \
    X(truncated, "the capture ends inside a header, or inside a fragment")                        \
    X(not_ip, "no IP inside the link layer")                                                      \
    X(not_tcp_udp, "IP with another protocol inside")                                             \
    X(encrypted, "an ESP packet")                                                                 \
    X(vlan_limit, "more than 4 VLAN tags in one stack")                                           \
    X(mpls_limit, "more than 8 MPLS labels in one stack")                                         \
    X(extension_limit, "more than 8 IPv6 extension or AH headers")                                \
    X(tunnel_limit, "more than 4 tunnels, or 5 reassembled datagrams, in one another")            \
    X(malformed_link, "a broken cooked, NFLOG, loopback or PPP header")                           \
    X(malformed_pppoe, "a broken PPPoE header")                                                   \
    X(malformed_ipv4, "a broken IPv4 header")                                                     \
    X(malformed_ipv6, "a broken IPv6 header or extension")                                        \
    X(malformed_fragment, "a fragment with an impossible offset or length")                       \
    X(malformed_tunnel, "a broken tunnel header")                                                 \
    X(malformed_tcp, "a broken TCP header")                                                       \
    X(malformed_udp, "a broken UDP header")

enum class [[nodiscard]] DecodeResult : std::uint8_t {
#define SEINE_X(id, meaning) id,
    SEINE_DECODE_RESULTS(SEINE_X)
#undef SEINE_X
};
inline constexpr std::size_t kDecodeResultCount = 0
#define SEINE_X(id, meaning) +1
    SEINE_DECODE_RESULTS(SEINE_X)
#undef SEINE_X
    ;
[[nodiscard]] std::string_view decode_result_name(DecodeResult result) noexcept;
[[nodiscard]] std::string_view decode_result_meaning(DecodeResult result) noexcept;

}  // namespace seine::wire
