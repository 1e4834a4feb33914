// Reads the transport parameters extension.
#include "dataplane/quic/transport_params.h"

#include "dataplane/quic/varint.h"

namespace seine::quic {

const TransportParam* TransportParams::find(ParamId id) const noexcept {
    for (const TransportParam& param : list) {
        if (param.id == static_cast<std::uint64_t>(id)) return &param;
    }
    return nullptr;
}

bool TransportParams::number(ParamId id, std::uint64_t& value) const noexcept {
    const TransportParam* param = find(id);
    if (param == nullptr) return false;
    ByteReader in(param->value);
    const std::uint64_t read = varint(in);
    if (in.failed() || !in.empty()) return false;
    value = read;
    return true;
}

Parse read_transport_params(ByteView body, TransportParams& out) noexcept {
    out.list.clear();
    ByteReader in(body);
    while (!in.empty()) {
        TransportParam param;
        param.id = varint(in);
        param.value = varint_vector(in);
        if (in.failed()) return Parse::malformed;
        if (!out.list.push(param)) return Parse::limit;
    }
    return Parse::ok;
}

}  // namespace seine::quic
