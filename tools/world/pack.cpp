#include "tools/world/pack.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace seine::world {
namespace {

void put_fixed(std::string& out, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}
void put(std::string& out, std::uint64_t value) {
    while (value >= 128) {
        out.push_back(static_cast<char>(value | 128));
        value >>= 7;
    }
    out.push_back(static_cast<char>(value));
}
void put_signed(std::string& out, std::int64_t value) {
    put(out, static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
}
template <std::size_t N>
void put_bytes(std::string& out, const std::array<std::uint8_t, N>& bytes, std::size_t from = 0) {
    for (std::size_t i = from; i < N; ++i) out.push_back(static_cast<char>(bytes[i]));
}

std::size_t server_index(const PackTables& tables, const model::Address& address) {
    const auto found = std::find(tables.servers.begin(), tables.servers.end(), address);
    return static_cast<std::size_t>(found - tables.servers.begin());
}

// Writes `row(i)` for rows 0 .. count - 1 in blocks of at most kPackRowsMax.
template <typename Begin, typename Row>
void blocks(std::string& out, std::size_t count, Begin begin, Row row) {
    for (std::size_t at = 0; at < count;) {
        const std::size_t end = std::min(count, at + kPackRowsMax);
        const std::size_t head = out.size();
        out.append(8, '\0');
        begin();
        for (std::size_t i = at; i < end; ++i) row(i);
        std::string sizes;
        put_fixed(sizes, end - at, 4);
        put_fixed(sizes, out.size() - head - 8, 4);
        out.replace(head, 8, sizes);
        at = end;
    }
}

constexpr unsigned kV4 = 1, kQuic = 2, kValid = 4, kPresented = 8, kIssued = 16, kRetrans = 32;
constexpr unsigned kTypeMask = 3, kSignup = 4, kRecordV4 = 8, kSecondKey = 16, kConnected = 32;

std::string framed(const char* magic, const std::string& header) {
    std::string out = magic;
    put_fixed(out, header.size(), 4);
    return out + header;
}
void put_servers(std::string& out, const PackTables& tables) {
    put(out, tables.servers.size());
    for (const model::Address& address : tables.servers) put_bytes(out, address);
}

}  // namespace

// A bounds-checked cursor: after a failure every read gives 0.
class PackCursor {
  public:
    PackCursor(const std::uint8_t* at, std::size_t bytes) : at_(at), end_(at + bytes) {}
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (at_ == end_) break;
            const std::uint8_t byte = *at_++;
            value |= std::uint64_t{byte & 127u} << shift;
            if (byte < 128) return value;
        }
        failed_ = true;
        return 0;
    }
    std::int64_t zigzag() {
        const std::uint64_t v = varint();
        return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
    }
    std::uint64_t fixed(std::size_t bytes) {
        if (left() < bytes) {
            failed_ = true;
            return 0;
        }
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < bytes; ++i) value |= std::uint64_t{*at_++} << (8 * i);
        return value;
    }
    template <std::size_t N>
    void bytes(std::array<std::uint8_t, N>& out, std::size_t from = 0) {
        if (left() < N - from) {
            failed_ = true;
            return;
        }
        std::memcpy(out.data() + from, at_, N - from);
        at_ += N - from;
    }
    std::string text(std::size_t bytes) {
        if (left() < bytes) {
            failed_ = true;
            return {};
        }
        std::string out(at_, at_ + bytes);
        at_ += bytes;
        return out;
    }
    void fail() { failed_ = true; }
    [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
    [[nodiscard]] bool failed() const { return failed_; }

  private:
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    bool failed_ = false;
};

std::string pack_flow_header(const PackTables& tables) {
    std::string header;
    put(header, tables.texts.size());
    for (const std::string& text : tables.texts) {
        put(header, text.size());
        header += text;
    }
    put_servers(header, tables);
    return framed("SEINEWF1", header);
}

std::string pack_record_header(const PackTables& tables) {
    std::string header;
    put_servers(header, tables);
    put(header, tables.roster.size());
    for (const RosterRow& row : tables.roster) {
        put_bytes(header, row.account_tag);
        put_bytes(header, row.org_tag);
        put_fixed(header, row.key_tag[0], 8);
        put_fixed(header, row.key_tag[1], 8);
        put(header, row.first_seen_day);
        put_fixed(header, row.tier, 1);
        put_fixed(header, row.trust, 1);
        put_fixed(header, row.declared ? 1 : 0, 1);
    }
    return framed("SEINEWR1", header);
}

