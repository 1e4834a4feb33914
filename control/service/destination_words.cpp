// One object a destination, and one line where it is down.
#include "control/service/destination_words.h"

#include "control/export/escape.h"

namespace seine::service {

void describe_destination(command::JsonBuilder& json, const siem::DestinationStatus& at) {
    json.object()
        .field("name", at.name)
        .field("carrier", at.carrier)
        .field("format", at.format)
        .field("target", at.target)
        .field("state", at.paused ? "paused"
                        : at.up   ? "up"
                                  : "down")
        .field("since_ns", at.since_ns)
        .field("error", at.error)
        .field("acknowledges", at.acknowledges)
        .field("waiting_findings", at.outbox.waiting[0])
        .field("waiting_flows", at.outbox.waiting[1])
        .field("waiting_bytes", at.outbox.waiting_bytes)
        .field("oldest_ns", at.outbox.oldest_ns)
        .field("queued_findings", at.outbox.appended[0])
        .field("queued_flows", at.outbox.appended[1])
        .field("delivered_findings", at.outbox.acknowledged[0])
        .field("delivered_flows", at.outbox.acknowledged[1])
        .field("shed_findings", at.outbox.shed[0])
        .field("shed_flows", at.outbox.shed[1])
        .field("refused", at.refused)
        .field("filtered", at.filtered)
        .field("failed_deliveries", at.deliveries_failed)
        .field("disk_bytes", at.outbox.file_bytes)
        .field("damaged_files", at.outbox.damaged)
        .end();
}

std::string problem_of(const siem::DestinationStatus& at) {
    if (at.up) return {};
    return "destination " + at.name + " takes nothing since " +
           siem::time_text(at.since_ns, 3, "Z") + ": " + at.error + "; " +
           std::to_string(at.outbox.waiting[0] + at.outbox.waiting[1]) + " events wait";
}

}  // namespace seine::service
