// Fields at their places, and one pass over the strings.
#include "control/dataplane_link/flow_facts.h"

#include <cstring>
#include <utility>

namespace seine::dataplane_link {

using contract::Field;
using contract::RecordView;

namespace {

// Where a field stands is known when this is compiled: two thirds of the work of RecordView::get().
template <Field kField>
bool has(const RecordView& record) noexcept {
    constexpr contract::Slot kAt = contract::slot(kField);
    static_assert(kAt.bit != contract::Slot::kNone);
    return ((record.presence[kAt.bit / 64] >> (kAt.bit % 64)) & 1) != 0;
}
template <Field kField>
std::uint64_t get(const RecordView& record) noexcept {
    constexpr contract::Slot kAt = contract::slot(kField);
    constexpr std::size_t kBytes = contract::value_bytes(contract::info(kField).type);
    static_assert(kBytes <= 8);
    std::uint64_t value = 0;
    if (has<kField>(record) && kAt.offset + kBytes <= record.fixed.size())
        std::memcpy(&value, record.fixed.data() + kAt.offset, kBytes);
    return value;
}
template <Field kField>
void take_address(const RecordView& record, model::Address& out) noexcept {
    constexpr contract::Slot kAt = contract::slot(kField);
    static_assert(contract::info(kField).type == contract::FieldType::ip);
    if (has<kField>(record) && kAt.offset + out.size() <= record.fixed.size())
        std::memcpy(out.data(), record.fixed.data() + kAt.offset, out.size());
}

constexpr Field kCounted[] = {
    Field::sni, Field::alpn, Field::ja4, Field::ja4_norm, Field::ja4_o, Field::ja4s, Field::ja3,
    Field::ja3s, Field::ja4h, Field::ja4x, Field::ja4t, Field::ja4ts, Field::ja4ssh_final,
    Field::ja4d, Field::hassh, Field::hassh_server, Field::h2_akamai, Field::h2_settings,
    Field::hdr_order, Field::syn, Field::preface, Field::cert_subject, Field::cert_issuer,
    Field::ssh_client, Field::ssh_server, Field::method, Field::path, Field::host,
    Field::user_agent,
};
// Those that have a place of their own in model::Flow.
constexpr std::pair<Field, model::ValueId model::Flow::*> kPlaced[] = {
    {Field::ja4, &model::Flow::ja4},
    {Field::ja4_norm, &model::Flow::ja4_norm},
    {Field::hdr_order, &model::Flow::hdr_order},
    {Field::h2_settings, &model::Flow::h2_settings},
    {Field::syn, &model::Flow::syn},
    {Field::user_agent, &model::Flow::user_agent},
};

struct Text {
    bool counted = false;
    model::ValueId model::Flow::*place = nullptr;
};
struct Texts {
    Text of[contract::kFieldCount + 1] = {};
    constexpr Texts() {
        for (const Field field : kCounted) of[static_cast<std::size_t>(field)].counted = true;
        for (const auto& [field, place] : kPlaced) of[static_cast<std::size_t>(field)].place = place;
    }
};
constexpr Texts kTexts;

void take_string(Field field, ByteView bytes, FlowFacts& out) {
    model::Flow& flow = out.flow;
    const Text& text = kTexts.of[static_cast<std::size_t>(field)];
    if (text.counted) {
        if (bytes.empty()) return;
        const model::ValueId id = model::value_id(as_text(bytes));
        out.values.push_back({field, id, as_text(bytes)});
        // Of a list the first item stands for the connection.
        if (text.place != nullptr && flow.*text.place == 0) flow.*text.place = id;
    } else if (field == Field::session_presented) {
        flow.session_presented.push_back(load_le64(bytes.data()));
    } else if (field == Field::session_issued) {
        flow.session_issued.push_back(load_le64(bytes.data()));
    } else if (field == Field::proxied_unique_id) {
        out.unique_id = model::value_id(as_text(bytes));
    } else if (field == Field::exchanges) {
        for (std::size_t at = 0; at + 12 <= bytes.size(); at += 12) {
            flow.exchanges.push_back({load_le32(bytes.data() + at), load_le32(bytes.data() + at + 4),
                                      load_le32(bytes.data() + at + 8)});
        }
    }
}

void take_numbers(const RecordView& record, model::Flow& flow) {
    flow.id = record.flow;
    flow.tuple.proto = static_cast<contract::Proto>(get<Field::proto>(record));
    flow.t_open = {static_cast<std::int64_t>(get<Field::t_first_ns>(record))};
    flow.t_close = {static_cast<std::int64_t>(get<Field::t_last_ns>(record))};
    flow.closed = record.kind == contract::Kind::close;
    flow.seen = has<Field::seen>(record) ? static_cast<contract::Seen>(get<Field::seen>(record)) : contract::Seen::both;
    flow.ttl = static_cast<std::uint8_t>(get<Field::ttl_c>(record));
    flow.rtt_tcp_us = static_cast<std::uint32_t>(get<Field::rtt_tcp_us>(record));
    flow.rtt_tls_us = static_cast<std::uint32_t>(get<Field::rtt_tls_us>(record));
    flow.rtt_known = has<Field::rtt_tcp_us>(record) && has<Field::rtt_tls_us>(record);
    flow.rtt_valid = get<Field::rtt_valid>(record) != 0;
    flow.late_hello_us = static_cast<std::uint32_t>(get<Field::late_hello_us>(record));
    flow.retrans = static_cast<std::uint32_t>(get<Field::retrans>(record));
}

}  // namespace

bool read_facts(const RecordView& record, FlowFacts& out) {
    model::Flow& flow = out.flow;
    flow.session_presented.clear();
    flow.session_issued.clear();
    flow.exchanges.clear();
    flow.ja4 = flow.ja4_norm = flow.hdr_order = flow.h2_settings = flow.syn = flow.user_agent = 0;
    out.carrier = {};
    out.carrier_port = 0;
    out.unique_id = 0;
    out.values.clear();
    out.kind = record.kind;
    if (record.kind == contract::Kind::finding || !has<Field::src>(record) || !has<Field::dst>(record)) return false;
    take_numbers(record, flow);
    take_address<Field::src>(record, flow.tuple.client);
    take_address<Field::dst>(record, flow.tuple.server);
    flow.tuple.client_port = static_cast<std::uint16_t>(get<Field::sport>(record));
    flow.tuple.server_port = static_cast<std::uint16_t>(get<Field::dport>(record));
    if (has<Field::proxied_src>(record)) {
        out.carrier = flow.tuple.client;
        out.carrier_port = flow.tuple.client_port;
        take_address<Field::proxied_src>(record, flow.tuple.client);
        flow.tuple.client_port = static_cast<std::uint16_t>(get<Field::proxied_sport>(record));
    }
    record.for_each_string([&out](Field field, ByteView bytes) { take_string(field, bytes, out); });
    return true;
}

}  // namespace seine::dataplane_link
