// A flow is summed up when it ends.
#include "control/service/flow_summaries.h"

namespace seine::service {

void FlowSummaries::sighting(const model::Sighting& sighting) {
    if (sighting.uses.empty() || !exporter_.takes_flows()) return;
    if (owners_[0].size() >= kOwnersMax) {
        owners_[1].swap(owners_[0]);
        owners_[0].clear();
    }
    owners_[0][sighting.flow.id] = {sighting.uses.front().account, sighting.uses.front().org};
}

void FlowSummaries::record(const contract::RecordView& record, ByteView frame, Nanos now) {
    if (record.kind != contract::Kind::close || !exporter_.takes_flows()) return;
    model::Event event;
    event.kind = model::EventKind::flow_summary;
    event.severity = model::Severity::info;
    event.at = {static_cast<std::int64_t>(record.get(contract::Field::t_last_ns))};
    event.seen = now;
    event.title = "flow";
    event.flow.assign(frame.begin(), frame.end());
    for (Owners& owners : owners_) {
        const auto found = owners.find(record.flow);
        if (found == owners.end()) continue;
        event.account = found->second.account;
        event.org = found->second.org;
        owners.erase(found);
        break;
    }
    exporter_.submit(std::move(event));
}

IngestPart FlowSummaries::part() {
    IngestPart part;
    part.name = "flow summaries";
    part.behind = true;
    part.sighting = [this](const model::Sighting& one, Nanos) { sighting(one); };
    part.record = [this](const contract::RecordView& one, ByteView frame, Nanos now) {
        record(one, frame, now);
    };
    return part;
}

}  // namespace seine::service
