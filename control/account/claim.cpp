#include "control/account/claim.h"

#include <algorithm>

namespace seine::account {

bool read_claim(Connections& connections, const SourceRecord& source, std::uint16_t gateway, Nanos now,
                Claim& out) {
    const contract::AccountRecord& r = source.record;
    const bool udp = r.proto == static_cast<std::uint8_t>(contract::Proto::udp);
    out.identity = connections.identities().hold(identity_of(r));
    if (out.identity == 0) return false;
    if (r.client_port != 0) {
        out.tuple_key = connections.tuple_key(r.client_ip, r.client_port, r.proto);
    }
    if (udp) out.address_key = connections.address_key(r.client_ip);
    if (source.unique_id != 0) out.id_key = connections.id_key(source.unique_id);
    if (r.session_hint != 0) out.session_key = connections.session_key(r.session_hint);
    if (r.server_port != 0) out.server = connections.servers().hold({r.server_ip, r.server_port});
    out.session_hint = r.session_hint;
    out.header_desc = r.header_desc;
    out.request = source.request;
    // Microseconds since 1970 fit; a nonsensical time is cut, and then fits no flow.
    constexpr std::uint64_t kUsMax = std::uint64_t{1} << 52;
    out.t_req = static_cast<std::int64_t>(std::min(r.t_req_us, kUsMax)) * kMicrosecond;
    out.received = now.count;
    out.t_conn_before_ms = Claim::kNoConn;
    if (r.t_conn_us != 0 && r.t_conn_us <= r.t_req_us) {
        const std::uint64_t before = (r.t_req_us - r.t_conn_us) / 1000;
        if (before < Claim::kNoConn) out.t_conn_before_ms = static_cast<std::uint32_t>(before);
    }
    out.gateway = gateway;
    out.endpoint = r.endpoint_id;
    out.model = r.model_id;
    out.flags = r.flags;
    out.status_class = r.status_class;
    out.limit_flag = r.limit_flag;
    out.mode = static_cast<std::uint8_t>(source.mode);
    out.sampled = source.time_known ? 0 : 1;
    return true;
}

}  // namespace seine::account
