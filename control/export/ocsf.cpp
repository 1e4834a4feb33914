// Open Cybersecurity Schema Framework: findings as Detection Finding (2004), flows as Network
// Activity (4001) or, where a request head was seen, HTTP Activity (4002), health as Application
// Error (6008).
#include <algorithm>

#include "control/export/escape.h"
#include "control/export/json_table.h"

namespace seine::siem {
namespace {

constexpr Kinds kFinding = kAlert | kFarm | kEvidence;

// `{"key":value,..}` of those items that are there.
struct Pair {
    std::string_view key;  // with what stands around it: R"(,"name":)"
    Item item;
    Form form = Form::plain;
};
void append_members(TextBuffer& out, const EventItems& items, std::span<const Pair> pairs) {
    for (const Pair& pair : pairs) {
        if (!items.has(pair.item)) continue;
        out += pair.key.substr(out.back() == '{' ? 1 : 0);
        append_json_value(out, items, pair.item, pair.form);
    }
}
void append_object(TextBuffer& out, const EventItems& items, std::span<const Pair> pairs) {
    out.push_back('{');
    append_members(out, items, pairs);
    out.push_back('}');
}

// Activities of HTTP Activity are the methods; 99 is any other.
constexpr std::string_view kMethods[] = {"",        "CONNECT", "DELETE", "GET",  "HEAD",
                                         "OPTIONS", "POST",    "PUT",    "TRACE"};

bool is_http(const EventItems& items) {
    return items.kind() == kFlow && (items.has(Item::method) || items.has(Item::status));
}

std::uint64_t activity(const EventItems& items) {
    using Kind = model::FarmEvent::Kind;
    if (items.kind() == kFarm) {
        const Kind kind = items.event().farm.kind;
        if (kind == Kind::found) return 1;
        return kind == Kind::remediated || kind == Kind::dismissed || kind == Kind::merged ? 3 : 2;
    }
    if (items.kind() != kFlow) return 1;
    if (is_http(items)) {
        if (!items.has(Item::method)) return 0;
        const auto* found =
            std::find(std::begin(kMethods) + 1, std::end(kMethods), items.text(Item::method));
        return found == std::end(kMethods)
                   ? 99
                   : static_cast<std::uint64_t>(found - std::begin(kMethods));
    }
    if (items.has(Item::end_reason)) return 2;
    return items.has(Item::packets) ? 6 : 1;
}

std::uint64_t class_uid(const EventItems& items) {
    if (items.kind() == kHealth) return 6008;
    if (items.kind() != kFlow) return 2004;
    return is_http(items) ? 4002 : 4001;
}

void activity_id(TextBuffer& out, const EventItems& items) { append_number(out, activity(items)); }
void activity_name(TextBuffer& out, const EventItems& items) {
    if (items.kind() == kFarm) return append_json_string(out, items.text(Item::farm_event));
    if (is_http(items) && items.has(Item::method))
        return append_json_string(out, items.text(Item::method));
    append_json_string(out, items.text(Item::kind));
}
void category_uid(TextBuffer& out, const EventItems& items) {
    append_number(out, class_uid(items) / 1000);
}
void class_number(TextBuffer& out, const EventItems& items) {
    append_number(out, class_uid(items));
}
void type_uid(TextBuffer& out, const EventItems& items) {
    append_number(out, class_uid(items) * 100 + activity(items));
}
void severity(TextBuffer& out, const EventItems& items) {
    constexpr std::string_view kNames[] = {"Unknown", "Informational", "Low",
                                           "Medium",  "High",          "Critical"};
    append_json_string(out, kNames[items.number(Item::severity) % std::size(kNames)]);
}

// What stays the same while a finding is updated: the farm, the account, else the event.
void finding_uid(TextBuffer& out, const EventItems& items) {
    Item item = Item::uid;
    if (items.kind() == kFarm && items.has(Item::farm)) item = Item::farm;
    if (items.kind() == kEvidence && items.has(Item::account)) item = Item::account;
    append_json_string(out, items.text(item));
}

void percent(TextBuffer& out, const EventItems& items) {
    append_number(out, static_cast<std::uint64_t>(items.real(Item::confidence) * 100 + 0.5));
}

void fingerprints(TextBuffer& out, const EventItems& items) {
    constexpr std::pair<int, Item> kTypes[] = {
        {1, Item::ja4}, {2, Item::ja4s}, {4, Item::ja4l_c}, {7, Item::ja4t}, {8, Item::ja4ts}};
    constexpr std::pair<int, Item> kLists[] = {{3, Item::ja4h}, {5, Item::ja4x}, {6, Item::ja4ssh}};
    out.push_back('[');
    const auto add = [&out](int type, std::string_view value) {
        if (out.back() != '[') out.push_back(',');
        out += "{\"type_id\":";
        append_number(out, static_cast<std::uint64_t>(type));
        out += ",\"value\":";
        append_json_string(out, value);
        out.push_back('}');
    };
    for (const auto& [type, item] : kTypes) {
        if (items.has(item)) add(type, items.text(item));
    }
    for (const auto& [type, item] : kLists) {
        if (!items.has(item)) continue;
        for (const std::string_view value : items.list(item)) add(type, value);
    }
    out.push_back(']');
}

constexpr Pair kSource[] = {{R"(,"ip":)", Item::src}, {R"(,"port":)", Item::sport}};
constexpr Pair kTarget[] = {
    {R"(,"ip":)", Item::dst}, {R"(,"port":)", Item::dport}, {R"(,"hostname":)", Item::sni}};
constexpr Pair kConnection[] = {{R"(,"uid":)", Item::flow_id},
                                {R"(,"community_uid":)", Item::community_id},
                                {R"(,"protocol_name":)", Item::proto},
                                {R"(,"protocol_num":)", Item::proto_number},
                                {R"(,"protocol_ver_id":)", Item::ip_version}};
constexpr Pair kTraffic[] = {
    {R"(,"bytes":)", Item::bytes},          {R"(,"bytes_in":)", Item::bytes_s},
    {R"(,"bytes_out":)", Item::bytes_c},    {R"(,"packets":)", Item::packets},
    {R"(,"packets_in":)", Item::packets_s}, {R"(,"packets_out":)", Item::packets_c}};

void source(TextBuffer& out, const EventItems& items) { append_object(out, items, kSource); }
void target(TextBuffer& out, const EventItems& items) { append_object(out, items, kTarget); }
void traffic(TextBuffer& out, const EventItems& items) { append_object(out, items, kTraffic); }

void connection(TextBuffer& out, const EventItems& items) {
    out += "{\"direction_id\":1";
    append_members(out, items, kConnection);
    out.push_back('}');
}

void tls(TextBuffer& out, const EventItems& items) {
    out += "{\"version\":";
    append_json_string(out,
                       items.has(Item::tls_version) ? items.text(Item::tls_version) : "unknown");
    constexpr Pair kTls[] = {{R"(,"cipher":)", Item::tls_cipher}, {R"(,"sni":)", Item::sni}};
    append_members(out, items, kTls);
    for (const auto& [key, item] :
         {std::pair{"ja3_hash", Item::ja3}, std::pair{"ja3s_hash", Item::ja3s}}) {
        if (!items.has(item)) continue;
        out.append(",\"").append(key).append("\":{\"algorithm_id\":1,\"value\":");
        append_json_string(out, items.text(item));
        out.push_back('}');
    }
    out.push_back('}');
}

void http_request(TextBuffer& out, const EventItems& items) {
    // Methods that the schema does not list are in activity_name alone.
    const bool listed = std::find(std::begin(kMethods) + 1, std::end(kMethods),
                                  items.text(Item::method)) != std::end(kMethods);
    out.push_back('{');
    constexpr Pair kMethod[] = {{R"(,"http_method":)", Item::method}};
    if (listed) append_members(out, items, kMethod);
    constexpr Pair kRequest[] = {{R"(,"version":)", Item::http_version},
                                 {R"(,"user_agent":)", Item::user_agent},
                                 {R"(,"body_length":)", Item::request_bytes}};
    append_members(out, items, kRequest);
    if (items.has(Item::path)) {
        constexpr Pair kUrl[] = {{R"(,"hostname":)", Item::host}, {R"(,"path":)", Item::path}};
        if (out.back() != '{') out.push_back(',');
        out += "\"url\":";
        append_object(out, items, kUrl);
    }
    out.push_back('}');
}

void http_response(TextBuffer& out, const EventItems& items) {
    constexpr Pair kResponse[] = {{R"(,"code":)", Item::status},
                                  {R"(,"body_length":)", Item::response_bytes}};
    append_object(out, items, kResponse);
}

void analytic(TextBuffer& out, const EventItems& items) {
    // 1 rule, 3 statistical.
    out += items.kind() == kAlert ? "{\"type_id\":1" : "{\"type_id\":3";
    constexpr Pair kRule[] = {{R"(,"uid":)", Item::rule_id},
                              {R"(,"name":)", Item::rule_title},
                              {R"(,"category":)", Item::rule_category},
                              {R"(,"version":)", Item::rule_version, Form::as_text}};
    append_members(out, items, kRule);
    if (!items.has(Item::rule_title))
        out += items.kind() == kAlert ? ",\"name\":\"signature\"" : ",\"name\":\"farm detection\"";
    out.push_back('}');
}

void evidences(TextBuffer& out, const EventItems& items) {
    out += "[{\"data\":{";
    constexpr Pair kData[] = {{R"(,"sentences":)", Item::evidence},
                              {R"(,"groups":)", Item::evidence_groups},
                              {R"(,"score_nats":)", Item::score_nats},
                              {R"(,"rule_field":)", Item::rule_field},
                              {R"(,"rule_value":)", Item::rule_value},
                              {R"(,"reason":)", Item::farm_reason},
                              {R"(,"kind":)", Item::kind}};
    append_members(out, items, kData);
    out.push_back('}');
    if (items.has(Item::src)) {
        out += ",\"src_endpoint\":";
        source(out, items);
        out += ",\"dst_endpoint\":";
        target(out, items);
        out += ",\"connection_info\":";
        connection(out, items);
    }
    if (items.has(Item::fingerprints)) {
        out += ",\"ja4_fingerprint_list\":";
        fingerprints(out, items);
    }
    if (items.has(Item::ja4)) {
        out += ",\"tls\":";
        tls(out, items);
    }
    if (items.has(Item::method)) {
        out += ",\"http_request\":";
        http_request(out, items);
    }
    out += "}]";
}

void resources(TextBuffer& out, const EventItems& items) {
    out += "[{\"type\":\"account\",\"uid\":";
    append_json_string(out, items.text(Item::account));
    out += "}]";
}

void unmapped(TextBuffer& out, const EventItems& items) {
    constexpr Pair kPairs[] = {{R"(,"account":)", Item::account},
                               {R"(,"organisation":)", Item::organisation},
                               {R"(,"ja4_norm":)", Item::ja4_norm},
                               {R"(,"h2":)", Item::h2_akamai},
                               {R"(,"header_order":)", Item::hdr_order},
                               {R"(,"hassh":)", Item::hassh},
                               {R"(,"hassh_server":)", Item::hassh_server},
                               {R"(,"rtt_tcp_us":)", Item::rtt_tcp_us},
                               {R"(,"rtt_tls_us":)", Item::rtt_tls_us},
                               {R"(,"rtt_gap_us":)", Item::rtt_gap_us},
                               {R"(,"proxied_ip":)", Item::proxied_src},
                               {R"(,"exchanges":)", Item::exchanges},
                               {R"(,"seen":)", Item::seen_directions},
                               {R"(,"incomplete":)", Item::incomplete},
                               {R"(,"farm":)", Item::farm},
                               {R"(,"farm_event":)", Item::farm_event},
                               {R"(,"farm_state":)", Item::farm_state},
                               {R"(,"farm_other":)", Item::farm_other},
                               {R"(,"accounts_before":)", Item::accounts_before},
                               {R"(,"accounts":)", Item::accounts_now},
                               {R"(,"cut_values":)", Item::cut_values}};
    append_object(out, items, kPairs);
}

constexpr Row kRows[] = {
    made(kAnyKind, "activity_id", Item::uid, activity_id,
         "findings: 1 create, 2 update, 3 close; flows: 1 open, 2 close, 6 traffic; HTTP: by "
         "method"),
    made(kAnyKind, "activity_name", Item::uid, activity_name, "in words"),
    made(kAnyKind, "category_uid", Item::uid, category_uid, "2 findings, 4 network, 6 application"),
    made(kAnyKind, "class_uid", Item::uid, class_number, "2004, 4001, 4002 or 6008"),
    made(kAnyKind, "type_uid", Item::uid, type_uid, "class_uid * 100 + activity_id"),
    from(kAnyKind, "severity_id", Item::severity),
    made(kAnyKind, "severity", Item::severity, severity, "in words"),
    from(kAnyKind, "time", Item::at, Form::epoch_ms),
    from(kAnyKind, "message", Item::message),
    from(kAnyKind, "count", Item::count),
    from(kFlow | kAlert, "start_time", Item::t_first, Form::epoch_ms),
    from(kFlow | kAlert, "end_time", Item::t_last, Form::epoch_ms),
    from(kFlow | kAlert, "duration", Item::duration_ns, Form::milliseconds),
    always(kAnyKind, "metadata.version", "\"1.6.0\""),
    from(kAnyKind, "metadata.uid", Item::uid),
    from(kAnyKind, "metadata.sequence", Item::sequence),
    from(kAnyKind, "metadata.event_code", Item::kind),
    from(kAnyKind, "metadata.logged_time", Item::known_at, Form::epoch_ms),
    from(kAnyKind, "metadata.log_provider", Item::sensor),
    always(kAnyKind, "metadata.product.name", "\"Seine\""),
    always(kAnyKind, "metadata.product.vendor_name", "\"Seine\""),
    from(kAnyKind, "metadata.product.version", Item::product_version),
    made(kFinding, "finding_info.uid", Item::uid, finding_uid,
         "the farm, the account, else the event's uid"),
    from(kFinding, "finding_info.title", Item::title),
    from(kFinding, "finding_info.desc", Item::message),
    from(kFinding, "finding_info.created_time", Item::at, Form::epoch_ms),
    from(kFinding, "finding_info.types", Item::kind, Form::as_list),
    made(kFinding, "finding_info.analytic", Item::uid, analytic,
         "the rule (type 1), or farm detection (type 3)"),
    always(kFinding, "is_alert", "true"),
    made(kFinding, "confidence_score", Item::confidence, percent, "confidence in percent"),
    from(kFinding, "risk_score", Item::risk_score),
    made(kFinding, "evidences", Item::uid, evidences,
         "one object: the sentences under `data`, endpoints, connection, TLS, JA4+ and request"),
    made(kFinding, "resources", Item::account, resources, "the account's tag"),
    made(kFlow, "src_endpoint", Item::src, source, "client: ip, port"),
    made(kFlow, "dst_endpoint", Item::dst, target,
         "server: ip, port, and the server name as hostname"),
    made(kFlow, "connection_info", Item::flow_id, connection,
         "uid, community_uid, protocol; direction 1, inbound"),
    made(kFlow, "traffic", Item::packets, traffic, "bytes and packets; _out is from the client"),
    from(kFlow, "app_name", Item::app_name),
    made(kFlow, "tls", Item::ja4, tls, "version, cipher, sni, JA3, JA3S"),
    made(kFlow, "ja4_fingerprint_list", Item::fingerprints, fingerprints,
         "JA4 1, JA4S 2, JA4H 3, JA4L 4, JA4X 5, JA4SSH 6, JA4T 7, JA4TS 8"),
    made(kFlow, "http_request", Item::method, http_request,
         "method, version, url, user_agent, body_length"),
    made(kFlow, "http_response", Item::status, http_response, "code, body_length"),
    made(kAnyKind, "unmapped", Item::uid, unmapped,
         "account, organisation, farm and what else the schema has no name for"),
};

}  // namespace

const Format& ocsf_format() {
    static const JsonFormat format(
        "ocsf",
        "Open Cybersecurity Schema Framework: Detection Finding, Network and HTTP Activity, "
        "Application Error",
        kRows);
    return format;
}

}  // namespace seine::siem
