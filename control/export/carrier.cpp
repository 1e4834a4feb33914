// The table of carriers.
#include "control/export/carrier.h"

namespace seine::siem {
namespace {

constexpr std::string_view kNoWord =
    "what is in the receiver's socket buffer and memory when it dies; nothing that this side has "
    "not handed over";
constexpr CarrierInfo kCarriers[] = {
    {"file", Envelope::none, 65000, true,
     "nothing on a kill of either side; on power loss what the kernel had not written (under 1 s "
     "of findings)"},
    {"syslog-udp", Envelope::syslog, 8096, false, "any datagram; nothing tells"},
    {"syslog-tcp", Envelope::syslog, 8096, false, kNoWord},
    {"syslog-tls", Envelope::syslog, 8096, false, kNoWord},
    {"relp", Envelope::syslog, 8096, true, "nothing that the receiver has not acknowledged"},
    {"relp-tls", Envelope::syslog, 8096, true, "nothing that the receiver has not acknowledged"},
    {"hec", Envelope::hec, 65000, true,
     "nothing with acknowledgement; without, what the indexer had not written"},
    {"bulk", Envelope::bulk, 65000, true,
     "nothing; a repeat is refused by its id, so there are no duplicates either"},
    {"kafka", Envelope::keyed, 65000, true,
     "nothing that all in-sync replicas have not acknowledged"},
    {"webhook", Envelope::none, 65000, true, "nothing that the receiver has not answered with 2xx"},
    {"ipfix-udp", Envelope::none, 65000, false,
     "any datagram; the collector sees the gap in the sequence"},
    {"ipfix-tcp", Envelope::none, 65000, false, kNoWord},
};

}  // namespace

std::span<const CarrierInfo> carriers() noexcept { return kCarriers; }

const CarrierInfo* find_carrier(std::string_view name) noexcept {
    for (const CarrierInfo& carrier : kCarriers) {
        if (carrier.name == name) return &carrier;
    }
    return nullptr;
}

Result<std::unique_ptr<Carrier>> make_carrier(const CarrierSettings& settings) {
    const std::string& name = settings.carrier;
    if (name == "file") return make_file_carrier(settings);
    if (name.starts_with("syslog-")) return make_syslog_carrier(settings);
    if (name == "relp" || name == "relp-tls") return make_relp_carrier(settings);
    if (name == "hec") return make_hec_carrier(settings);
    if (name == "bulk") return make_bulk_carrier(settings);
    if (name == "webhook") return make_webhook_carrier(settings);
    if (name == "kafka") return make_kafka_carrier(settings);
    if (name.starts_with("ipfix-")) return make_ipfix_carrier(settings);
    std::string known;
    for (const CarrierInfo& carrier : kCarriers) known.append(" ").append(carrier.name);
    return failed("export " + settings.name + ": there is no carrier `" + name +
                  "`; there are:" + known);
}

}  // namespace seine::siem
