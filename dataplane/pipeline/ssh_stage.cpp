#include "dataplane/pipeline/ssh_stage.h"

#include "dataplane/fingerprint/hassh.h"
#include "dataplane/pipeline/match_stage.h"

namespace seine::pipeline {
namespace {

using contract::Field;

void on_banner(FlowContext& flow, Side from, const ssh::Banner& banner) noexcept {
    flow.worthy(contract::App::ssh);
    flow.w.counters.add(Counter::ssh_banners);
    flow.fact(from == Side::client ? Field::ssh_client : Field::ssh_server, banner.text);
}

void on_kexinit(FlowContext& flow, Side from, const ssh::KexInit& lists) noexcept {
    FixedString<32> text;
    if (from == Side::client) {
        fingerprint::hassh({lists.kex, lists.encryption_c2s, lists.mac_c2s, lists.compression_c2s},
                           *flow.w.digester, text);
        flow.fact(Field::hassh, text.view());
    } else {
        fingerprint::hassh({lists.kex, lists.encryption_s2c, lists.mac_s2c, lists.compression_s2c},
                           *flow.w.digester, text);
        flow.fact(Field::hassh_server, text.view());
    }
    match_facts(flow, bit(from == Side::client ? signature::Group::ssh_client : signature::Group::ssh_server));
}

}  // namespace

Feed feed_ssh(FlowContext& flow, Side from, ByteView bytes) noexcept {
    ssh::Direction& direction = flow.cold.ssh[index(from)];
    ssh::Banner banner;
    ssh::KexInit kexinit;
    const auto step = direction.feed(bytes, banner, kexinit);
    if (step.parse == Parse::need_more) return {step.consume, Next::wait};
    if (step.parse != Parse::ok) {
        flow.incomplete(Incomplete::ssh_malformed);
        return {step.consume, Next::done};
    }
    if (step.event == ssh::Direction::Event::banner) on_banner(flow, from, banner);
    if (step.event == ssh::Direction::Event::kexinit) on_kexinit(flow, from, kexinit);
    return {step.consume, direction.done() ? Next::done : Next::again};
}

#ifdef SEINE_JA4PLUS

void on_ssh_segment(FlowContext& flow, Side from, const wire::PacketView& packet) noexcept {
    SshState& ssh = flow.cold.ssh_windows;
    if (flow.cold.kind == Cold::Kind::none) {
        flow.cold.kind = Cold::Kind::ssh;
        new (&ssh) SshState();
        ssh.windows.bare_ack(true, flow.cold.bare_acks[0]);
        ssh.windows.bare_ack(false, flow.cold.bare_acks[1]);
        for (unsigned i = 0; i < flow.cold.early_count; ++i) {
            const std::int32_t bytes = flow.cold.early_payload[i];
            static_cast<void>(ssh.windows.packet(
                bytes > 0, static_cast<std::uint32_t>(bytes > 0 ? bytes : -bytes)));
        }
    }
    if (ssh.ended) return;
    const bool client = from == Side::client;
    if (packet.payload_wire_bytes == 0) {
        if (packet.tcp_flags == wire::kTcpAck) ssh.windows.bare_ack(client);
    } else if (ssh.segments.counts(client, packet.seq, packet.payload, packet.payload_wire_bytes) &&
               ssh.windows.packet(client, packet.payload_wire_bytes)) {
        FixedString<fingerprint::kJa4sshBytesMax> text;
        if (ssh.windows.take(text)) flow.fact(Field::ja4ssh, text.view());
    }
    ssh.ended = (packet.tcp_flags & wire::kTcpFin) != 0;
}

void end_ssh(FlowContext& flow) noexcept {
    if (flow.cold.kind != Cold::Kind::ssh) return;
    FixedString<fingerprint::kJa4sshBytesMax> text;
    if (flow.cold.ssh_windows.windows.take(text)) flow.fact(Field::ja4ssh_final, text.view());
}

#else

void on_ssh_segment(FlowContext&, Side, const wire::PacketView&) noexcept {}
void end_ssh(FlowContext&) noexcept {}

#endif

}  // namespace seine::pipeline
