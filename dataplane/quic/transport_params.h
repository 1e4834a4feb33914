// Transport parameters: body of TLS extension 0x0039 (0xffa5 in drafts), in wire order.
#pragma once
#include "dataplane/base/bytes.h"
#include "dataplane/base/fixed_vector.h"
#include "dataplane/base/status.h"

namespace seine::quic {

inline constexpr std::size_t kTransportParamsMax = 64;

// Names of RFC 9000 section 18.2 that somebody here reads.
enum class ParamId : std::uint64_t {
    original_destination_connection_id = 0x00,
    max_idle_timeout = 0x01,
    max_udp_payload_size = 0x03,
    initial_max_data = 0x04,
    initial_source_connection_id = 0x0f,
    retry_source_connection_id = 0x10,
    version_information = 0x11,  // RFC 9368
};

struct TransportParam {
    std::uint64_t id = 0;
    ByteView value;  // borrows from the extension body
};

// 27, 58, 89, ...: sent to be ignored (RFC 9000 section 18.1).
[[nodiscard]] constexpr bool is_grease_param(std::uint64_t id) noexcept {
    return id >= 27 && (id - 27) % 31 == 0;
}

struct TransportParams {
    FixedVector<TransportParam, kTransportParamsMax> list;  // wire order, repeats kept

    // The first of that id, or nullptr.
    [[nodiscard]] const TransportParam* find(ParamId id) const noexcept;
    // A parameter whose value is one integer; false when absent or not exactly one.
    [[nodiscard]] bool number(ParamId id, std::uint64_t& value) const noexcept;
};

//   id (varint) | length (varint) | value ...      to the end of the body
// ok:        the whole list is in `out`.
// malformed: a parameter reaches past the end.
// limit:     more than kTransportParamsMax; the first ones are in `out`.
Parse read_transport_params(ByteView body, TransportParams& out) noexcept;

}  // namespace seine::quic