void pack_flows(const Piece& piece, std::uint64_t first_id, const PackTables& tables,
                std::string& out) {
    std::int64_t last = 0;
    blocks(
        out, piece.flows.size(), [&] { last = 0; },
        [&](std::size_t i) {
            const Flow& f = piece.flows[i];
            const bool v4 = model::is_v4(f.source);
            put(out, (v4 ? kV4 : 0) | (f.proto == 17 ? kQuic : 0) | (f.rtt_valid ? kValid : 0) |
                         (f.presented != 0 ? kPresented : 0) | (f.issued != 0 ? kIssued : 0) |
                         (f.retrans != 0 ? kRetrans : 0));
            if (last == 0) put(out, first_id + i);
            put_signed(out, f.t_open_ns - last);
            last = f.t_open_ns;
            put(out, static_cast<std::uint64_t>(f.t_close_ns - f.t_open_ns));
            put_bytes(out, f.source, v4 ? 12 : 0);
            put_fixed(out, f.source_port, 2);
            put(out, server_index(tables, f.target));
            put_fixed(out, f.ttl, 1);
            put(out, f.ja4);
            put(out, f.ja4_norm);
            put(out, f.syn);
            put(out, f.rtt_tcp_us);
            put(out, f.rtt_tls_us);
            if (f.presented != 0) put_fixed(out, f.presented, 8);
            if (f.issued != 0) put_fixed(out, f.issued, 8);
            if (f.retrans != 0) put(out, f.retrans);
            put(out, f.exchanges_listed);
            std::uint32_t start = 0;
            for (std::size_t k = 0; k < f.exchanges_listed; ++k) {
                const model::Exchange& x = piece.exchanges[f.exchanges_first + k];
                put(out, x.start_ms - start);
                put(out, x.request_bytes);
                put(out, x.response_bytes);
                start = x.start_ms;
            }
        });
}

void pack_records(std::span<const Draft> drafts, const std::vector<std::uint32_t>& rows,
                  const PackTables& tables, std::string& out) {
    std::int64_t last = 0;
    std::array<std::uint32_t, 65> seq{};
    blocks(
        out, drafts.size(), [&] { last = 0, seq = {}; },
        [&](std::size_t i) {
            const contract::AccountRecord& r = drafts[i].record;
            const RosterRow& who = tables.roster[rows[drafts[i].account]];
            const bool v4 = model::is_v4(r.client_ip), connected = r.proto != 0;
            put(out, (static_cast<unsigned>(r.type) & kTypeMask) |
                         (drafts[i].signup ? kSignup : 0) | (v4 ? kRecordV4 : 0) |
                         (r.key_tag == who.key_tag[1] ? kSecondKey : 0) |
                         (connected ? kConnected : 0));
            put(out, r.gateway_id);
            put_signed(out, std::int64_t{r.seq} - seq[r.gateway_id]);
            seq[r.gateway_id] = r.seq;
            put_signed(out, static_cast<std::int64_t>(r.t_req_us) - last);
            last = static_cast<std::int64_t>(r.t_req_us);
            put(out, rows[drafts[i].account]);
            put(out, r.flags);
            if (!connected) return;
            put_signed(out, static_cast<std::int64_t>(r.t_req_us) -
                                static_cast<std::int64_t>(r.t_conn_us));
            put_bytes(out, r.client_ip, v4 ? 12 : 0);
            put_fixed(out, r.client_port, 2);
            put(out, server_index(tables, r.server_ip));
            put_fixed(out, r.server_port, 2);
            put_fixed(out, r.proto, 1);
            put(out, r.stream_no);
            put(out, r.endpoint_id);
            put(out, r.model_id);
            put_fixed(out,
                      static_cast<std::uint64_t>(r.status_class) |
                          static_cast<std::uint64_t>(r.limit_flag) << 4,
                      1);
            put_fixed(out, r.tok_in_b, 1);
            put_fixed(out, r.tok_out_b, 1);
            put(out, r.platform_id);
            put_fixed(out, r.session_hint, 8);
            put_fixed(out, r.header_desc, 8);
        });
}

PackReader::~PackReader() {
    if (file_ != nullptr) std::fclose(file_);
}

Status PackReader::damaged(const std::string& what) const {
    return {Code::corrupt, path_ + ": damaged at byte " + std::to_string(at_) + ": " + what +
                               "; make the world anew"};
}

Result<std::unique_ptr<PackReader>> PackReader::open(const std::string& path, const char* magic) {
    std::unique_ptr<PackReader> out(new PackReader());
    out->path_ = path;
    out->file_ = std::fopen(path.c_str(), "rb");
    if (out->file_ == nullptr) return failed(path + ": cannot be opened: " + std::strerror(errno));
    std::array<std::uint8_t, 12> head{};
    if (std::fread(head.data(), 1, head.size(), out->file_) != head.size() ||
        std::memcmp(head.data(), magic, 8) != 0)
        return out->damaged("it does not begin as such a file does");
    const std::size_t bytes = PackCursor(head.data() + 8, 4).fixed(4);
    if (bytes > kPackHeaderBytesMax) return out->damaged("its header is too long");
    out->bytes_.resize(bytes);
    if (std::fread(out->bytes_.data(), 1, bytes, out->file_) != bytes)
        return out->damaged("its header is cut");
    out->at_ = head.size() + bytes;
    return out;
}

