#include "control/account/line_record.h"

#include <algorithm>

#include "control/model/value.h"
#include "dataplane/contract/api_key.h"

namespace seine::account {
namespace {

using P = LogProperty;

bool begins_with_any(std::string_view text,
                     std::initializer_list<std::string_view> heads) noexcept {
    return std::any_of(heads.begin(), heads.end(),
                       [text](std::string_view head) { return text.starts_with(head); });
}

}  // namespace

Parse LineReader::wrong(LogProperty property, std::string_view expected) {
    fault_ = std::string(name_of(property)) + " is not " + std::string(expected);
    return Parse::malformed;
}

Parse LineReader::read(std::string_view line, Nanos now, SourceRecord& out) {
    fault_.clear();
    Parse parse = line_.read(line);
    if (parse == Parse::ok) {
        parse = read_fields(now, out);
    } else if (parse == Parse::malformed) {
        fault_ = source_.format.kind == LogFormat::Kind::json ? "is no JSON object"
                                                              : "does not fit the pattern";
    } else if (parse == Parse::limit) {
        fault_ = "is too long, or one of its fields is";
    } else {
        fault_ = "has none of the fields";
    }
    line_.forget();
    return parse;
}

Parse LineReader::read_fields(Nanos now, SourceRecord& out) {
    out = {};
    out.mode = source_.kind == SourceConfig::Kind::inline_http ? model::SourceMode::inline_http
                                                               : model::SourceMode::log;
    out.sequenced = false;
    contract::AccountRecord& record = out.record;
    record.gateway_id = source_.gateway;
    if (!read_times(now, out)) return Parse::malformed;
    if (!read_ends(record)) return Parse::malformed;
    const std::string_view unique_id = line_.value(P::unique_id);
    // A request's id is the last resort: addresses say more.
    const std::string_view id =
        unique_id.empty() && record.client_port == 0 ? line_.value(P::request_id) : unique_id;
    if (!unique_id.empty()) out.mode = model::SourceMode::pp2;
    if (!id.empty()) out.unique_id = model::value_id(id);
    const std::string_view protocol = line_.value(P::protocol);
    const bool h3 = begins_with_any(protocol, {"HTTP/3", "h3"});
    record.proto = h3 ? 17 : 6;
    if (h3) record.flags |= contract::AccountFlags::h3;
    if (begins_with_any(protocol, {"HTTP/2", "h2"})) record.flags |= contract::AccountFlags::h2;
    const std::uint64_t status = number(P::status, 999);
    record.status_class = static_cast<std::uint8_t>(status / 100);
    record.limit_flag = status == 429 ? 1 : 0;
    record.endpoint_id = static_cast<std::uint16_t>(number(P::endpoint, 65535));
    record.model_id = static_cast<std::uint16_t>(number(P::model, 65535));
    record.tier = static_cast<std::uint8_t>(number(P::tier, 255));
    std::string_view key = contract::bare_key(line_.value(P::key));
    if (key.empty()) key = key_in_uri(line_.value(P::uri));
    if (!names_.fill(line_.value(P::account), line_.value(P::org), key, record)) {
        fault_ = "names no account and no key";
        return Parse::not_this;
    }
    if (record.client_port == 0 && out.unique_id == 0) {
        fault_ = "gives neither the client's address and port nor a unique id";
        return Parse::not_this;
    }
    if (tell_requests_) {
        read_request();
        out.said = &request_;
    }
    return Parse::ok;
}

void LineReader::read_request() {
    const auto text = [this](LogProperty property) {
        return std::string(line_.value(property).substr(0, Request::kTextBytesMax));
    };
    request_.method = text(P::method);
    request_.host = text(P::host);
    request_.user_agent = text(P::user_agent);
    // A whole request line is "GET /v1/x?a=b HTTP/1.1".
    std::string_view target = line_.value(P::uri);
    if (const std::size_t blank = target.find(' '); blank != std::string_view::npos) {
        target.remove_prefix(blank + 1);
        target = target.substr(0, target.find(' '));
    }
    target = target.substr(0, target.find('?'));
    request_.path = target.starts_with('/') ? std::string(target.substr(0, Request::kTextBytesMax)) : std::string();
    const std::string_view protocol = line_.value(P::protocol);
    request_.version = begins_with_any(protocol, {"HTTP/1.0"})        ? "1.0"
                       : begins_with_any(protocol, {"HTTP/1.1"})      ? "1.1"
                       : begins_with_any(protocol, {"HTTP/2", "h2"}) ? "2"
                                                                      : "";
}

bool LineReader::read_times(Nanos now, SourceRecord& out) {
    const std::string_view time = line_.value(P::time);
    Nanos at = now;
    out.time_known = !time.empty();
    if (!time.empty() && !read_time(time, at)) {
        static_cast<void>(wrong(P::time, "a time"));
        return false;
    }
    std::int64_t duration = 0;
    const std::string_view took = line_.value(P::duration);
    if (!took.empty() && !read_duration(took, duration)) {
        static_cast<void>(wrong(P::duration, "a duration"));
        return false;
    }
    const Nanos ended = source_.format.time_is_end ? at : at + duration;
    const Nanos began = ended + -duration;
    out.record.t_req_us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, began.micros()));
    std::int64_t age = 0;
    const std::string_view conn_age = line_.value(P::conn_age);
    if (!conn_age.empty() && read_duration(conn_age, age)) {
        const std::int64_t opened = (source_.format.time_is_end ? ended : began).count - age;
        out.record.t_conn_us =
            static_cast<std::uint64_t>(std::max<std::int64_t>(0, opened / kMicrosecond));
        out.record.t_conn_us = std::min(out.record.t_conn_us, out.record.t_req_us);
    }
    return true;
}

bool LineReader::read_ends(contract::AccountRecord& record) {
    const auto port = [this](LogProperty property, std::uint16_t& out) {
        const std::string_view text = line_.value(property);
        std::uint64_t value = 0;
        if (text.empty()) return true;
        if (!read_number(text, 65535, value)) {
            static_cast<void>(wrong(property, "a port"));
            return false;
        }
        out = static_cast<std::uint16_t>(value);
        return true;
    };
    const std::string_view client = line_.value(P::client);
    if (!client.empty() && !client.starts_with("unix:")) {
        if (!read_end(client, record.client_ip, record.client_port)) {
            static_cast<void>(wrong(P::client, "an address"));
            return false;
        }
        if (!port(P::client_port, record.client_port)) return false;
    }
    const std::string_view server = line_.value(P::server);
    if (source_.format.server_counts && !server.empty() && !server.starts_with("unix:")) {
        if (!read_end(server, record.server_ip, record.server_port)) {
            static_cast<void>(wrong(P::server, "an address"));
            return false;
        }
        if (!port(P::server_port, record.server_port)) return false;
    }
    if (!model::is_v4(record.client_ip)) record.flags |= contract::AccountFlags::ipv6;
    return true;
}

std::uint64_t LineReader::number(LogProperty property, std::uint64_t most) const noexcept {
    std::uint64_t value = 0;
    return read_number(line_.value(property), most, value) ? value : 0;
}

}  // namespace seine::account
