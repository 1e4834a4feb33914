// The packet mix of an API edge: TLS with post-quantum hellos, QUIC, HTTP/1, bulk and the rest, with known truth.
//
// The same kinds of flows, shares and sizes as a capture of an edge would show at the default settings: frames of
// about 765 bytes on average, 5,000 flows at a time. Every byte is made here, checksums are right, sequence
// numbers continuous, QUIC Initials really protected (RFC 9001), so nothing has to be read leniently. The same
// options give the same bytes.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/status.h"

namespace seine::generate {

enum class MixKind : std::uint8_t {
    edge,        // the mix
    handshakes,  // SYN, SYN-ACK, ACK, ClientHello, FIN: nothing else
    quic,        // a client Initial with its whole hello, and the server's answer
    http,        // request heads of 500 bytes on connections of many requests
    settled,     // short TLS handshakes that stay open; for tables of many flows
};

struct MixOptions {
    MixKind kind = MixKind::edge;
    std::uint64_t packets = 1'500'000;  // flows begun until then are played to their end
    unsigned concurrent = 5000;         // flows alive at a time
    std::uint64_t seed = 1;
    unsigned variants = 128;            // hellos made of each client profile
    double gigabits = 10;               // the rate that the timestamps pretend
    double ipv6_share = 0.2;
    double vlan_share = 0.05;
    bool quic = true;
    bool drain = true;                  // false: stop at the packet count
};

// Gets each frame in order of time; false stops the generator.
using MixFrame = std::function<bool(ByteView frame, Nanos time)>;

// What was written: packets, bytes, flows and hellos by kind and client.
using MixCounts = std::map<std::string, std::uint64_t>;

Result<MixCounts> make_mix(const MixOptions& options, const MixFrame& out);

}  // namespace seine::generate