Status PackReader::read_texts(PackCursor& in) {
    const std::uint64_t count = in.varint();
    for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
        tables_.texts.push_back(in.text(in.varint()));
        ids_.push_back(model::value_id(tables_.texts.back()));
    }
    return in.failed() ? damaged("the texts") : Status();
}

Status PackReader::read_servers(PackCursor& in) {
    const std::uint64_t count = in.varint();
    for (std::uint64_t i = 0; i < count && !in.failed(); ++i)
        in.bytes(tables_.servers.emplace_back());
    return in.failed() ? damaged("the server addresses") : Status();
}

Status PackReader::read_roster(PackCursor& in) {
    const std::uint64_t count = in.varint();
    for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
        RosterRow& row = tables_.roster.emplace_back();
        in.bytes(row.account_tag);
        in.bytes(row.org_tag);
        row.key_tag[0] = in.fixed(8);
        row.key_tag[1] = in.fixed(8);
        row.first_seen_day = static_cast<std::uint32_t>(in.varint());
        row.tier = static_cast<std::uint8_t>(in.fixed(1));
        row.trust = static_cast<std::uint8_t>(in.fixed(1));
        row.declared = in.fixed(1) != 0;
    }
    return in.failed() ? damaged("the roster") : Status();
}

Result<std::unique_ptr<PackReader>> PackReader::open_flows(const std::string& path) {
    auto out = open(path, "SEINEWF1");
    if (!out) return out;
    PackCursor in((*out)->bytes_.data(), (*out)->bytes_.size());
    if (Status s = (*out)->read_texts(in); !s.ok()) return s;
    if (Status s = (*out)->read_servers(in); !s.ok()) return s;
    return out;
}

Result<std::unique_ptr<PackReader>> PackReader::open_records(const std::string& path) {
    auto out = open(path, "SEINEWR1");
    if (!out) return out;
    PackCursor in((*out)->bytes_.data(), (*out)->bytes_.size());
    if (Status s = (*out)->read_servers(in); !s.ok()) return s;
    if (Status s = (*out)->read_roster(in); !s.ok()) return s;
    return out;
}

Status PackReader::block(std::uint32_t& rows) {
    rows = 0;
    std::array<std::uint8_t, 8> head{};
    const std::size_t got = std::fread(head.data(), 1, head.size(), file_);
    if (got == 0 && std::feof(file_) != 0) return {};
    if (got != head.size()) return damaged("the head of a block is cut");
    PackCursor in(head.data(), head.size());
    const auto count = static_cast<std::uint32_t>(in.fixed(4));
    const std::size_t bytes = in.fixed(4);
    if (count == 0 || count > kPackRowsMax || bytes > kPackBlockBytesMax)
        return damaged("a block's head");
    bytes_.resize(bytes);
    if (std::fread(bytes_.data(), 1, bytes, file_) != bytes) return damaged("a block is cut");
    at_ += head.size() + bytes;
    rows = count;
    return {};
}

