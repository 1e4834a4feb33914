#include "dataplane/pipeline/sides.h"

#include <utility>

namespace seine::pipeline {

void swap_sides(FlowContext& flow) noexcept {
    FlowHot& hot = flow.hot;
    Cold& cold = flow.cold;
    const auto swap_flags = [&](Flag a, Flag b) {
        const bool had_a = hot.has(a);
        const bool had_b = hot.has(b);
        had_b ? hot.set(a) : hot.unset(a);
        had_a ? hot.set(b) : hot.unset(b);
    };
    hot.flags = static_cast<std::uint16_t>(hot.flags ^ kClientLow);
    swap_flags(kSeenClient, kSeenServer);
    swap_flags(kFinClient, kFinServer);
    std::swap(hot.packets[0], hot.packets[1]);
    std::swap(hot.payload[0], hot.payload[1]);
    std::swap(hot.next_seq[0], hot.next_seq[1]);
    std::swap(cold.protocol[0], cold.protocol[1]);
    std::swap(cold.syn_seen[0], cold.syn_seen[1]);
    std::swap(cold.numbers.outer_source, cold.numbers.outer_target);
    std::swap(cold.ttl[0], cold.ttl[1]);
    for (std::int32_t& bytes : cold.early_payload) bytes = -bytes;
    std::swap(cold.bare_acks[0], cold.bare_acks[1]);
    std::swap(cold.mss[0], cold.mss[1]);
    std::swap(cold.tls.reader[0], cold.tls.reader[1]);
    std::swap(cold.stream[0], cold.stream[1]);
    std::swap(cold.ssh[0], cold.ssh[1]);
    if (cold.kind == Cold::Kind::quic) std::swap(cold.quic.crypto[0], cold.quic.crypto[1]);
    if (cold.kind == Cold::Kind::dtls) {
        std::swap(cold.dtls.assembler[0], cold.dtls.assembler[1]);
        std::swap(cold.dtls.buffer[0], cold.dtls.buffer[1]);
    }
}

}  // namespace seine::pipeline
