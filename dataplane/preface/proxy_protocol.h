// PROXY protocol version 1 (a text line) and 2 (a binary header), which load balancers put in
// front.
#pragma once
#include <array>

#include "dataplane/base/bytes.h"
#include "dataplane/base/fixed_string.h"
#include "dataplane/base/status.h"

namespace seine::preface {

struct Address {
    std::uint8_t family = 0;  // 4, 6, or 0 when not known
    std::uint16_t port = 0;
    std::array<std::uint8_t, 16> ip{};  // the first 4 for IPv4
};

// What the header says of the connection it stands for. Owns its bytes.
struct ProxyHeader {
    static constexpr std::size_t kV1BytesMax = 107;
    static constexpr std::size_t kV2BytesMax = 16 + 4096;
    static constexpr std::size_t kTlvsMax = 64;

    std::uint8_t version = 0;  // 1 or 2
    bool local = false;        // UNKNOWN or LOCAL: the proxy's own connection (health checks)
    bool udp = false;
    bool tls = false;  // PP2_TYPE_SSL: the client came over TLS to the proxy
    Address source;
    Address target;
    FixedString<128> unique_id;   // TLV 0x05: raw bytes
    FixedString<255> authority;   // TLV 0x02: the name the client asked for (SNI)
    FixedString<32> alpn;         // TLV 0x01
    FixedString<16> tls_version;  // sub-TLV 0x21
};

// ok: `consumed` bytes are the header. need_more, not_this; malformed: the signature is there but
// the rest is not sound; limit: a version 2 header longer than kV2BytesMax or with more than
// kTlvsMax TLVs.
Parse parse_proxy_header(ByteView bytes, ProxyHeader& out, std::size_t& consumed) noexcept;

}  // namespace seine::preface
