#include "control/account/inline_record.h"

#include <algorithm>

#include "control/account/log_line.h"
#include "control/model/value.h"

namespace seine::account {
namespace {

using contract::Field;

void copy_ip(ByteView bytes, model::Address& out) noexcept {
    if (bytes.size() == out.size()) std::copy(bytes.begin(), bytes.end(), out.begin());
}

model::KeyTag first_key(const contract::RecordView& record) {
    model::KeyTag key = 0;
    record.for_each_string([&key](Field field, ByteView bytes) {
        if (field == Field::api_keys && key == 0 && bytes.size() >= 8)
            key = load_le64(bytes.data());
    });
    return key == 0 ? 0 : std::max<model::KeyTag>(1, key);
}

// The client before the nearest proxy, when that said so with a port.
bool outer_client(const contract::RecordView& record, contract::AccountRecord& out) {
    if (record.has(Field::proxied_sport) && record.get(Field::proxied_sport) != 0) {
        copy_ip(record.ip(Field::proxied_src), out.client_ip);
        out.client_port = static_cast<std::uint16_t>(record.get(Field::proxied_sport));
        copy_ip(record.ip(Field::proxied_dst), out.server_ip);
        out.server_port = static_cast<std::uint16_t>(record.get(Field::proxied_dport));
        return true;
    }
    const std::string_view forwarded = record.text(Field::forwarded_for);
    if (forwarded.empty()) return false;
    std::uint16_t port = static_cast<std::uint16_t>(record.get(Field::forwarded_port));
    if (!read_end(forwarded, out.client_ip, port)) return false;
    out.client_port = port;
    return port != 0;
}

}  // namespace

Parse read_inline(const contract::RecordView& record, std::uint32_t gateway, Names& names,
                  SourceRecord& out) {
    if (record.kind != contract::Kind::request) return Parse::not_this;
    out = {};
    out.mode = model::SourceMode::inline_http;
    out.sequenced = false;
    contract::AccountRecord& account = out.record;
    account.gateway_id = gateway;
    const auto at = static_cast<std::int64_t>(record.get(Field::t_last_ns));
    account.t_req_us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, at / kMicrosecond));
    account.proto = 6;
    account.stream_no = static_cast<std::uint32_t>(record.get(Field::stream_no));
    const std::string_view unique_id = record.text(Field::proxied_unique_id);
    if (!unique_id.empty()) out.unique_id = model::value_id(unique_id);
    if (!outer_client(record, account)) {
        copy_ip(record.ip(Field::src), account.client_ip);
        account.client_port = static_cast<std::uint16_t>(record.get(Field::sport));
        copy_ip(record.ip(Field::dst), account.server_ip);
        account.server_port = static_cast<std::uint16_t>(record.get(Field::dport));
    }
    return names.fill_hashed(first_key(record), account) ? Parse::ok : Parse::not_this;
}

void request_said(const contract::RecordView& record, Request& out) {
    const auto text = [&record](Field field) {
        return std::string(record.text(field).substr(0, Request::kTextBytesMax));
    };
    out.method = text(Field::method);
    out.host = text(Field::host);
    out.path = text(Field::path);
    out.user_agent = text(Field::user_agent);
    out.version = text(Field::http_version);
}

}  // namespace seine::account
