#include "tools/evaluate/json_lines.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include <simdjson.h>

#include "dataplane/contract/account_flag_names.h"
#include "tools/evaluate/line_chunks.h"

namespace seine::evaluate {
namespace {

// The document tree, whose parser is chosen by the CPU at run time; the on-demand one is fixed by
// -march.
namespace dom = simdjson::dom;
using dom::element;

bool number(element v, std::uint64_t& out) { return v.get_uint64().get(out) == simdjson::SUCCESS; }
template <typename T>
bool number(element v, T& out) {
    std::uint64_t wide = 0;
    if (!number(v, wide) || wide > std::numeric_limits<T>::max()) return false;
    out = static_cast<T>(wide);
    return true;
}
bool nanos(element v, Nanos& out) {
    std::int64_t n = 0;
    if (v.get_int64().get(n) != simdjson::SUCCESS) return false;
    out = Nanos{n};
    return true;
}
bool text(element v, std::string_view& out) { return v.get_string().get(out) == simdjson::SUCCESS; }

bool hex64(std::string_view digits, std::uint64_t& out) {
    if (digits.empty() || digits.size() > 16) return false;
    std::uint64_t value = 0;
    for (const char c : digits) {
        const int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (d < 0) return false;
        value = value << 4 | static_cast<std::uint64_t>(d);
    }
    out = value;
    return true;
}
bool hex64(element v, std::uint64_t& out) {
    std::string_view digits;
    return text(v, digits) && hex64(digits, out);
}
bool address(element v, model::Address& out) {
    std::string_view written;
    return text(v, written) && model::from_text(written, out);
}
template <typename Of>
bool tag(element v, model::Tag<Of>& out) {
    std::string_view written;
    return text(v, written) && model::from_text(written, out);
}
bool hashes(element v, std::vector<std::uint64_t>& out) {
    dom::array items;
    if (v.get_array().get(items) != simdjson::SUCCESS) return false;
    for (const element each : items) {
        std::uint64_t hash = 0;
        if (!hex64(each, hash)) return false;
        out.push_back(hash);
    }
    return true;
}
bool exchanges(element v, std::vector<model::Exchange>& out) {
    dom::array items;
    if (v.get_array().get(items) != simdjson::SUCCESS) return false;
    for (const element item : items) {
        dom::array triple;
        if (item.get_array().get(triple) != simdjson::SUCCESS) return false;
        std::uint32_t n[3]{};
        std::size_t count = 0;
        for (const element each : triple) {
            if (count == 3 || !number(each, n[count])) return false;
            ++count;
        }
        if (count != 3) return false;
        out.push_back({n[0], n[1], n[2]});
    }
    return true;
}

// Reads the lines of one chunk after another; Line::read() takes one object.
template <typename Line>
class LineSource final : public BatchSource {
  public:
    explicit LineSource(LineChunks chunks) : chunks_(std::move(chunks)) {}

    Status next(Batch& out) override {
        const char* data = nullptr;
        std::size_t bytes = 0;
        std::size_t capacity = 0;
        if (Status s = chunks_.next(data, bytes, capacity); !s.ok()) return s;
        if (bytes == 0) return {};
        dom::document_stream lines;
        // One batch for the whole chunk: no line may be cut.
        if (parser_.parse_many(data, bytes, bytes + 1).get(lines) != simdjson::SUCCESS)
            return fault(data, 0, "is not JSON");
        std::size_t last_end = 0;
        for (auto it = lines.begin(); it != lines.end(); ++it) {
            dom::object object;
            if ((*it).get_object().get(object) != simdjson::SUCCESS)
                return fault(data, it.current_index(), "is not a JSON object");
            std::string_view key;
            if (!line_.read(object, out, key))
                return fault(data, it.current_index(),
                             "`" + std::string(key) + "` is missing or not as expected");
            last_end = it.current_index() + it.source().size();
        }
        if (lines.truncated_bytes() != 0) return fault(data, last_end, "is cut");
        return {};
    }

