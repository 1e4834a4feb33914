#include "dataplane/pipeline/bypass_stage.h"

#include <algorithm>

namespace seine::pipeline {
namespace {

// Ethernet, IP without options, TCP with time stamps: what most frames of a bulk flow carry beside payload.
std::uint64_t payload_of(const FlowHot& hot, std::uint64_t packets, std::uint64_t bytes) noexcept {
    const std::uint64_t overhead = 14u + (hot.has(kIpv6) ? 40u : 20u) + (hot.has(kUdp) ? 8u : 32u);
    return bytes - std::min(bytes, packets * overhead);
}

}  // namespace

void ask_bypass(Workspace& w, flow::FlowId id) noexcept {
    FlowHot& hot = (*w.table)[id];
    if (w.bypass == nullptr || hot.has(kBypass) || hot.app == contract::App::tls || hot.app == contract::App::quic) return;
    if (!w.bypass->asks.push({w.table->key(id), id, hot.number, false})) return w.counters.add(Counter::bypass_queue_full);
    w.counters.add(Counter::bypass_asked);
    hot.set(kBypass);
}

void take_bypassed(Workspace& w, Nanos now) noexcept {
    BypassCount count;
    while (w.bypass->counts.pop(count)) {
        if (!w.table->live(count.flow)) continue;
        FlowHot& hot = (*w.table)[count.flow];
        if (hot.number != count.number || !hot.has(kBypass)) continue;
        for (const bool from_low : {true, false}) {
            const std::uint64_t packets = count.packets[from_low ? 0 : 1];
            if (packets == 0) continue;
            const unsigned side = from_low == hot.has(kClientLow) ? 0 : 1;
            const std::uint64_t payload = payload_of(hot, packets, count.bytes[from_low ? 0 : 1]);
            constexpr std::uint64_t kPacketsMax = 0xffffffff;
            hot.packets[side] = static_cast<std::uint32_t>(std::min(hot.packets[side] + packets, kPacketsMax));
            hot.payload[side] += payload;
            hot.next_seq[side] += static_cast<std::uint32_t>(payload);
            w.counters.add(Counter::packets_bypassed, packets);
            hot.last_seen = std::max(hot.last_seen, now);
        }
        w.table->touch(count.flow, static_cast<flow::Ticks>(hot.last_seen.count >> 20));
    }
}

}  // namespace seine::pipeline
