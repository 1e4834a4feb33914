// IBM Log Event Extended Format 2.0:
//   LEEF:2.0|vendor|product|version|event id|^|key=value^key=value ..
// The delimiter is ^ rather than a tab, because syslog servers rewrite tabs.
#include "control/export/escape.h"
#include "control/export/flat_table.h"
#include "control/export/format.h"

namespace seine::siem {
namespace {

constexpr Kinds kTraffic = kAlert | kFlow;
constexpr Kinds kFinding = kAlert | kFarm | kEvidence;

constexpr Row kRows[] = {
    from(kAnyKind, "devTime", Item::at, Form::epoch_ms,
         "milliseconds since 1970, which needs no devTimeFormat"),
    from(kAnyKind, "cat", Item::kind),
    made(
        kAnyKind, "sev", Item::severity,
        [](TextBuffer& out, const EventItems& items) {
            append_number(out, items.number(Item::severity) * 2);
        },
        "2, 4, 6, 8 or 10"),
    from(kTraffic, "src", Item::src),
    from(kTraffic, "srcPort", Item::sport),
    from(kTraffic, "dst", Item::dst),
    from(kTraffic, "dstPort", Item::dport),
    from(kTraffic, "proto", Item::proto_upper),
    from(kTraffic, "srcPreNAT", Item::proxied_src, Form::plain, "where a balancer named it"),
    from(kTraffic, "srcBytes", Item::bytes_c),
    from(kTraffic, "dstBytes", Item::bytes_s),
    from(kTraffic, "srcPackets", Item::packets_c),
    from(kTraffic, "dstPackets", Item::packets_s),
    from(kAnyKind, "usrName", Item::account),
    from(kTraffic, "url", Item::path),
    from(kAlert, "policy", Item::rule_id),
    from(kAnyKind, "identSrc", Item::sensor),
    from(kAnyKind, "uid", Item::uid),
    from(kAnyKind, "title", Item::title),
    from(kAnyKind, "count", Item::count),
    from(kAnyKind, "organisation", Item::organisation),
    from(kTraffic, "app", Item::app_name),
    from(kTraffic, "flowId", Item::flow_id),
    from(kTraffic, "communityId", Item::community_id),
    from(kTraffic, "sni", Item::sni),
    from(kTraffic, "ja4", Item::ja4),
    from(kTraffic, "ja4Norm", Item::ja4_norm),
    from(kTraffic, "ja4s", Item::ja4s),
    from(kTraffic, "ja3", Item::ja3),
    from(kTraffic, "ja3s", Item::ja3s),
    from(kTraffic, "ja4h", Item::ja4h),
    from(kTraffic, "ja4x", Item::ja4x),
    from(kTraffic, "ja4t", Item::ja4t),
    from(kTraffic, "hassh", Item::hassh),
    from(kTraffic, "h2", Item::h2_akamai),
    from(kTraffic, "method", Item::method),
    from(kTraffic, "domain", Item::host),
    from(kTraffic, "userAgent", Item::user_agent),
    from(kTraffic, "responseCode", Item::status),
    from(kTraffic, "rttTcpUs", Item::rtt_tcp_us),
    from(kTraffic, "rttTlsUs", Item::rtt_tls_us),
    from(kTraffic, "rttGapUs", Item::rtt_gap_us),
    from(kTraffic, "endReason", Item::end_reason),
    from(kAlert, "ruleField", Item::rule_field),
    from(kAlert, "ruleValue", Item::rule_value),
    from(kFinding, "confidence", Item::confidence),
    from(kFinding, "farm", Item::farm),
    from(kFinding, "farmEvent", Item::farm_event),
    from(kFinding, "farmState", Item::farm_state),
    from(kFinding, "farmOther", Item::farm_other),
    from(kFinding, "accountsBefore", Item::accounts_before),
    from(kFinding, "accountsNow", Item::accounts_now),
    from(kFinding, "reason", Item::farm_reason),
    from(kFinding, "scoreNats", Item::score_nats),
    from(kFinding, "evidenceGroups", Item::evidence_groups),
    from(kFinding, "evidence", Item::evidence),
    from(kAnyKind, "cutValues", Item::cut_values),
    from(kAnyKind, "msg", Item::message),
};

class Leef final : public Format {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "leef"; }
    [[nodiscard]] std::string_view meaning() const noexcept override {
        return "IBM Log Event Extended Format 2.0, delimiter ^; the header's event id is the rule "
               "or the kind";
    }
    [[nodiscard]] std::span<const Row> rows() const noexcept override { return kRows; }
    void append(TextBuffer& out, const EventItems& items) const override {
        out += "LEEF:2.0|Seine|Seine|";
        append_leef_header(out, items.text(Item::product_version));
        out.push_back('|');
        append_leef_header(out, items.text(items.has(Item::rule_id) ? Item::rule_id : Item::kind));
        out += "|^|";
        table_.append(out, items);
    }

  private:
    FlatTable table_{kRows, {"^", "=", "", append_leef_value}};
};

}  // namespace

const Format& leef_format() {
    static const Leef format;
    return format;
}

}  // namespace seine::siem