  private:
    Status fault(const char* data, std::size_t at, const std::string& what) {
        const std::uint64_t line =
            chunks_.first_line() + static_cast<std::uint64_t>(std::count(data, data + at, '\n'));
        return failed(chunks_.path() + ":" + std::to_string(line) + ": " + what);
    }
    LineChunks chunks_;
    dom::parser parser_{LineChunks::kLineBytesMax};
    Line line_;
};

class FlowLine {
  public:
    bool read(dom::object object, Batch& out, std::string_view& key) {
        model::Flow flow;
        flow.seen = contract::Seen::both;
        bool tcp_known = false;
        bool tls_known = false;
        bool valid = false;
        unsigned required = 0;
        for (const auto& field : object) {
            key = field.key;
            const element v = field.value;
            bool good = true;
            if (key == "flow_id")
                good = number(v, flow.id.counter);
            else if (key == "t_open_ns")
                good = nanos(v, flow.t_open), ++required;
            else if (key == "t_close_ns")
                good = nanos(v, flow.t_close), ++required;
            else if (key == "src")
                good = address(v, flow.tuple.client), ++required;
            else if (key == "dst")
                good = address(v, flow.tuple.server), ++required;
            else if (key == "sport")
                good = number(v, flow.tuple.client_port), ++required;
            else if (key == "dport")
                good = number(v, flow.tuple.server_port), ++required;
            else if (key == "proto")
                good = proto(v, flow.tuple.proto), ++required;
            else if (key == "ja4")
                good = value(v, out, flow.ja4);
            else if (key == "ja4_norm")
                good = value(v, out, flow.ja4_norm);
            else if (key == "syn")
                good = value(v, out, flow.syn);
            else if (key == "h2")
                good = value(v, out, flow.h2_settings);
            else if (key == "ttl")
                good = number(v, flow.ttl);
            else if (key == "rtt_tcp_us")
                good = number(v, flow.rtt_tcp_us), tcp_known = true;
            else if (key == "late_hello_us")
                good = number(v, flow.late_hello_us);
            else if (key == "rtt_tls_us")
                good = number(v, flow.rtt_tls_us), tls_known = true;
            else if (key == "rtt_valid")
                good = v.get_bool().get(valid) == simdjson::SUCCESS;
            else if (key == "session_presented")
                good = hashes(v, flow.session_presented);
            else if (key == "session_issued")
                good = hashes(v, flow.session_issued);
            else if (key == "retrans")
                good = number(v, flow.retrans);
            else if (key == "exchanges")
                good = exchanges(v, flow.exchanges);
            if (!good) return false;
        }
        key = "t_open_ns, t_close_ns, src, dst, sport, dport or proto";
        if (required != 7) return false;
        flow.rtt_known = tcp_known && tls_known;
        flow.rtt_valid = flow.rtt_known && valid;
        out.flows.push_back(std::move(flow));
        return true;
    }

  private:
    static bool proto(element v, contract::Proto& out) {
        std::string_view name;
        if (!text(v, name) || (name != "tcp" && name != "udp")) return false;
        out = name == "tcp" ? contract::Proto::tcp : contract::Proto::udp;
        return true;
    }
    bool value(element v, Batch& out, model::ValueId& id) {
        std::string_view written;
        if (!text(v, written)) return false;
        id = model::value_id(written);
        if (id != 0 && known_.insert(id).second) out.texts.emplace_back(id, written);
        return true;
    }
    std::unordered_set<model::ValueId> known_;
};

class RecordLine {
  public:
    bool read(dom::object object, Batch& out, std::string_view& key) {
        Record record;
        contract::AccountRecord& r = record.wire;
        bool have_account = false;
        for (const auto& field : object) {
            key = field.key;
            const element v = field.value;
            bool good = true;
            if (key == "type")
                good = type(v, record);
            else if (key == "gateway_id")
                good = number(v, r.gateway_id);
            else if (key == "seq")
                good = number(v, r.seq);
            else if (key == "t_req_us")
                good = number(v, r.t_req_us);
            else if (key == "t_conn_us")
                good = number(v, r.t_conn_us);
            else if (key == "client_ip")
                good = address(v, r.client_ip);
            else if (key == "client_port")
                good = number(v, r.client_port);
            else if (key == "server_ip")
                good = address(v, r.server_ip);
            else if (key == "server_port")
                good = number(v, r.server_port);
            else if (key == "proto")
                good = proto(v, r.proto);
            else if (key == "stream_no")
                good = number(v, r.stream_no);
            else if (key == "account_tag")
                good = have_account = tag16(v, r.account_tag);
            else if (key == "org_tag")
                good = tag16(v, r.org_tag);
            else if (key == "key_tag")
                good = hex64(v, r.key_tag);
            else if (key == "boot_epoch")
                good = number(v, r.boot_epoch);
            else if (key == "tag_epoch")
                good = number(v, r.tag_epoch);
            else if (key == "flags")
                good = flags(v, r.flags);
            else
                good = detail(key, v, r);
            if (!good) return false;
        }
        key = "account_tag";
        if (!have_account) return false;
        out.records.push_back(record);
        return true;
    }

