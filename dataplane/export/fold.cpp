// Folding: fixed fields by rule into one fixed part, strings appended in wire form.
#include "dataplane/export/fold.h"

#include <bitset>

#include "dataplane/base/hash.h"

namespace seine::exporting {

using contract::Field;
using contract::kFieldCount;
using contract::RecordView;

// A folded flow is a record of our own making; view() lends it to the JSON writer.
struct Fold::Flow {
    contract::FlowId id;
    contract::Kind kind{};
    bool truncated = false;
    std::uint64_t presence[2] = {0, 0};
    std::uint8_t fixed[contract::kFixedBytes] = {};
    std::vector<std::uint8_t> strings;
    std::bitset<kFieldCount + 1> has_strings;

    [[nodiscard]] RecordView view() const {
        RecordView out;
        out.kind = kind;
        out.truncated = truncated;
        out.version = contract::kContractVersion;
        out.flow = id;
        out.presence[0] = presence[0];
        out.presence[1] = presence[1];
        out.fixed = fixed;
        out.strings = strings;
        return out;
    }
    [[nodiscard]] bool holds(Field field, ByteView bytes) const {
        bool found = false;
        view().for_each_string([&](Field each, ByteView value) {
            found = found || (each == field && as_text(value) == as_text(bytes));
        });
        return found;
    }
    void erase(Field field);
};

void Fold::Flow::erase(Field field) {
    std::vector<std::uint8_t> kept;
    for (std::size_t at = 0; at < strings.size();) {
        const std::size_t bytes = contract::kStringHeaderBytes + load_le16(strings.data() + at + 2);
        if (load_le16(strings.data() + at) != static_cast<std::uint16_t>(field)) {
            const auto first = strings.begin() + static_cast<std::ptrdiff_t>(at);
            kept.insert(kept.end(), first, first + static_cast<std::ptrdiff_t>(bytes));
        }
        at += bytes;
    }
    strings = std::move(kept);
}

std::size_t Fold::FlowHash::operator()(const contract::FlowId& id) const noexcept {
    return mix64(id.counter ^ 0x9e3779b97f4a7c15u,
                 (std::uint64_t{id.epoch} << 16 | id.dataplane) + 0xd6e8feb86659fd93u);
}

Fold::Fold(const FoldLimits& limits, Emit emit) : limits_(limits), emit_(std::move(emit)) {}

Fold::~Fold() = default;

void Fold::add(const RecordView& record) {
    auto found = by_id_.find(record.flow);
    if (found == by_id_.end()) {
        if (limits_.flows_max != 0 && flows_.size() >= limits_.flows_max) {
            ++early_;
            give_out(flows_.begin());
        }
        flows_.emplace_back().id = record.flow;
        found = by_id_.emplace(record.flow, std::prev(flows_.end())).first;
    }
    const Flows::iterator flow = found->second;
    merge(*flow, record);
    if (record.kind == contract::Kind::close) give_out(flow);
}

void Fold::merge(Flow& flow, const RecordView& record) {
    // Of a finding the flow keeps the name of the rule; the rest is the finding's own.
    const bool finding = record.kind == contract::Kind::finding;
    if (!finding) flow.kind = record.kind;
    flow.truncated = flow.truncated || record.truncated;
    for (const contract::FieldInfo& each : contract::kFields) {
        const auto field = static_cast<Field>(each.number);
        const contract::Slot at = contract::slot(field);
        if (finding || at.bit == contract::Slot::kNone || !record.has(field)) continue;
        std::uint64_t& map = flow.presence[at.bit / 64];
        const std::uint64_t bit = std::uint64_t{1} << (at.bit % 64);
        if ((map & bit) != 0 && each.fold == contract::Fold::first) continue;
        map |= bit;
        std::memcpy(flow.fixed + at.offset, record.fixed.data() + at.offset,
                    contract::value_bytes(each.type));
    }
    const auto had = flow.has_strings;
    record.for_each_string([&](Field field, ByteView bytes) {
        if (finding && field != Field::rules) return;
        const auto number = static_cast<std::size_t>(field);
        const contract::Fold rule = contract::info(field).fold;
        if (rule == contract::Fold::first && had[number]) return;
        if (rule == contract::Fold::distinct && flow.has_strings[number] &&
            flow.holds(field, bytes))
            return;
        if (rule == contract::Fold::last && flow.has_strings[number]) flow.erase(field);
        const std::size_t used = flow.strings.size();
        if (used + contract::kStringHeaderBytes + bytes.size() > limits_.flow_bytes_max) {
            flow.truncated = true;
            return;
        }
        flow.strings.resize(used + contract::kStringHeaderBytes + bytes.size());
        const std::uint16_t header[2] = {static_cast<std::uint16_t>(number),
                                         static_cast<std::uint16_t>(bytes.size())};
        std::memcpy(flow.strings.data() + used, header, sizeof header);
        if (!bytes.empty())
            std::memcpy(flow.strings.data() + used + sizeof header, bytes.data(), bytes.size());
        flow.has_strings.set(number);
    });
}

void Fold::give_out(Flows::iterator flow) {
    emit_(flow->view());
    by_id_.erase(flow->id);
    flows_.erase(flow);
}

void Fold::finish() {
    while (!flows_.empty()) give_out(flows_.begin());
}

std::size_t Fold::open_flows() const noexcept { return flows_.size(); }

}  // namespace seine::exporting
