// Freezes accounts, then the pairs that took over one another's requests, then those of chance.
#include "control/detect/snapshot.h"

namespace seine::detect {
namespace {

// False when the last edge was taken.
bool take_edges(const Twins& from, const Twins::Edges& edges, Twins::Edges::const_iterator& next,
                std::uint32_t most, Twins::Weighed& into) {
    for (; next != edges.end() && most > 0; ++next, --most) {
        const double nats = from.nats(next->second);
        if (nats >= Snapshot::kTwinNats && !from.forgotten_edge(next->first))
            into.push_back({next->first, static_cast<float>(nats)});
    }
    return next != edges.end();
}

}  // namespace

bool Snapshot::step(const Observer& from, std::uint32_t most) {
    switch (stage_) {
        case Stage::accounts:
            if (!population->gather(from, most)) return false;
            stage_ = Stage::twins;
            next_ = from.twins.edges().begin();
            return false;
        case Stage::twins:
            if (take_edges(from.twins, from.twins.edges(), next_, most, twins)) return false;
            stage_ = Stage::chance;
            next_ = from.twins.chance().begin();
            return false;
        case Stage::chance:
            if (take_edges(from.twins, from.twins.chance(), next_, most, chance)) return false;
            stage_ = Stage::done;
            return true;
        case Stage::done:
            return true;
    }
    return true;
}

}  // namespace seine::detect
