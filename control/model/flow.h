// One connection as control keeps it while it may still be joined: numbers only, texts by id.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "control/model/address.h"
#include "control/model/value.h"
#include "dataplane/base/clock.h"
#include "dataplane/contract/fields.h"
#include "dataplane/contract/frame.h"

namespace seine::model {

// Client and server as the dataplane saw them, innermost addresses; where a balancer spoke PROXY
// protocol the client is the one that it named.
struct Tuple {
    Address client{};
    Address server{};
    std::uint16_t client_port = 0;
    std::uint16_t server_port = 0;
    contract::Proto proto = contract::Proto::tcp;
    friend bool operator==(const Tuple&, const Tuple&) = default;
};

// One turn seen through TLS or QUIC; sizes are ciphertext bytes.
struct Exchange {
    std::uint32_t start_ms = 0;  // after the flow's t_open
    std::uint32_t request_bytes = 0;
    std::uint32_t response_bytes = 0;
    friend bool operator==(const Exchange&, const Exchange&) = default;
};

// Fields are those of the record (docs/records.md); zero or empty: not known.
struct Flow {
    contract::FlowId id;
    Tuple tuple;
    Nanos t_open;   // first packet
    Nanos t_close;  // last packet so far; the end when `closed`
    bool closed = false;
    contract::Seen seen = contract::Seen::both;
    std::uint8_t ttl = 0;  // of the client's first packet
    // Stack.
    ValueId ja4 = 0;
    ValueId ja4_norm = 0;
    ValueId hdr_order = 0;
    ValueId h2_settings = 0;
    ValueId syn = 0;
    ValueId user_agent = 0;
    // Round trips, microseconds; meaningful together only when rtt_valid.
    std::uint32_t rtt_tcp_us = 0;
    std::uint32_t rtt_tls_us = 0;
    std::uint32_t late_hello_us = 0;
    bool rtt_known = false;
    bool rtt_valid = false;
    std::uint32_t retrans = 0;
    // Keyed hashes of tickets, PSK identities and tokens.
    std::vector<std::uint64_t> session_presented;
    std::vector<std::uint64_t> session_issued;
    std::vector<Exchange> exchanges;
};

}  // namespace seine::model
