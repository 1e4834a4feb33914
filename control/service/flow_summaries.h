// From records of the ring to flow summaries for the exporter, with the account where the join knew
// it in time.
#pragma once
#include <array>
#include <unordered_map>

#include "control/export/exporter.h"
#include "control/model/sighting.h"
#include "control/service/ingest.h"

namespace seine::service {

// One thread, that which adds up.
class FlowSummaries {
  public:
    explicit FlowSummaries(siem::Exporter& exporter) : exporter_(exporter) {}
    void sighting(const model::Sighting& sighting);
    // One event per flow that ended; nothing while no destination takes flows.
    void record(const contract::RecordView& record, ByteView frame, Nanos now);
    // Itself as a part of the ingest; outlives it.
    IngestPart part();

  private:
    struct Owner {
        model::AccountTag account;
        model::OrgTag org;
    };
    struct Hash {
        std::size_t operator()(const contract::FlowId& id) const noexcept {
            return static_cast<std::size_t>(
                (id.counter ^ std::uint64_t{id.epoch} << 40 ^ std::uint64_t{id.dataplane} << 20) *
                0x9e3779b97f4a7c15u);
        }
    };
    // Two generations: when the younger is full the older goes, so memory is bounded and what is
    // recent stays.
    static constexpr std::size_t kOwnersMax = 200'000;
    using Owners = std::unordered_map<contract::FlowId, Owner, Hash>;

    siem::Exporter& exporter_;
    std::array<Owners, 2> owners_;
};

}  // namespace seine::service
