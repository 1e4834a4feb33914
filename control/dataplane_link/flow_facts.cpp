// One pass over the strings of a record.
#include "control/dataplane_link/flow_facts.h"

#include <cstring>
#include <utility>

namespace seine::dataplane_link {

using contract::Field;
using contract::RecordView;

namespace {

void take_address(const RecordView& record, Field field, model::Address& out) {
    const ByteView bytes = record.ip(field);
    if (bytes.size() == out.size()) std::memcpy(out.data(), bytes.data(), out.size());
}

std::uint16_t port(const RecordView& record, Field field) {
    return static_cast<std::uint16_t>(record.get(field));
}

std::uint32_t number(const RecordView& record, Field field) {
    return static_cast<std::uint32_t>(record.get(field));
}

// Of a list the first item stands for the connection.
void take_first(model::ValueId& out, ByteView bytes) {
    if (out == 0) out = model::value_id(as_text(bytes));
}

// Texts that have a place of their own in model::Flow.
constexpr std::pair<Field, model::ValueId model::Flow::*> kTexts[] = {
    {Field::ja4, &model::Flow::ja4},
    {Field::ja4_norm, &model::Flow::ja4_norm},
    {Field::hdr_order, &model::Flow::hdr_order},
    {Field::h2_settings, &model::Flow::h2_settings},
    {Field::syn, &model::Flow::syn},
    {Field::user_agent, &model::Flow::user_agent},
};

void take_string(Field field, ByteView bytes, FlowFacts& out) {
    model::Flow& flow = out.flow;
    for (const auto& [text, place] : kTexts) {
        if (text == field) return take_first(flow.*place, bytes);
    }
    if (field == Field::session_presented) {
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
    flow.tuple.proto = static_cast<contract::Proto>(record.get(Field::proto));
    flow.t_open = {static_cast<std::int64_t>(record.get(Field::t_first_ns))};
    flow.t_close = {static_cast<std::int64_t>(record.get(Field::t_last_ns))};
    flow.closed = record.kind == contract::Kind::close;
    flow.seen = record.has(Field::seen) ? static_cast<contract::Seen>(record.get(Field::seen)) : contract::Seen::both;
    flow.ttl = static_cast<std::uint8_t>(record.get(Field::ttl_c));
    flow.rtt_tcp_us = number(record, Field::rtt_tcp_us);
    flow.rtt_tls_us = number(record, Field::rtt_tls_us);
    flow.rtt_known = record.has(Field::rtt_tcp_us) && record.has(Field::rtt_tls_us);
    flow.rtt_valid = record.get(Field::rtt_valid) != 0;
    flow.late_hello_us = number(record, Field::late_hello_us);
    flow.retrans = number(record, Field::retrans);
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
    out.kind = record.kind;
    if (record.kind == contract::Kind::finding || !record.has(Field::src) || !record.has(Field::dst)) return false;
    take_numbers(record, flow);
    take_address(record, Field::src, flow.tuple.client);
    take_address(record, Field::dst, flow.tuple.server);
    flow.tuple.client_port = port(record, Field::sport);
    flow.tuple.server_port = port(record, Field::dport);
    if (record.has(Field::proxied_src)) {
        out.carrier = flow.tuple.client;
        out.carrier_port = flow.tuple.client_port;
        take_address(record, Field::proxied_src, flow.tuple.client);
        flow.tuple.client_port = port(record, Field::proxied_sport);
    }
    record.for_each_string([&out](Field field, ByteView bytes) { take_string(field, bytes, out); });
    return true;
}

namespace {

constexpr Field kValues[] = {
    Field::sni, Field::alpn, Field::ja4, Field::ja4_norm, Field::ja4_o, Field::ja4s, Field::ja3,
    Field::ja3s, Field::ja4h, Field::ja4x, Field::ja4t, Field::ja4ts, Field::ja4ssh_final,
    Field::ja4d, Field::hassh, Field::hassh_server, Field::h2_akamai, Field::h2_settings,
    Field::hdr_order, Field::syn, Field::preface, Field::cert_subject, Field::cert_issuer,
    Field::ssh_client, Field::ssh_server, Field::method, Field::path, Field::host,
    Field::user_agent,
};

struct Counted {
    bool by_number[contract::kFieldCount + 1] = {};
    constexpr Counted() {
        for (const Field field : kValues) by_number[static_cast<std::size_t>(field)] = true;
    }
};
constexpr Counted kCounted;

}  // namespace

bool is_value(Field field) noexcept { return kCounted.by_number[static_cast<std::size_t>(field)]; }

}  // namespace seine::dataplane_link
