#include "tools/world/lines.h"

#include <charconv>

namespace seine::world {
namespace {

template <typename T>
void put(std::string& out, const char* key, T value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out += key;
    out.append(digits, end);
}
void put_text(std::string& out, const char* key, const std::string& value) {
    out += key;
    out += '"';
    out += value;
    out += '"';
}
void put_hex64(std::string& out, std::uint64_t value) {
    for (int shift = 60; shift >= 0; shift -= 4) out += kHexDigits[value >> shift & 15];
}
void put_ids(std::string& out, const char* key, std::uint64_t id) {
    out += key;
    out += '[';
    if (id != 0) {
        out += '"';
        put_hex64(out, id);
        out += '"';
    }
    out += ']';
}
struct FlagName {
    std::uint16_t bit;
    const char* name;
};
using F = contract::AccountFlags;
constexpr FlagName kFlagNames[] = {{F::ipv6, "ipv6"},
                                   {F::resumed, "resumed"},
                                   {F::h2, "h2"},
                                   {F::h3, "h3"},
                                   {F::signup, "signup"},
                                   {F::key_created, "key_created"},
                                   {F::declared_intermediary, "declared_intermediary"}};

const char* type_name(const Draft& draft) {
    if (draft.signup) return "signup";
    switch (draft.record.type) {
        case contract::AccountType::request:
            return "request";
        case contract::AccountType::rekey:
            return "rekey";
        case contract::AccountType::closed:
            return "closed";
        case contract::AccountType::directory:
            return "directory";
    }
    return "";
}

void record_line(const Draft& draft, std::string& out) {
    const contract::AccountRecord& r = draft.record;
    out += R"({"type":")";
    out += type_name(draft);
    out += R"(","version":1)";
    put(out, R"(,"gateway_id":)", r.gateway_id);
    put(out, R"(,"seq":)", r.seq);
    put(out, R"(,"t_req_us":)", r.t_req_us);
    if (r.proto != 0) {
        put(out, R"(,"t_conn_us":)", r.t_conn_us);
        put_text(out, R"(,"client_ip":)", model::to_text(r.client_ip));
        put(out, R"(,"client_port":)", r.client_port);
        put_text(out, R"(,"server_ip":)", model::to_text(r.server_ip));
        put(out, R"(,"server_port":)", r.server_port);
        out += r.proto == 17 ? R"(,"proto":"udp")" : R"(,"proto":"tcp")";
        put(out, R"(,"stream_no":)", r.stream_no);
    }
    out += R"(,"account_tag":")";
    put_tag(out, r.account_tag);
    out += R"(","org_tag":")";
    put_tag(out, r.org_tag);
    out += '"';
    if (r.proto != 0) {
        out += R"(,"key_tag":")";
        put_hex64(out, r.key_tag);
        out += '"';
    }
    put(out, R"(,"tag_epoch":)", r.tag_epoch);
    if (r.proto != 0) {
        put(out, R"(,"endpoint_id":)", r.endpoint_id);
        put(out, R"(,"model_id":)", r.model_id);
        put(out, R"(,"status_class":)", r.status_class);
        put(out, R"(,"limit_flag":)", r.limit_flag);
        put(out, R"(,"tok_in_b":)", r.tok_in_b);
        put(out, R"(,"tok_out_b":)", r.tok_out_b);
    }
    put(out, R"(,"tier":)", r.tier);
    put(out, R"(,"trust":)", r.trust);
    put(out, R"(,"first_seen_day":)", r.first_seen_day);
    if (r.proto != 0) {
        out += R"(,"session_hint":")";
        put_hex64(out, r.session_hint);
        put(out, R"(","platform_id":)", r.platform_id);
        out += R"(,"header_desc":")";
        put_hex64(out, r.header_desc);
        out += '"';
    }
    out += R"(,"flags":[)";
    bool comma = false;
    for (const FlagName& flag : kFlagNames) {
        if ((r.flags & flag.bit) == 0) continue;
        put_text(out, comma ? "," : "", flag.name);
        comma = true;
    }
    out += "]}\n";
}

}  // namespace

void put_tag(std::string& out, const std::array<std::uint8_t, 16>& tag) {
    for (const std::uint8_t byte : tag) {
        out += kHexDigits[byte >> 4];
        out += kHexDigits[byte & 15];
    }
}

void flow_lines(const Piece& piece, std::uint64_t first_id, const Texts& texts, std::string& out) {
    for (std::size_t i = 0; i < piece.flows.size(); ++i) {
        const Flow& f = piece.flows[i];
        put(out, R"({"flow_id":)", first_id + i);
        put(out, R"(,"t_open_ns":)", f.t_open_ns);
        put(out, R"(,"t_close_ns":)", f.t_close_ns);
        put_text(out, R"(,"src":)", model::to_text(f.source));
        put(out, R"(,"sport":)", f.source_port);
        put_text(out, R"(,"dst":)", model::to_text(f.target));
        put(out, R"(,"dport":)", f.target_port);
        out += f.proto == 17 ? R"(,"proto":"udp")" : R"(,"proto":"tcp")";
        put_text(out, R"(,"ja4":)", texts.text(f.ja4));
        put_text(out, R"(,"ja4_norm":)", texts.text(f.ja4_norm));
        if (f.syn != 0) put_text(out, R"(,"syn":)", texts.text(f.syn));
        put(out, R"(,"ttl":)", f.ttl);
        if (f.rtt_tcp_us != 0) put(out, R"(,"rtt_tcp_us":)", f.rtt_tcp_us);
        put(out, R"(,"rtt_tls_us":)", f.rtt_tls_us);
        out += f.rtt_valid ? R"(,"rtt_valid":true)" : R"(,"rtt_valid":false)";
        put_ids(out, R"(,"session_presented":)", f.presented);
        put_ids(out, R"(,"session_issued":)", f.issued);
        put(out, R"(,"retrans":)", f.retrans);
        out += R"(,"exchanges":[)";
        for (std::size_t k = 0; k < f.exchanges_listed; ++k) {
            const model::Exchange& x = piece.exchanges[f.exchanges_first + k];
            put(out, k == 0 ? "[" : ",[", x.start_ms);
            put(out, ",", x.request_bytes);
            put(out, ",", x.response_bytes);
            out += ']';
        }
        out += "]}\n";
    }
}

void record_lines(std::span<const Draft> drafts, std::string& out) {
    for (const Draft& draft : drafts) record_line(draft, out);
}

}  // namespace seine::world