Status PackReader::next(std::vector<model::Flow>& out) {
    std::uint32_t rows = 0;
    if (Status s = block(rows); !s.ok()) return s;
    PackCursor in(bytes_.data(), bytes_.size());
    std::int64_t last = 0;
    std::uint64_t id = 0;
    const auto text = [&](PackCursor& c) -> model::ValueId {
        const std::uint64_t index = c.varint();
        if (index < ids_.size()) return ids_[index];
        c.fail();
        return 0;
    };
    for (std::uint32_t i = 0; i < rows && !in.failed(); ++i) {
        model::Flow f;
        const std::uint64_t bits = in.varint();
        id = i == 0 ? in.varint() : id + 1;
        f.id.counter = id;
        last += in.zigzag();
        f.t_open = Nanos{last};
        f.t_close = f.t_open + static_cast<std::int64_t>(in.varint());
        if ((bits & kV4) != 0) f.tuple.client[10] = f.tuple.client[11] = 0xff;
        in.bytes(f.tuple.client, (bits & kV4) != 0 ? 12 : 0);
        f.tuple.client_port = static_cast<std::uint16_t>(in.fixed(2));
        const std::uint64_t server = in.varint();
        if (server < tables_.servers.size())
            f.tuple.server = tables_.servers[server];
        else
            in.fail();
        f.tuple.server_port = 443;
        f.tuple.proto = (bits & kQuic) != 0 ? contract::Proto::udp : contract::Proto::tcp;
        f.ttl = static_cast<std::uint8_t>(in.fixed(1));
        f.ja4 = text(in);
        f.ja4_norm = text(in);
        f.syn = text(in);
        f.rtt_tcp_us = static_cast<std::uint32_t>(in.varint());
        f.rtt_tls_us = static_cast<std::uint32_t>(in.varint());
        f.rtt_known = f.rtt_tcp_us != 0 && f.rtt_tls_us != 0;
        f.rtt_valid = (bits & kValid) != 0 && f.rtt_known;
        if ((bits & kPresented) != 0) f.session_presented.push_back(in.fixed(8));
        if ((bits & kIssued) != 0) f.session_issued.push_back(in.fixed(8));
        if ((bits & kRetrans) != 0) f.retrans = static_cast<std::uint32_t>(in.varint());
        const std::uint64_t count = in.varint();
        if (count > in.left())
            in.fail();
        else
            f.exchanges.reserve(count);
        std::uint32_t start = 0;
        for (std::uint64_t k = 0; k < count && !in.failed(); ++k) {
            start += static_cast<std::uint32_t>(in.varint());
            const auto request = static_cast<std::uint32_t>(in.varint());
            f.exchanges.push_back({start, request, static_cast<std::uint32_t>(in.varint())});
        }
        out.push_back(std::move(f));
    }
    return in.failed() || (rows > 0 && in.left() != 0) ? damaged("a row of flows") : Status();
}

Status PackReader::next(std::vector<PackedRecord>& out) {
    std::uint32_t rows = 0;
    if (Status s = block(rows); !s.ok()) return s;
    PackCursor in(bytes_.data(), bytes_.size());
    std::int64_t last = 0;
    std::array<std::int64_t, 65> seq{};
    for (std::uint32_t i = 0; i < rows && !in.failed(); ++i) {
        PackedRecord packed;
        contract::AccountRecord& r = packed.record;
        const std::uint64_t bits = in.varint();
        r.type = static_cast<contract::AccountType>(bits & kTypeMask);
        packed.signup = (bits & kSignup) != 0;
        const std::uint64_t gateway = in.varint();
        if (gateway >= seq.size()) return damaged("a gateway number");
        r.gateway_id = static_cast<std::uint32_t>(gateway);
        r.seq = static_cast<std::uint32_t>(seq[gateway] += in.zigzag());
        r.t_req_us = static_cast<std::uint64_t>(last += in.zigzag());
        const std::uint64_t row = in.varint();
        if (row >= tables_.roster.size()) return damaged("an account number");
        const RosterRow& who = tables_.roster[row];
        r.account_tag = who.account_tag;
        r.org_tag = who.org_tag;
        r.key_tag = who.key_tag[(bits & kSecondKey) != 0 ? 1 : 0];
        r.tag_epoch = 1;
        r.first_seen_day = who.first_seen_day;
        r.tier = who.tier;
        r.trust = who.trust;
        r.flags = static_cast<std::uint16_t>(in.varint());
        if ((bits & kConnected) != 0) {
            r.t_conn_us =
                static_cast<std::uint64_t>(static_cast<std::int64_t>(r.t_req_us) - in.zigzag());
            if ((bits & kRecordV4) != 0) r.client_ip[10] = r.client_ip[11] = 0xff;
            in.bytes(r.client_ip, (bits & kRecordV4) != 0 ? 12 : 0);
            r.client_port = static_cast<std::uint16_t>(in.fixed(2));
            const std::uint64_t server = in.varint();
            if (server < tables_.servers.size())
                r.server_ip = tables_.servers[server];
            else
                in.fail();
            r.server_port = static_cast<std::uint16_t>(in.fixed(2));
            r.proto = static_cast<std::uint8_t>(in.fixed(1));
            r.stream_no = static_cast<std::uint32_t>(in.varint());
            r.endpoint_id = static_cast<std::uint16_t>(in.varint());
            r.model_id = static_cast<std::uint16_t>(in.varint());
            const std::uint64_t status = in.fixed(1);
            r.status_class = static_cast<std::uint8_t>(status & 15);
            r.limit_flag = static_cast<std::uint8_t>(status >> 4);
            r.tok_in_b = static_cast<std::uint8_t>(in.fixed(1));
            r.tok_out_b = static_cast<std::uint8_t>(in.fixed(1));
            r.platform_id = static_cast<std::uint16_t>(in.varint());
            r.session_hint = in.fixed(8);
            r.header_desc = in.fixed(8);
        }
        out.push_back(packed);
    }
    return in.failed() || (rows > 0 && in.left() != 0) ? damaged("a row of records") : Status();
}

}  // namespace seine::world
