// EVE JSON of Suricata. Its schema closes the top level and `tls`; `alert.metadata` and the flow
// variables of `metadata` are open, so that is where what Suricata has no name for goes.
#include "control/export/escape.h"
#include "control/export/json_table.h"

namespace seine::siem {
namespace {

constexpr Kinds kAlerts = kAlert | kFarm | kEvidence;
constexpr Kinds kTraffic = kAlert | kFlow;

// Suricata counts from 1, most severe, to 4.
void priority(TextBuffer& out, const EventItems& items) {
    constexpr std::uint64_t kPriority[] = {4, 4, 3, 2, 1, 1};
    append_number(out, kPriority[items.number(Item::severity) % std::size(kPriority)]);
}

void level(TextBuffer& out, const EventItems& items) {
    constexpr std::string_view kLevels[] = {"Info", "Info", "Notice", "Warning", "Error", "Error"};
    append_json_string(out, kLevels[items.number(Item::severity) % std::size(kLevels)]);
}

void one_text(TextBuffer& out, const EventItems& items, Item item) {
    append_json_string(out, items.text(item));
}
void ja3(TextBuffer& out, const EventItems& items) { one_text(out, items, Item::ja3); }
void ja3s(TextBuffer& out, const EventItems& items) { one_text(out, items, Item::ja3s); }

// [{"key":"seine.account","value":".."}, ..]: the form in which Suricata prints flow variables.
void flow_variables(TextBuffer& out, const EventItems& items) {
    constexpr std::pair<std::string_view, Item> kVariables[] = {
        {"seine.uid", Item::uid},
        {"seine.account", Item::account},
        {"seine.organisation", Item::organisation},
        {"seine.ja4_norm", Item::ja4_norm},
        {"seine.ja4s", Item::ja4s},
        {"seine.ja4h", Item::ja4h},
        {"seine.ja4t", Item::ja4t},
        {"seine.h2", Item::h2_akamai},
        {"seine.rtt_tcp_us", Item::rtt_tcp_us},
        {"seine.rtt_tls_us", Item::rtt_tls_us},
        {"seine.rtt_gap_us", Item::rtt_gap_us},
        {"seine.proxied_src", Item::proxied_src},
        {"seine.exchanges", Item::exchanges},
        {"seine.count", Item::count},
        {"seine.incomplete", Item::incomplete},
        {"seine.cut_values", Item::cut_values},
    };
    out.push_back('[');
    for (const auto& [key, item] : kVariables) {
        if (!items.has(item)) continue;
        if (out.back() != '[') out.push_back(',');
        out.append("{\"key\":\"").append(key).append("\",\"value\":");
        const ItemType type = info(item).type;
        append_json_value(out, items, item,
                          type == ItemType::list   ? Form::joined
                          : type == ItemType::text ? Form::plain
                                                   : Form::as_text);
        out.push_back('}');
    }
    out.push_back(']');
}

constexpr Row kRows[] = {
    from(kAnyKind, "timestamp", Item::at, Form::eve_time),
    from(kTraffic, "flow_id", Item::flow_number),
    always(kAlerts, "event_type", "\"alert\""),
    always(kFlow, "event_type", "\"flow\""),
    always(kHealth, "event_type", "\"engine\""),
    from(kAnyKind, "host", Item::sensor),
    from(kTraffic, "src_ip", Item::src),
    from(kTraffic, "src_port", Item::sport),
    from(kTraffic, "dest_ip", Item::dst),
    from(kTraffic, "dest_port", Item::dport),
    from(kTraffic, "proto", Item::proto_upper),
    from(kTraffic, "ip_v", Item::ip_version),
    from(kTraffic, "app_proto", Item::app_name),
    from(kTraffic, "community_id", Item::community_id),
    always(kAlerts, "alert.action", "\"allowed\"", "Seine watches, it does not block"),
    always(kAlerts, "alert.gid", "1"),
    from(kAlert, "alert.signature_id", Item::rule_number),
    always(kFarm, "alert.signature_id", "1", "farm events"),
    always(kEvidence, "alert.signature_id", "2", "evidence against an account"),
    from(kAlert, "alert.rev", Item::rule_version),
    from(kAlerts, "alert.signature", Item::title),
    from(kAlert, "alert.category", Item::rule_category),
    always(kFarm, "alert.category", "\"farm\""),
    always(kEvidence, "alert.category", "\"account\""),
    made(kAlerts, "alert.severity", Item::severity, priority,
         "1 high and critical, 2 medium, 3 low, 4 info"),
    from(kAlerts, "alert.metadata.signature_severity", Item::severity_name, Form::as_list),
    from(kAlerts, "alert.metadata.seine_uid", Item::uid, Form::as_list),
    from(kAlerts, "alert.metadata.seine_kind", Item::kind, Form::as_list),
    from(kAlerts, "alert.metadata.seine_message", Item::message, Form::as_list),
    from(kAlerts, "alert.metadata.seine_confidence", Item::confidence, Form::as_list),
    from(kAlerts, "alert.metadata.seine_account", Item::account, Form::as_list),
    from(kAlerts, "alert.metadata.seine_organisation", Item::organisation, Form::as_list),
    from(kAlerts, "alert.metadata.seine_rule_id", Item::rule_id, Form::as_list),
    from(kAlerts, "alert.metadata.seine_rule_field", Item::rule_field, Form::as_list),
    from(kAlerts, "alert.metadata.seine_rule_value", Item::rule_value, Form::as_list),
    from(kAlerts, "alert.metadata.seine_farm", Item::farm, Form::as_list),
    from(kAlerts, "alert.metadata.seine_farm_event", Item::farm_event, Form::as_list),
    from(kAlerts, "alert.metadata.seine_farm_state", Item::farm_state, Form::as_list),
    from(kAlerts, "alert.metadata.seine_farm_other", Item::farm_other, Form::as_list),
    from(kAlerts, "alert.metadata.seine_farm_reason", Item::farm_reason, Form::as_list),
    from(kAlerts, "alert.metadata.seine_accounts_before", Item::accounts_before, Form::as_list),
    from(kAlerts, "alert.metadata.seine_accounts_now", Item::accounts_now, Form::as_list),
    from(kAlerts, "alert.metadata.seine_score_nats", Item::score_nats, Form::as_list),
    from(kAlerts, "alert.metadata.seine_evidence", Item::evidence, Form::as_list),
    from(kAlerts, "alert.metadata.seine_evidence_groups", Item::evidence_groups, Form::as_list),
    from(kAlerts, "alert.metadata.seine_ja4_norm", Item::ja4_norm, Form::as_list),
    from(kAlerts, "alert.metadata.seine_ja4s", Item::ja4s, Form::as_list),
    from(kAlerts, "alert.metadata.seine_ja4h", Item::ja4h, Form::as_list),
    from(kAlerts, "alert.metadata.seine_ja4x", Item::ja4x, Form::as_list),
    from(kAlerts, "alert.metadata.seine_ja4t", Item::ja4t, Form::as_list),
    from(kAlerts, "alert.metadata.seine_h2", Item::h2_akamai, Form::as_list),
    from(kAlerts, "alert.metadata.seine_rtt_tcp_us", Item::rtt_tcp_us, Form::as_list),
    from(kAlerts, "alert.metadata.seine_rtt_tls_us", Item::rtt_tls_us, Form::as_list),
    from(kAlerts, "alert.metadata.seine_rtt_gap_us", Item::rtt_gap_us, Form::as_list),
    from(kAlerts, "alert.metadata.seine_proxied_src", Item::proxied_src, Form::as_list),
    from(kAlerts, "alert.metadata.seine_count", Item::count, Form::as_list),
    from(kAlerts, "alert.metadata.seine_cut_values", Item::cut_values, Form::as_list),
    from(kTraffic, "flow.pkts_toserver", Item::packets_c),
    from(kTraffic, "flow.pkts_toclient", Item::packets_s),
    from(kTraffic, "flow.bytes_toserver", Item::bytes_c, Form::plain,
         "payload, where Suricata counts frames"),
    from(kTraffic, "flow.bytes_toclient", Item::bytes_s, Form::plain,
         "payload, where Suricata counts frames"),
    from(kTraffic, "flow.start", Item::t_first, Form::eve_time),
    from(kTraffic, "flow.end", Item::t_last, Form::eve_time),
    from(kTraffic, "flow.age", Item::duration_ns, Form::seconds),
    from(kTraffic, "flow.reason", Item::end_reason),
    made(kFlow, "metadata.flowvars", Item::uid, flow_variables,
         "a list of {key, value}: seine.account, seine.organisation, seine.ja4s and the like"),
    from(kTraffic, "tls.sni", Item::sni),
    from(kTraffic, "tls.version", Item::tls_version_name),
    from(kTraffic, "tls.subject", Item::cert_subject),
    from(kTraffic, "tls.issuerdn", Item::cert_issuer),
    from(kTraffic, "tls.serial", Item::cert_serial),
    from(kTraffic, "tls.client_alpns", Item::alpn),
    from(kTraffic, "tls.ja4", Item::ja4),
    made(kTraffic, "tls.ja3.hash", Item::ja3, ja3, "JA3"),
    made(kTraffic, "tls.ja3s.hash", Item::ja3s, ja3s, "JA3S"),
    from(kTraffic, "quic.version", Item::quic_version),
    from(kTraffic, "quic.sni", Item::quic_sni),
    from(kTraffic, "quic.ja4", Item::quic_ja4),
    from(kTraffic, "http.hostname", Item::host),
    from(kTraffic, "http.url", Item::path),
    from(kTraffic, "http.http_user_agent", Item::user_agent),
    from(kTraffic, "http.http_method", Item::method),
    from(kTraffic, "http.protocol", Item::http_version, Form::plain, "the number alone: 1.1"),
    from(kTraffic, "http.status", Item::status),
    from(kTraffic, "ssh.client.software_version", Item::ssh_client),
    from(kTraffic, "ssh.client.hassh.hash", Item::hassh),
    from(kTraffic, "ssh.server.software_version", Item::ssh_server),
    from(kTraffic, "ssh.server.hassh.hash", Item::hassh_server),
    made(kHealth, "log_level", Item::severity, level,
         "Info, Notice, Warning or Error, by severity"),
    from(kHealth, "engine.message", Item::message),
    from(kHealth, "engine.module", Item::title),
};

}  // namespace

const Format& eve_format() {
    static const JsonFormat format(
        "eve", "EVE JSON as Suricata writes it, valid against its schema", kRows);
    return format;
}

}  // namespace seine::siem
