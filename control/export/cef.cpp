// ArcSight Common Event Format, version 0:
//   CEF:0|vendor|product|version|event class|name|severity|key=value key=value ..
// Custom strings cs1 to cs6 and numbers cn1 to cn3 carry their meaning beside them as csNLabel.
#include "control/export/escape.h"
#include "control/export/flat_table.h"
#include "control/export/format.h"

namespace seine::siem {
namespace {

constexpr Kinds kTraffic = kAlert | kFlow;
constexpr Kinds kFinding = kAlert | kFarm | kEvidence;

constexpr Row kRows[] = {
    from(kAnyKind, "externalId", Item::uid),
    from(kAnyKind, "rt", Item::at, Form::epoch_ms),
    from(kAnyKind, "deviceExternalId", Item::sensor),
    from(kAnyKind, "cat", Item::kind),
    from(kAnyKind, "cnt", Item::count),
    from(kAnyKind, "suid", Item::account),
    from(kTraffic, "src", Item::src),
    from(kTraffic, "spt", Item::sport),
    from(kTraffic, "dst", Item::dst),
    from(kTraffic, "dpt", Item::dport),
    from(kTraffic, "proto", Item::proto_upper),
    from(kTraffic, "app", Item::app_name),
    from(kTraffic, "sourceTranslatedAddress", Item::proxied_src, Form::plain,
         "where a balancer named it"),
    from(kTraffic, "start", Item::t_first, Form::epoch_ms),
    from(kTraffic, "end", Item::t_last, Form::epoch_ms),
    from(kTraffic, "out", Item::bytes_c),
    from(kTraffic, "in", Item::bytes_s),
    from(kTraffic, "dhost", Item::sni),
    from(kTraffic, "requestMethod", Item::method),
    from(kTraffic, "request", Item::path),
    from(kTraffic, "requestClientApplication", Item::user_agent),
    from(kTraffic, "outcome", Item::status),
    from(kTraffic, "reason", Item::end_reason),
    always(kTraffic, "cs1Label", "ja4"),
    from(kTraffic, "cs1", Item::ja4),
    always(kTraffic, "cs2Label", "ja4s"),
    from(kTraffic, "cs2", Item::ja4s),
    always(kTraffic, "cs3Label", "ja4h"),
    from(kTraffic, "cs3", Item::ja4h),
    always(kTraffic, "cs4Label", "ja4t"),
    from(kTraffic, "cs4", Item::ja4t),
    always(kTraffic, "cs5Label", "ja4_norm"),
    from(kTraffic, "cs5", Item::ja4_norm),
    always(kTraffic, "cs6Label", "community_id"),
    from(kTraffic, "cs6", Item::community_id),
    always(kTraffic, "cn1Label", "rtt_tcp_us"),
    from(kTraffic, "cn1", Item::rtt_tcp_us),
    always(kTraffic, "cn2Label", "rtt_tls_us"),
    from(kTraffic, "cn2", Item::rtt_tls_us),
    always(kTraffic, "cn3Label", "rtt_gap_us"),
    from(kTraffic, "cn3", Item::rtt_gap_us),
    always(kFarm | kEvidence, "cs1Label", "farm"),
    from(kFarm | kEvidence, "cs1", Item::farm),
    always(kFarm | kEvidence, "cs2Label", "farm_state"),
    from(kFarm | kEvidence, "cs2", Item::farm_state),
    always(kFarm | kEvidence, "cs3Label", "evidence"),
    from(kFarm | kEvidence, "cs3", Item::evidence),
    always(kFarm | kEvidence, "cs4Label", "groups"),
    from(kFarm | kEvidence, "cs4", Item::evidence_groups),
    always(kFarm | kEvidence, "cs5Label", "farm_other"),
    from(kFarm | kEvidence, "cs5", Item::farm_other),
    always(kFarm | kEvidence, "cs6Label", "reason"),
    from(kFarm | kEvidence, "cs6", Item::farm_reason),
    always(kFarm | kEvidence, "cn1Label", "accounts_before"),
    from(kFarm | kEvidence, "cn1", Item::accounts_before),
    always(kFarm | kEvidence, "cn2Label", "accounts_now"),
    from(kFarm | kEvidence, "cn2", Item::accounts_now),
    always(kFarm | kEvidence, "cn3Label", "risk_score"),
    from(kFarm | kEvidence, "cn3", Item::risk_score),
    from(kFarm, "act", Item::farm_event),
    always(kAlert, "flexString1Label", "rule_field"),
    from(kAlert, "flexString1", Item::rule_field),
    always(kAlert, "flexString2Label", "rule_value"),
    from(kAlert, "flexString2", Item::rule_value),
    always(kFinding, "cfp1Label", "score_nats"),
    from(kFinding, "cfp1", Item::score_nats),
    always(kFinding, "cfp2Label", "confidence"),
    from(kFinding, "cfp2", Item::confidence),
    from(kAnyKind, "msg", Item::message),
};

class Cef final : public Format {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "cef"; }
    [[nodiscard]] std::string_view meaning() const noexcept override {
        return "ArcSight Common Event Format 0; the header's event class is the rule or the kind, "
               "its name the title, its severity 2 to 10";
    }
    [[nodiscard]] std::span<const Row> rows() const noexcept override { return kRows; }
    void append(TextBuffer& out, const EventItems& items) const override {
        constexpr std::uint64_t kSeverity[] = {0, 2, 4, 6, 8, 10};
        out.append("CEF:0|").append(kVendorName).append("|").append(kVendorName).append("|");
        append_cef_header(out, items.text(Item::product_version));
        out.push_back('|');
        append_cef_header(out, items.text(items.has(Item::rule_id) ? Item::rule_id : Item::kind));
        out.push_back('|');
        append_cef_header(out, items.text(Item::title));
        out.push_back('|');
        append_number(out, kSeverity[items.number(Item::severity) % std::size(kSeverity)]);
        out.push_back('|');
        table_.append(out, items);
    }

  private:
    static constexpr std::string_view kVendorName = "Seine";
    FlatTable table_{kRows, {" ", "=", "", append_cef_value}};
};

}  // namespace

const Format& cef_format() {
    static const Cef format;
    return format;
}

}  // namespace seine::siem
