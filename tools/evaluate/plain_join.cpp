#include "tools/evaluate/plain_join.h"

#include <algorithm>
#include <utility>

#include "dataplane/base/bytes.h"

namespace seine::evaluate {
namespace {

constexpr std::size_t kOffsetSamples = 63;

model::AccountTag account_of(const contract::AccountRecord& record) { return {record.account_tag}; }

model::OrgTag org_of(const contract::AccountRecord& record) {
    const model::OrgTag org{record.org_tag};
    return org.known() ? org : model::OrgTag{record.account_tag};
}

}  // namespace

std::size_t PlainJoin::TupleHash::operator()(const model::Tuple& t) const noexcept {
    std::uint64_t h =
        load_le64(t.client.data()) ^ load_le64(t.client.data() + 8) * 0x9e3779b97f4a7c15u;
    h ^= (std::uint64_t{t.client_port} << 17 | static_cast<std::uint64_t>(t.proto)) *
         0xbf58476d1ce4e5b9u;
    h ^= (load_le64(t.server.data() + 8) + t.server_port) * 0x94d049bb133111ebu;
    return h ^ h >> 29;
}

void PlainJoin::opened(Nanos now, const model::Flow& flow) {
    release(now.count - kSlackNs);
    Live& live = live_[flow.tuple];
    if (live.sighting.flow.t_open.count != 0) hand_out(now, live);  // the tuple is used again
    live = Live();
    live.sighting.flow = flow;
}

void PlainJoin::closed(Nanos now, model::Flow& flow) {
    const auto found = live_.find(flow.tuple);
    if (found == live_.end() || found->second.sighting.flow.id != flow.id) return;
    found->second.sighting.flow = std::move(flow);
    found->second.ended = true;
    ending_.emplace_back(now.count, found->first);
}

void PlainJoin::release(std::int64_t before) {
    for (; ending_at_ < ending_.size() && ending_[ending_at_].first <= before; ++ending_at_) {
        const auto found = live_.find(ending_[ending_at_].second);
        if (found == live_.end() || !found->second.ended) continue;
        hand_out(Nanos{ending_[ending_at_].first}, found->second);
        live_.erase(found);
    }
    if (ending_at_ > 4096 && 2 * ending_at_ > ending_.size()) {
        ending_.erase(ending_.begin(), ending_.begin() + static_cast<std::ptrdiff_t>(ending_at_));
        ending_at_ = 0;
    }
}

void PlainJoin::finish() {
    release(std::int64_t{1} << 62);
    live_.clear();
}

std::vector<std::pair<std::string, double>> PlainJoin::figures() const {
    return {{"join_joined", static_cast<double>(counts_.joined)},
            {"join_flowless", static_cast<double>(counts_.flowless)},
            {"join_duplicate", static_cast<double>(counts_.duplicates)},
            {"join_anonymous_flows", static_cast<double>(counts_.unattributed)}};
}

void PlainJoin::hand_out(Nanos now, Live& live) {
    if (live.sighting.uses.empty()) {
        ++counts_.unattributed;
        return;
    }
    live.sighting.first = !live.told;
    live.told = true;
    ++counts_.sightings;
    sink_.sighting(now, live.sighting);
    // What was handed out is not handed out again; who was here stays known.
    for (model::AccountUse& use : live.sighting.uses) use.requests = use.limited = use.errors = 0;
}

model::AccountUse& PlainJoin::use_of(model::Sighting& sighting,
                                     const contract::AccountRecord& record) {
    for (model::AccountUse& use : sighting.uses) {
        if (use.account == account_of(record)) return use;
    }
    if (sighting.uses.size() == model::kAccountsPerConnectionMax) {
        sighting.accounts_overflow = true;
        return sighting.uses.back();
    }
    model::AccountUse& use = sighting.uses.emplace_back();
    use.account = account_of(record);
    use.org = org_of(record);
    use.key = record.key_tag;
    use.flags = record.flags;
    use.first_seen_day = record.first_seen_day;
    use.endpoint = record.endpoint_id;
    use.model = record.model_id;
    use.platform = record.platform_id;
    use.tier = record.tier;
    use.trust = record.trust;
    use.header_desc = record.header_desc;
    use.session_hint = record.session_hint;
    return use;
}

std::int64_t PlainJoin::offset_of(Gateway& gateway, const contract::AccountRecord& record,
                                  const model::Flow& flow) {
    if (gateway.offsets.size() < kOffsetSamples && record.t_conn_us != 0) {
        gateway.offsets.push_back(static_cast<std::int64_t>(record.t_conn_us) * 1000 -
                                  flow.t_open.count);
        std::vector<std::int64_t> sorted = gateway.offsets;
        std::nth_element(sorted.begin(),
                         sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2),
                         sorted.end());
        gateway.offset = sorted[sorted.size() / 2];
    }
    return gateway.offset;
}

void PlainJoin::account_event(const Record& record) {
    model::AccountEvent event;
    using Kind = model::AccountEvent::Kind;
    event.kind = record.signup                                       ? Kind::signup
                 : record.wire.type == contract::AccountType::closed ? Kind::closed
                 : record.wire.type == contract::AccountType::rekey  ? Kind::rekey
                                                                     : Kind::directory;
    const Gateway& gateway = gateways_[record.wire.gateway_id];
    event.at = Nanos{static_cast<std::int64_t>(record.wire.t_req_us) * 1000 - gateway.offset};
    event.account = account_of(record.wire);
    event.org = org_of(record.wire);
    if (event.kind == Kind::rekey) event.previous = model::AccountTag{record.wire.org_tag};
    event.first_seen_day = record.wire.first_seen_day;
    event.tier = record.wire.tier;
    event.declared_intermediary =
        (record.wire.flags & contract::AccountFlags::declared_intermediary) != 0;
    sink_.event(event);
}

void PlainJoin::recorded(Nanos now, const Record& record) {
    const contract::AccountRecord& wire = record.wire;
    Gateway& gateway = gateways_[wire.gateway_id];
    if (gateway.seen.take(wire.seq) == contract::SequenceWindow::Answer::duplicate) {
        ++counts_.duplicates;
        return;
    }
    if (wire.type != contract::AccountType::request) {
        account_event(record);
        return;
    }
    const model::Tuple tuple{wire.client_ip, wire.server_ip, wire.client_port, wire.server_port,
                             static_cast<contract::Proto>(wire.proto)};
    const auto found = live_.find(tuple);
    if (found == live_.end()) {
        ++counts_.flowless;
        return;
    }
    ++counts_.joined;
    Live& live = found->second;
    const std::size_t before = live.sighting.uses.size();
    model::AccountUse& use = use_of(live.sighting, wire);
    const Nanos at{static_cast<std::int64_t>(wire.t_req_us) * 1000 -
                   offset_of(gateway, wire, live.sighting.flow)};
    if (use.t_first.count == 0) use.t_first = at;
    use.t_last = std::max(use.t_last, at);
    ++use.requests;
    use.limited += wire.limit_flag != 0;
    use.errors += wire.status_class >= 4;
    if (live.sighting.uses.size() > before && !live.ended) hand_out(now, live);
}

}  // namespace seine::evaluate
