// Every bound of the packet path in one table. Hitting one is counted, never silent.
#pragma once
#include <cstddef>
#include <cstdint>

#include "dataplane/base/clock.h"

namespace seine::pipeline {

// Defaults of docs/architecture.md; a deployment changes them in the bootstrap file. Memory is reserved
// at start from these and never grows.
struct Limits {
    // Flows.
    std::uint32_t flows_max = 1u << 20;
    std::uint32_t cold_flows_max = 1u << 17;  // flows in a handshake or with a request in flight
    std::int64_t half_open_ns = 10 * kSecond;
    std::int64_t half_seen_ns = 120 * kSecond;  // established, but fingerprints not settled
    std::int64_t settled_ns = 900 * kSecond;
    std::int64_t linger_ns = 2 * kSecond;  // after FIN or RST, for what still comes
    std::int64_t update_every_ns = 60 * kSecond;
    std::int64_t open_after_hello_ns = 1 * kSecond;
    std::int64_t settle_ns = 30 * kSecond;  // a hello waits so long for the server's and for a round trip

    // Input whose clock goes back further begins a time of its own: flows of the time before are closed
    // as their timers come up or their 5-tuple is seen. What goes back less is reordering, and waits.
    std::int64_t time_back_ns_max = 300 * kSecond;

    // For capture files: nobody floods them, and a SYN sent again after a long wait is one attempt.
    static constexpr std::int64_t kHalfOpenOfFilesNs = 120 * kSecond;

    // Streams.
    std::uint32_t hello_bytes_max = 64 * 1024;
    std::uint32_t stream_bytes_max = 256 * 1024;  // out of order or unparsed, a direction
    std::uint32_t stream_segments_max = 512;
    std::size_t stream_pool_bytes = std::size_t{256} << 20;

    // Fragments.
    std::uint32_t fragment_datagrams_max = 4096;
    std::size_t fragment_pool_bytes = std::size_t{32} << 20;
    std::int64_t fragment_ns = 30 * kSecond;

    // Packets remembered to recognise the second copies a SPAN port delivers; 0 switches that off.
    std::uint32_t span_copies_max = 16384;

    // Protocols.
    std::uint32_t quic_datagrams_max = 16;    // before a hello
    std::uint32_t unknown_segments_max = 32;  // searched for a late ClientHello, then given up
    std::uint32_t exchange_blocks_max = 1u << 18;
    std::uint32_t h2_connections_max = 4096;

    // Records.
    std::uint32_t record_bytes_max = 4096;
};

}  // namespace seine::pipeline
