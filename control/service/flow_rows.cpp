// Sampling by flow id, and folding.
#include "control/service/flow_rows.h"

#include <algorithm>
#include <cstring>

#include "control/dataplane_link/flow_facts.h"
#include "dataplane/contract/json.h"
#include "dataplane/export/fold.h"

namespace seine::service {

using contract::Field;
using contract::RecordView;

namespace {

std::string key_of(const contract::FlowId& id) {
    std::string text;
    contract::append_flow_id(text, id);
    return text;
}

// The folded record as a frame of its own.
std::vector<std::uint8_t> frame_of(const RecordView& flow) {
    std::vector<std::uint8_t> buffer(contract::kFrameBytesMin + flow.strings.size() + 64);
    contract::FrameWriter writer(buffer);
    writer.begin(flow.kind, flow.flow);
    for (const contract::FieldInfo& info : contract::kFields) {
        const auto field = static_cast<Field>(info.number);
        if (!contract::is_fixed(info.type) || !flow.has(field)) continue;
        if (info.type == contract::FieldType::ip) {
            std::uint8_t address[16];
            std::memcpy(address, flow.ip(field).data(), sizeof address);
            writer.set_ip(field, address);
        } else {
            writer.set(field, flow.get(field));
        }
    }
    writer.append_encoded(flow.strings);
    buffer.resize(writer.finish());
    return buffer;
}

store::FlowRow row_of(const RecordView& flow) {
    store::FlowRow row;
    dataplane_link::FlowFacts facts;
    static_cast<void>(dataplane_link::read_facts(flow, facts));
    row.id = flow.flow;
    row.t_open = facts.flow.t_open;
    row.t_close = facts.flow.t_close;
    row.tuple = facts.flow.tuple;
    row.ja4 = facts.flow.ja4;
    row.frame = frame_of(flow);
    return row;
}

}  // namespace

void FlowRows::restore(const std::vector<store::Document>& documents) {
    for (const store::Document& document : documents) {
        if (document.value.size() < 4) continue;
        Live live;
        live.changed = false;
        live.stored = true;
        live.stands_for = load_le32(as_bytes(document.value).data());
        const ByteView frames = as_bytes(document.value).subspan(4);
        RecordView first;
        if (contract::read_frame(frames, first) != Parse::ok) continue;
        live.frames.assign(frames.begin(), frames.end());
        make_live(first.flow, std::move(live));
    }
}

FlowRows::Live& FlowRows::make_live(const contract::FlowId& id, Live live) {
    const auto [at, fresh] = live_.try_emplace(id, std::move(live));
    std::uint8_t& hint = hints_[hint_of(id)];
    if (fresh && hint != UINT8_MAX) ++hint;
    return at->second;
}

// One of every n flows, by their id: the same flows at every run. n follows the rate of the second
// before.
bool FlowRows::choose(const contract::FlowId& id, Nanos now) {
    const std::int64_t second = now.count / kSecond;
    if (second != second_) {
        const std::uint64_t rate = second == second_ + 1 ? in_second_ : 0;
        one_of_ = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, (rate + rate_max_ - 1) / rate_max_));
        second_ = second;
        in_second_ = 0;
    }
    ++in_second_;
    // A burst from nothing has no second before it.
    if (one_of_ == 1 && in_second_ > 2 * rate_max_) one_of_ = 4;
    return FlowIdHash()(id) % one_of_ == 0;
}

void FlowRows::record(const RecordView& record, ByteView frame, RecentFlows& recent, Nanos now) {
    auto found = maybe_live(record.flow) ? live_.find(record.flow) : live_.end();
    if (found == live_.end()) {
        // Of a flow whose beginning was passed over the rest is too.
        if (record.kind != contract::Kind::open) return;
        if (!choose(record.flow, now)) {
            ++counters_.passed_over;
            return;
        }
        if (live_.size() >= live_max_) {
            ++counters_.crowded_out;
            return;
        }
        make_live(record.flow, Live()).stands_for = one_of_;
        found = live_.find(record.flow);
        recent.of(record.flow).row_kept = true;
        ++counters_.taken;
        touched_.push_back(record.flow);
    }
    Live& live = found->second;
    if (!live.changed) touched_.push_back(record.flow);
    live.changed = true;
    if (live.frames.size() + frame.size() > kBytesPerFlowMax && record.kind != contract::Kind::close) {
        ++counters_.cut;
        return;
    }
    const ByteView bytes = frame.first(contract::frame_length(frame));
    live.frames.insert(live.frames.end(), bytes.begin(), bytes.end());
    if (record.kind != contract::Kind::close) return;
    finish(record.flow, live);
    live_.erase(found);
    std::uint8_t& hint = hints_[hint_of(record.flow)];
    if (hint != UINT8_MAX) --hint;
}

void FlowRows::finish(const contract::FlowId& id, Live& live) {
    exporting::Fold fold({}, [&](const RecordView& flow) {
        store::FlowRow row = row_of(flow);
        row.stands_for = live.stands_for;
        row.accounts = live.accounts;
        row_at_[id] = rows_.size();
        rows_.push_back(std::move(row));
    });
    ByteView rest = live.frames;
    RecordView record;
    while (!rest.empty() && contract::read_frame(rest, record) == Parse::ok) {
        fold.add(record);
        rest = rest.subspan(contract::frame_length(rest));
    }
    fold.finish();
    if (live.stored) gone_.push_back({kRoom, key_of(id), {}});
}

void FlowRows::accounts(const contract::FlowId& id, const std::vector<model::AccountTag>& accounts) {
    const auto found = live_.find(id);
    if (found != live_.end()) {
        found->second.accounts = accounts;
        return;
    }
    const auto row = row_at_.find(id);
    if (row != row_at_.end()) {
        rows_[row->second].accounts = accounts;
        return;
    }
    late_accounts_.push_back({id, accounts});
}

void FlowRows::take(store::Batch& out) {
    out.flows = std::move(rows_);
    rows_.clear();
    row_at_.clear();
    out.flow_accounts = std::move(late_accounts_);
    late_accounts_.clear();
    for (store::Document& document : gone_) out.documents.push_back(std::move(document));
    gone_.clear();
    for (const contract::FlowId& id : touched_) {
        const auto found = live_.find(id);
        if (found == live_.end()) continue;
        Live& live = found->second;
        std::string value(4, 0);
        std::memcpy(value.data(), &live.stands_for, 4);
        value.append(as_text(live.frames));
        out.documents.push_back({kRoom, key_of(id), std::move(value)});
        live.changed = false;
        live.stored = true;
    }
    touched_.clear();
}

}  // namespace seine::service
