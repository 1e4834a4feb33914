// Elastic Common Schema. It has no field for JA4 and none for farms: those stand under `seine.`,
// every fingerprint is also in related.hash, and accounts are in user.id as keyed tags.
#include "control/export/escape.h"
#include "control/export/json_table.h"

namespace seine::siem {
namespace {

constexpr Kinds kTraffic = kAlert | kFlow;
constexpr Kinds kFinding = kAlert | kFarm | kEvidence;

void tls_protocol(TextBuffer& out, const EventItems&) { out += "\"tls\""; }

void related_ip(TextBuffer& out, const EventItems& items) {
    out.push_back('[');
    for (const Item item : {Item::src, Item::dst, Item::proxied_src}) {
        if (!items.has(item)) continue;
        if (out.back() != '[') out.push_back(',');
        append_json_string(out, items.text(item));
    }
    out.push_back(']');
}

void related_hosts(TextBuffer& out, const EventItems& items) {
    out.push_back('[');
    append_json_string(out, items.text(Item::sni));
    if (items.has(Item::host) && items.text(Item::host) != items.text(Item::sni)) {
        out.push_back(',');
        append_json_string(out, items.text(Item::host));
    }
    out.push_back(']');
}

void first_vlan(TextBuffer& out, const EventItems& items) {
    append_json_string(out, items.list(Item::vlan).front());
}

constexpr Row kRows[] = {
    from(kAnyKind, "@timestamp", Item::at),
    always(kAnyKind, "ecs.version", "\"8.11.0\""),
    from(kAnyKind, "message", Item::message),
    always(kFinding, "event.kind", "\"alert\""),
    always(kFlow, "event.kind", "\"event\""),
    always(kHealth, "event.kind", "\"state\""),
    always(kAlert, "event.category", "[\"intrusion_detection\",\"network\"]"),
    always(kFlow, "event.category", "[\"network\"]"),
    always(kFarm | kEvidence, "event.category", "[\"threat\"]"),
    always(kHealth, "event.category", "[\"host\"]"),
    always(kFlow, "event.type", "[\"connection\",\"info\"]"),
    always(kFinding, "event.type", "[\"indicator\"]"),
    always(kHealth, "event.type", "[\"info\"]"),
    from(kAnyKind, "event.action", Item::kind),
    from(kAnyKind, "event.id", Item::uid),
    from(kAnyKind, "event.sequence", Item::sequence),
    from(kAnyKind, "event.created", Item::known_at),
    from(kAnyKind, "event.severity", Item::severity),
    from(kFinding, "event.risk_score", Item::risk_score),
    from(kTraffic, "event.start", Item::t_first),
    from(kTraffic, "event.end", Item::t_last),
    from(kTraffic, "event.duration", Item::duration_ns),
    from(kTraffic, "event.reason", Item::end_reason),
    always(kAnyKind, "event.module", "\"seine\""),
    always(kAlert, "event.dataset", "\"seine.alert\""),
    always(kFlow, "event.dataset", "\"seine.flow\""),
    always(kFarm, "event.dataset", "\"seine.farm\""),
    always(kEvidence, "event.dataset", "\"seine.evidence\""),
    always(kHealth, "event.dataset", "\"seine.health\""),
    from(kTraffic, "source.ip", Item::src),
    from(kTraffic, "source.port", Item::sport),
    from(kTraffic, "source.packets", Item::packets_c),
    from(kTraffic, "source.bytes", Item::bytes_c),
    from(kTraffic, "destination.ip", Item::dst),
    from(kTraffic, "destination.port", Item::dport),
    from(kTraffic, "destination.packets", Item::packets_s),
    from(kTraffic, "destination.bytes", Item::bytes_s),
    from(kTraffic, "network.transport", Item::proto),
    from(kTraffic, "network.protocol", Item::app_name),
    from(kTraffic, "network.type", Item::network_type),
    from(kTraffic, "network.community_id", Item::community_id),
    from(kTraffic, "network.bytes", Item::bytes),
    from(kTraffic, "network.packets", Item::packets),
    made(kTraffic, "network.vlan.id", Item::vlan, first_vlan, "the outermost"),
    from(kTraffic, "tls.version", Item::tls_version),
    made(kTraffic, "tls.version_protocol", Item::tls_version, tls_protocol, "tls"),
    from(kTraffic, "tls.cipher", Item::tls_cipher),
    from(kTraffic, "tls.client.server_name", Item::sni),
    from(kTraffic, "tls.client.ja3", Item::ja3),
    from(kTraffic, "tls.server.ja3s", Item::ja3s),
    from(kTraffic, "tls.server.subject", Item::cert_subject),
    from(kTraffic, "tls.server.issuer", Item::cert_issuer),
    from(kTraffic, "http.version", Item::http_version),
    from(kTraffic, "http.request.method", Item::method),
    from(kTraffic, "http.request.body.bytes", Item::request_bytes),
    from(kTraffic, "http.response.status_code", Item::status),
    from(kTraffic, "http.response.body.bytes", Item::response_bytes),
    from(kTraffic, "url.domain", Item::host),
    from(kTraffic, "url.path", Item::path),
    from(kTraffic, "user_agent.original", Item::user_agent),
    from(kAnyKind, "user.id", Item::account),
    from(kAnyKind, "organization.id", Item::organisation),
    from(kAlert, "rule.id", Item::rule_id),
    from(kAlert, "rule.version", Item::rule_version, Form::as_text),
    from(kAlert, "rule.name", Item::rule_title),
    from(kAlert, "rule.category", Item::rule_category),
    always(kAnyKind, "observer.vendor", "\"Seine\""),
    always(kAnyKind, "observer.product", "\"Seine\""),
    always(kAnyKind, "observer.type", "\"ids\""),
    from(kAnyKind, "observer.version", Item::product_version),
    from(kAnyKind, "observer.name", Item::sensor),
    made(kTraffic, "related.ip", Item::src, related_ip,
         "client, server and the client by the PROXY header"),
    made(kTraffic, "related.hosts", Item::sni, related_hosts, "server name and host"),
    from(kTraffic, "related.hash", Item::fingerprints),
    from(kAnyKind, "related.user", Item::account, Form::as_list),
    from(kAnyKind, "seine.title", Item::title),
    from(kAnyKind, "seine.severity", Item::severity_name),
    from(kAnyKind, "seine.count", Item::count),
    from(kAnyKind, "seine.cut_values", Item::cut_values),
    from(kFinding, "seine.confidence", Item::confidence),
    from(kTraffic, "seine.flow_id", Item::flow_id),
    from(kTraffic, "seine.app", Item::app),
    from(kTraffic, "seine.seen", Item::seen_directions),
    from(kTraffic, "seine.tls.ja4", Item::ja4),
    from(kTraffic, "seine.tls.ja4_norm", Item::ja4_norm),
    from(kTraffic, "seine.tls.ja4s", Item::ja4s),
    from(kTraffic, "seine.tls.ja4x", Item::ja4x),
    from(kTraffic, "seine.tls.alpn", Item::alpn),
    from(kTraffic, "seine.tls.ech", Item::ech),
    from(kTraffic, "seine.quic.version", Item::quic_version),
    from(kTraffic, "seine.http.ja4h", Item::ja4h),
    from(kTraffic, "seine.http.header_order", Item::hdr_order),
    from(kTraffic, "seine.http.h2", Item::h2_akamai),
    from(kTraffic, "seine.http.h2_settings", Item::h2_settings),
    from(kTraffic, "seine.http.requests", Item::requests),
    from(kTraffic, "seine.exchanges", Item::exchanges),
    from(kTraffic, "seine.tcp.ja4t", Item::ja4t),
    from(kTraffic, "seine.tcp.ja4ts", Item::ja4ts),
    from(kTraffic, "seine.tcp.syn", Item::syn),
    from(kTraffic, "seine.tcp.retransmits", Item::retrans),
    from(kTraffic, "seine.ssh.client", Item::ssh_client),
    from(kTraffic, "seine.ssh.server", Item::ssh_server),
    from(kTraffic, "seine.ssh.hassh", Item::hassh),
    from(kTraffic, "seine.ssh.hassh_server", Item::hassh_server),
    from(kTraffic, "seine.ssh.ja4ssh", Item::ja4ssh),
    from(kTraffic, "seine.rtt.tcp_us", Item::rtt_tcp_us),
    from(kTraffic, "seine.rtt.tls_us", Item::rtt_tls_us),
    from(kTraffic, "seine.rtt.gap_us", Item::rtt_gap_us),
    from(kTraffic, "seine.rtt.valid", Item::rtt_valid),
    from(kTraffic, "seine.rtt.late_hello_us", Item::late_hello_us),
    from(kTraffic, "seine.ttl", Item::ttl),
    from(kTraffic, "seine.proxied_ip", Item::proxied_src),
    from(kTraffic, "seine.proxied_port", Item::proxied_sport),
    from(kTraffic, "seine.tunnel", Item::tunnel),
    from(kTraffic, "seine.incomplete", Item::incomplete),
    from(kAlert, "seine.rule.field", Item::rule_field),
    from(kAlert, "seine.rule.value", Item::rule_value),
    from(kFinding, "seine.farm.id", Item::farm),
    from(kFinding, "seine.farm.event", Item::farm_event),
    from(kFinding, "seine.farm.state", Item::farm_state),
    from(kFinding, "seine.farm.other", Item::farm_other),
    from(kFinding, "seine.farm.accounts_before", Item::accounts_before),
    from(kFinding, "seine.farm.accounts", Item::accounts_now),
    from(kFinding, "seine.farm.reason", Item::farm_reason),
    from(kFinding, "seine.score_nats", Item::score_nats),
    from(kFinding, "seine.evidence", Item::evidence),
    from(kFinding, "seine.evidence_count", Item::evidence_count),
    from(kFinding, "seine.evidence_groups", Item::evidence_groups),
};

}  // namespace

const Format& ecs_format() {
    static const JsonFormat format("ecs", "Elastic Common Schema, with own fields under `seine.`",
                                   kRows);
    return format;
}

}  // namespace seine::siem