  private:
    // What the gateway says about the request and its account. A key that is not known is skipped.
    static bool detail(std::string_view key, element v, contract::AccountRecord& r) {
        if (key == "endpoint_id") return number(v, r.endpoint_id);
        if (key == "model_id") return number(v, r.model_id);
        if (key == "status_class") return number(v, r.status_class);
        if (key == "limit_flag") return number(v, r.limit_flag);
        if (key == "tok_in_b") return number(v, r.tok_in_b);
        if (key == "tok_out_b") return number(v, r.tok_out_b);
        if (key == "tier") return number(v, r.tier);
        if (key == "trust") return number(v, r.trust);
        if (key == "first_seen_day") return number(v, r.first_seen_day);
        if (key == "session_hint") return hex64(v, r.session_hint);
        if (key == "platform_id") return number(v, r.platform_id);
        if (key == "header_desc") return hex64(v, r.header_desc);
        return true;
    }
    static bool tag16(element v, std::array<std::uint8_t, 16>& out) {
        model::AccountTag read;
        if (!tag(v, read)) return false;
        out = read.bytes;
        return true;
    }
    static bool type(element v, Record& out) {
        std::string_view name;
        if (!text(v, name)) return false;
        out.signup = name == "signup";
        if (name == "request")
            out.wire.type = contract::AccountType::request;
        else if (name == "closed")
            out.wire.type = contract::AccountType::closed;
        else if (name == "rekey")
            out.wire.type = contract::AccountType::rekey;
        else if (name == "directory" || name == "signup")
            out.wire.type = contract::AccountType::directory;
        else
            return false;
        return true;
    }
    static bool proto(element v, std::uint8_t& out) {
        std::string_view name;
        if (!text(v, name) || (name != "tcp" && name != "udp")) return false;
        out = name == "tcp" ? 6 : 17;
        return true;
    }
    static bool flags(element v, std::uint16_t& out) {
        dom::array items;
        if (v.get_array().get(items) != simdjson::SUCCESS) return false;
        for (const element item : items) {
            std::string_view name;
            if (item.get_string().get(name) != simdjson::SUCCESS) return false;
            out = static_cast<std::uint16_t>(out | contract::account_flag(name));
        }
        return true;
    }
};

template <typename Line>
Result<std::unique_ptr<BatchSource>> open_lines(const std::string& path) {
    auto chunks = LineChunks::open(path);
    if (!chunks) return chunks.error();
    return std::unique_ptr<BatchSource>(
        std::make_unique<LineSource<Line>>(std::move(chunks).value()));
}

}  // namespace

Result<std::unique_ptr<BatchSource>> open_flow_lines(const std::string& path) {
    return open_lines<FlowLine>(path);
}
Result<std::unique_ptr<BatchSource>> open_record_lines(const std::string& path) {
    return open_lines<RecordLine>(path);
}

}  // namespace seine::evaluate
