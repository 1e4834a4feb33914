// Fills the items of an event: head, account and farm first, then the flow, the longest texts last.
#include "control/export/event_items.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "control/export/address_text.h"
#include "control/export/community_id.h"
#include "control/export/fixed_part.h"
#include "control/export/version.h"
#include "dataplane/base/hash.h"

namespace seine::siem {

using contract::Field;
using contract::RecordView;

namespace {

constexpr std::string_view kKindNames[] = {"",     "signature_alert",  "flow_summary",
                                           "farm", "account_evidence", "health"};
constexpr std::string_view kSeverityNames[] = {"", "info", "low", "medium", "high", "critical"};
constexpr std::string_view kStateNames[] = {"",        "emerging",   "active",   "rotating",
                                            "dormant", "remediated", "dismissed"};
constexpr std::string_view kFarmEventNames[] = {"",        "found", "grown",      "rotated",
                                                "dormant", "woken", "remediated", "dismissed",
                                                "merged",  "split"};
constexpr std::string_view kGroupNames[] = {"net", "stk", "lnk", "time", "mix", "prx"};

template <std::size_t N, typename Choice>
std::string_view named(const std::string_view (&names)[N], Choice choice) noexcept {
    const auto at = static_cast<std::size_t>(choice);
    return at < N ? names[at] : std::string_view{};
}

// Where `text` may be cut at or before `bytes` without splitting a UTF-8 character.
std::size_t cut_at(std::string_view text, std::size_t bytes) noexcept {
    std::size_t at = bytes;
    for (int back = 0; back < 3 && at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
         ++back)
        --at;
    return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80 ? bytes : at;
}

std::string_view tls_version_text(std::uint64_t version) noexcept {
    switch (version) {
        case 0x0300:
            return "3.0";
        case 0x0301:
            return "1.0";
        case 0x0302:
            return "1.1";
        case 0x0303:
            return "1.2";
        case 0x0304:
            return "1.3";
        default:
            return {};
    }
}
std::string_view tls_version_name(std::uint64_t version) noexcept {
    switch (version) {
        case 0x0300:
            return "SSLv3";
        case 0x0301:
            return "TLS 1.0";
        case 0x0302:
            return "TLS 1.1";
        case 0x0303:
            return "TLS 1.2";
        case 0x0304:
            return "TLS 1.3";
        default:
            return "UNDETERMINED";
    }
}

constexpr std::pair<Field, Item> kTexts[] = {
    {Field::ja4, Item::ja4},
    {Field::ja4_norm, Item::ja4_norm},
    {Field::ja4s, Item::ja4s},
    {Field::ja3, Item::ja3},
    {Field::ja3s, Item::ja3s},
    {Field::ja4l_c, Item::ja4l_c},
    {Field::ja4l_s, Item::ja4l_s},
    {Field::ja4t, Item::ja4t},
    {Field::ja4ts, Item::ja4ts},
    {Field::hassh, Item::hassh},
    {Field::hassh_server, Item::hassh_server},
    {Field::syn, Item::syn},
    {Field::h2_settings, Item::h2_settings},
    {Field::h2_akamai, Item::h2_akamai},
    {Field::http_version, Item::http_version},
    {Field::method, Item::method},
    {Field::sni, Item::sni},
    {Field::host, Item::host},
    {Field::user_agent, Item::user_agent},
    {Field::path, Item::path},
    {Field::ssh_client, Item::ssh_client},
    {Field::ssh_server, Item::ssh_server},
    {Field::cert_subject, Item::cert_subject},
    {Field::cert_issuer, Item::cert_issuer},
    {Field::cert_serial, Item::cert_serial},
};
constexpr std::pair<Field, Item> kLists[] = {
    {Field::ja4h, Item::ja4h},
    {Field::ja4x, Item::ja4x},
    {Field::ja4ssh, Item::ja4ssh},
    {Field::hdr_order, Item::hdr_order},
    {Field::alpn, Item::alpn},
    {Field::tunnel, Item::tunnel},
    {Field::incomplete, Item::incomplete},
};
constexpr std::pair<Field, Item> kCounts[] = {
    {Field::sport, Item::sport},
    {Field::dport, Item::dport},
    {Field::proxied_sport, Item::proxied_sport},
    {Field::ip_version, Item::ip_version},
    {Field::rtt_tcp_us, Item::rtt_tcp_us},
    {Field::rtt_tls_us, Item::rtt_tls_us},
    {Field::late_hello_us, Item::late_hello_us},
    {Field::status, Item::status},
    {Field::request_body_bytes, Item::request_bytes},
    {Field::response_body_bytes, Item::response_bytes},
    {Field::requests, Item::requests},
    {Field::ttl_c, Item::ttl},
    {Field::packets_c, Item::packets_c},
    {Field::packets_s, Item::packets_s},
    {Field::payload_c, Item::bytes_c},
    {Field::payload_s, Item::bytes_s},
    {Field::retrans, Item::retrans},
};
constexpr Item kFingerprints[] = {Item::ja4,          Item::ja4_norm, Item::ja4s,  Item::ja3,
                                  Item::ja3s,         Item::ja4t,     Item::ja4ts, Item::hassh,
                                  Item::hassh_server, Item::ja4h,     Item::ja4x};

constexpr std::size_t kListCount = std::size(kLists);
// By field number: where in kLists, or kListCount.
constexpr auto kListOfField = [] {
    std::array<std::uint8_t, contract::kFieldCount + 1> out{};
    out.fill(kListCount);
    for (std::size_t i = 0; i < kListCount; ++i)
        out[static_cast<std::size_t>(kLists[i].first)] = static_cast<std::uint8_t>(i);
    return out;
}();

// One pass over the strings of a record: the first text of each field, and the items of lists with
// one more than is kept, so that what is cut is counted.
struct StringIndex {
    // Not set before it is known which there are: a record has few of them.
    struct Piece {
        const char* data;
        std::size_t bytes;
        [[nodiscard]] std::string_view view() const noexcept { return {data, bytes}; }
    };
    std::array<Piece, contract::kFieldCount + 1> first;
    std::array<std::uint64_t, contract::kFieldCount / 64 + 1> present{};
    std::array<std::array<Piece, kListItemsMax + 1>, kListCount> items;
    std::array<std::size_t, kListCount> item_count{};
    std::array<std::uint16_t, 4> vlans{};
    std::size_t vlan_count = 0;
    std::uint64_t exchanges = 0;

    explicit StringIndex(const RecordView& record) {
        record.for_each_string([this](Field field, ByteView bytes) { take(field, bytes); });
    }
    [[nodiscard]] bool has(Field field) const noexcept {
        const auto at = static_cast<std::size_t>(field);
        return (present[at / 64] >> (at % 64) & 1) != 0;
    }

  private:
    void take(Field field, ByteView bytes) {
        const auto at = static_cast<std::size_t>(field);
        const Piece piece{as_text(bytes).data(), bytes.size()};
        if (!has(field)) {
            present[at / 64] |= std::uint64_t{1} << (at % 64);
            first[at] = piece;
        }
        if (const std::size_t list = kListOfField[at]; list < kListCount) {
            if (item_count[list] <= kListItemsMax) items[list][item_count[list]++] = piece;
        } else if (field == Field::exchanges) {
            exchanges += bytes.size() / 12;
        } else if (field == Field::vlan) {
            for (std::size_t i = 0; i + 2 <= bytes.size() && vlan_count < vlans.size(); i += 2)
                vlans[vlan_count++] = load_le16(bytes.data() + i);
        }
    }
};

}  // namespace

std::string_view name_of(model::EventKind kind) noexcept { return named(kKindNames, kind); }
std::string_view name_of(model::Severity severity) noexcept {
    return named(kSeverityNames, severity);
}
std::string_view name_of(model::FarmState state) noexcept { return named(kStateNames, state); }
std::string_view name_of(model::FarmEvent::Kind kind) noexcept {
    return named(kFarmEventNames, kind);
}

Kinds kinds_of(model::EventKind kind) noexcept {
    return name_of(kind).empty() ? Kinds{0}
                                 : static_cast<Kinds>(1u << (static_cast<unsigned>(kind) - 1));
}

std::string_view EventItems::fit(std::string_view text) {
    std::size_t bytes = std::min({text.size(), kItemBytesMax, left_});
    if (bytes < text.size()) {
        ++cut_;
        bytes = cut_at(text, bytes);
    }
    left_ -= bytes;
    return text.substr(0, bytes);
}

void EventItems::set_text(Item item, std::string_view text) {
    if (text.empty()) return;
    const std::string_view kept = fit(text);
    if (!kept.empty()) set(item).text = kept;
}

char* EventItems::room_of_own(std::size_t bytes) {
    if (bytes <= kOwnBytes - own_used_) return own_.get() + own_used_;
    ++cut_;
    return nullptr;
}

std::string_view EventItems::use_own(std::size_t bytes) {
    const std::string_view text(own_.get() + own_used_, bytes);
    own_used_ += bytes;
    return text;
}

std::string_view EventItems::keep(std::string_view text) {
    char* to = room_of_own(text.size());
    if (to == nullptr) return {};
    std::copy(text.begin(), text.end(), to);
    return use_own(text.size());
}

std::string_view EventItems::numbered(std::string_view before, std::uint64_t number) {
    char* to = room_of_own(before.size() + 20);
    if (to == nullptr) return {};
    std::copy(before.begin(), before.end(), to);
    const auto done = std::to_chars(to + before.size(), to + before.size() + 20, number);
    return use_own(static_cast<std::size_t>(done.ptr - to));
}

std::string_view EventItems::hex_text(std::uint64_t value, int digits) {
    char* to = room_of_own(static_cast<std::size_t>(digits));
    if (to == nullptr) return {};
    for (int i = digits; i-- > 0; value >>= 4) to[i] = kHexDigits[value & 15];
    return use_own(static_cast<std::size_t>(digits));
}

std::string_view EventItems::tag_text(const std::array<std::uint8_t, 16>& tag) {
    char* to = room_of_own(2 * tag.size());
    if (to == nullptr) return {};
    for (std::size_t i = 0; i < tag.size(); ++i) {
        to[2 * i] = kHexDigits[tag[i] >> 4];
        to[2 * i + 1] = kHexDigits[tag[i] & 15];
    }
    return use_own(2 * tag.size());
}

std::string_view EventItems::prose(std::string_view text) {
    if (!truncate_) return text;
    return keep(
        truncate_addresses(text.substr(0, kItemBytesMax), options_->v4_bits, options_->v6_bits));
}

void EventItems::set_prose(Item item, std::string_view text) {
    if (!text.empty()) set_text(item, prose(text));
}

void EventItems::set_list(Item item, std::span<const std::string_view> items) {
    const std::size_t first = lists_.size();
    std::size_t used = 0;
    for (const std::string_view text : items) {
        if (used == kListItemsMax) {
            cut_ += items.size() - used;
            break;
        }
        const std::string_view kept = fit(text);
        if (kept.empty() && !text.empty()) break;
        lists_.push_back(kept);
        ++used;
    }
    if (used == 0) return;
    Value& value = set(item);
    value.number = first;
    value.list_count = static_cast<std::uint32_t>(used);
}

std::string_view EventItems::address_text(ByteView bytes) {
    model::Address address{};
    std::copy(bytes.begin(), bytes.end(), address.begin());
    if (truncate_) address = truncated(address, options_->v4_bits, options_->v6_bits);
    if (!model::is_v4(address)) return keep(model::to_text(address));
    char* to = room_of_own(4 * 4);
    if (to == nullptr) return {};
    char* end = to;
    for (std::size_t i = 12; i < address.size(); ++i) {
        end = std::to_chars(end, end + 3, address[i]).ptr;
        *end++ = '.';
    }
    return use_own(static_cast<std::size_t>(end - to) - 1);
}

std::string_view EventItems::flow_id_text(const contract::FlowId& flow) {
    constexpr std::size_t kBytesMax = 5 + 1 + 10 + 1 + 20;
    char* to = room_of_own(kBytesMax);
    if (to == nullptr) return {};
    char* const limit = to + kBytesMax;
    char* end = std::to_chars(to, limit, flow.dataplane).ptr;
    *end++ = '-';
    end = std::to_chars(end, limit, flow.epoch).ptr;
    *end++ = '-';
    end = std::to_chars(end, limit, flow.counter).ptr;
    return use_own(static_cast<std::size_t>(end - to));
}

void EventItems::gather(const model::Event& event, const ItemOptions& options,
                        std::size_t text_max) {
    event_ = &event;
    kind_ = kinds_of(event.kind);
    present_ = {};
    lists_.clear();
    own_used_ = 0;
    cut_ = 0;
    left_ = text_max;
    options_ = &options;
    truncate_ = options.v4_bits < 32 || options.v6_bits < 128;
    gather_head();
    gather_rule();
    gather_farm();
    RecordView record;
    if (!event.flow.empty() && contract::read_frame(ByteView(event.flow), record) == Parse::ok)
        gather_flow(record);
    gather_evidence();
    if (cut_ > 0) set_number(Item::cut_values, cut_);
}

void EventItems::gather_head() {
    const model::Event& event = *event_;
    const std::string_view sensor = std::string_view(options_->sensor).substr(0, kItemBytesMax);
    char before[kItemBytesMax + 1];
    std::copy(sensor.begin(), sensor.end(), before);
    before[sensor.size()] = '-';
    set_text(Item::uid, numbered({before, sensor.size() + 1}, event.sequence));
    set_number(Item::sequence, event.sequence);
    set_text(Item::kind, name_of(event.kind));
    set_number(Item::at, static_cast<std::uint64_t>(std::max<std::int64_t>(event.at.count, 0)));
    if (event.seen.count > 0)
        set_number(Item::known_at, static_cast<std::uint64_t>(event.seen.count));
    if (!name_of(event.severity).empty()) {
        set_number(Item::severity, static_cast<std::uint64_t>(event.severity));
        set_text(Item::severity_name, name_of(event.severity));
    }
    if (event.confidence > 0 && event.confidence <= 1) set_real(Item::confidence, event.confidence);
    set_text(Item::sensor, options_->sensor);
    set_text(Item::product_version, kProductVersion);
    set_number(Item::count, event.count);
    if (event.account.known()) set_text(Item::account, tag_text(event.account.bytes));
    if (event.org.known()) set_text(Item::organisation, tag_text(event.org.bytes));
    std::string_view title = event.title.empty() ? std::string_view(event.rule.title) : event.title;
    set_prose(Item::title, title.empty() ? name_of(event.kind) : title);
    set_prose(Item::message, event.message);
}

void EventItems::gather_rule() {
    const model::RuleHit& rule = event_->rule;
    if (rule.id.empty()) return;
    set_text(Item::rule_id, rule.id);
    set_number(Item::rule_number, hash64(as_bytes(rule.id), 0) & 0x7fffffffu);
    set_number(Item::rule_version, rule.version);
    set_text(Item::rule_title, rule.title);
    set_text(Item::rule_category, rule.category);
    set_text(Item::rule_field, rule.field);
    set_prose(Item::rule_value, rule.value);
}

void EventItems::gather_farm() {
    const model::Event& event = *event_;
    if (std::isfinite(event.score_nats) && event.score_nats != 0) {
        set_real(Item::score_nats, event.score_nats);
        set_number(Item::risk_score, static_cast<std::uint64_t>(
                                         std::lround(100.0 / (1.0 + std::exp(-event.score_nats)))));
    }
    if (event.farm.farm == 0) return;
    set_text(Item::farm, numbered("F-", event.farm.farm));
    set_text(Item::farm_event, name_of(event.farm.kind));
    set_text(Item::farm_state, name_of(event.farm_state));
    if (event.farm.other != 0) set_text(Item::farm_other, numbered("F-", event.farm.other));
    set_number(Item::accounts_before, event.farm.accounts_before);
    set_number(Item::accounts_now, event.farm.accounts_now);
    set_prose(Item::farm_reason, event.farm.reason);
}

void EventItems::gather_evidence() {
    const auto& lines = event_->evidence;
    if (lines.empty()) return;
    set_number(Item::evidence_count, lines.size());
    std::array<std::string_view, kListItemsMax> texts;
    std::size_t used = 0;
    std::uint8_t groups = 0;
    for (const model::EvidenceLine& line : lines) {
        groups = static_cast<std::uint8_t>(groups | line.groups);
        if (used == texts.size()) continue;
        char nats[32];
        const double value = std::isfinite(line.nats) ? std::clamp(line.nats, -1e6, 1e6) : 0.0;
        const auto end =
            std::to_chars(nats, nats + sizeof nats, value, std::chars_format::fixed, 2);
        std::string text(value < 0 ? "" : "+");
        text.append(nats, end.ptr).append(" ");
        text.append(
            prose(line.sentence.empty() ? line.values : line.sentence).substr(0, kItemBytesMax));
        texts[used++] = keep(text);
    }
    cut_ += lines.size() - used;
    set_list(Item::evidence, std::span(texts).first(used));
    std::array<std::string_view, std::size(kGroupNames)> names;
    std::size_t count = 0;
    for (std::size_t i = 0; i < std::size(kGroupNames); ++i) {
        if ((groups >> i & 1) != 0) names[count++] = kGroupNames[i];
    }
    if (count > 0) set_list(Item::evidence_groups, std::span(names).first(count));
}

void EventItems::gather_flow(const RecordView& record) {
    const FixedPart numbers(record);
    set_text(Item::flow_id, flow_id_text(record.flow));
    const std::uint64_t mixed = record.flow.counter ^ (std::uint64_t{record.flow.epoch} << 31) ^
                                (std::uint64_t{record.flow.dataplane} << 47);
    set_number(Item::flow_number, mixed & 0x7fffffffffffffffu);
    gather_times(numbers);
    gather_addresses(record, numbers);
    gather_counts(numbers);
    gather_handshake(numbers);
    gather_texts(record);
    gather_fingerprints();
}

void EventItems::gather_times(const FixedPart& numbers) {
    if (!numbers.has(Field::t_first_ns)) return;
    const auto first = static_cast<std::int64_t>(numbers.get(Field::t_first_ns));
    if (first < 0) return;
    set_number(Item::t_first, static_cast<std::uint64_t>(first));
    if (!numbers.has(Field::t_last_ns)) return;
    const auto last = static_cast<std::int64_t>(numbers.get(Field::t_last_ns));
    if (last < first) return;
    set_number(Item::t_last, static_cast<std::uint64_t>(last));
    set_number(Item::duration_ns, static_cast<std::uint64_t>(last - first));
}

void EventItems::gather_addresses(const RecordView& record, const FixedPart& numbers) {
    const ByteView src = record.ip(Field::src);
    const ByteView dst = record.ip(Field::dst);
    if (!src.empty()) set_text(Item::src, address_text(src));
    if (!dst.empty()) set_text(Item::dst, address_text(dst));
    const ByteView proxied = record.ip(Field::proxied_src);
    if (!proxied.empty()) set_text(Item::proxied_src, address_text(proxied));
    const auto proto = static_cast<std::uint8_t>(numbers.get(Field::proto));
    if (proto == 6 || proto == 17) {
        set_text(Item::proto, proto == 6 ? "tcp" : "udp");
        set_text(Item::proto_upper, proto == 6 ? "TCP" : "UDP");
        set_number(Item::proto_number, proto);
    }
    if (!src.empty() && !dst.empty() && proto != 0 && !truncate_) {
        set_text(Item::community_id,
                 keep(community_id(src, dst, static_cast<std::uint16_t>(numbers.get(Field::sport)),
                                   static_cast<std::uint16_t>(numbers.get(Field::dport)), proto)));
    }
    std::uint64_t version = numbers.get(Field::ip_version);
    if (version == 0 && !src.empty()) {
        model::Address address{};
        std::copy(src.begin(), src.end(), address.begin());
        version = model::is_v4(address) ? 4 : 6;
    }
    if (version == 4 || version == 6) {
        set_number(Item::ip_version, version);
        set_text(Item::network_type, version == 4 ? "ipv4" : "ipv6");
    }
}

void EventItems::gather_counts(const FixedPart& numbers) {
    for (const auto& [field, item] : kCounts) {
        if (numbers.has(field)) set_number(item, numbers.get(field));
    }
    if (has(Item::packets_c) || has(Item::packets_s))
        set_number(Item::packets, numbers.get(Field::packets_c) + numbers.get(Field::packets_s));
    if (has(Item::bytes_c) || has(Item::bytes_s))
        set_number(Item::bytes, numbers.get(Field::payload_c) + numbers.get(Field::payload_s));
    if (!numbers.has(Field::rtt_valid)) return;
    const bool valid = numbers.get(Field::rtt_valid) != 0;
    set_number(Item::rtt_valid, valid ? 1 : 0);
    const std::uint64_t tcp = numbers.get(Field::rtt_tcp_us);
    const std::uint64_t tls = numbers.get(Field::rtt_tls_us);
    if (valid && has(Item::rtt_tcp_us) && has(Item::rtt_tls_us))
        set_number(Item::rtt_gap_us, tls > tcp ? tls - tcp : 0);
}

void EventItems::gather_handshake(const FixedPart& numbers) {
    const std::string_view app = contract::choice_name(Field::app, numbers.get(Field::app));
    set_text(Item::app, app);
    set_text(Item::app_name, app == "http1" || app == "h2" ? std::string_view("http") : app);
    set_text(Item::seen_directions, contract::choice_name(Field::seen, numbers.get(Field::seen)));
    set_text(Item::ech, contract::choice_name(Field::ech, numbers.get(Field::ech)));
    set_text(Item::end_reason,
             contract::choice_name(Field::end_reason, numbers.get(Field::end_reason)));
    if (numbers.has(Field::tls_version)) {
        const std::uint64_t version = numbers.get(Field::tls_version);
        set_text(Item::tls_version, tls_version_text(version));
        set_text(Item::tls_version_name, tls_version_name(version));
    }
    if (numbers.has(Field::tls_cipher))
        set_text(Item::tls_cipher, hex_text(numbers.get(Field::tls_cipher), 4));
    if (numbers.has(Field::quic_version))
        set_text(Item::quic_version, hex_text(numbers.get(Field::quic_version), 8));
}

void EventItems::gather_texts(const RecordView& record) {
    const StringIndex index(record);
    for (const auto& [field, item] : kTexts) {
        const auto at = static_cast<std::size_t>(field);
        if (!index.has(field)) continue;
        if (truncate_ && (item == Item::host || item == Item::path || item == Item::sni)) {
            set_prose(item, index.first[at].view());
        } else {
            set_text(item, index.first[at].view());
        }
    }
    if (has(Item::quic_version) && has(Item::ja4)) set_text(Item::quic_ja4, text(Item::ja4));
    if (has(Item::quic_version) && has(Item::sni)) set_text(Item::quic_sni, text(Item::sni));
    for (std::size_t i = 0; i < kListCount; ++i) {
        if (index.item_count[i] == 0) continue;
        const Item item = kLists[i].second;
        std::array<std::string_view, kListItemsMax + 1> texts;
        for (std::size_t j = 0; j < index.item_count[i]; ++j) {
            texts[j] = index.items[i][j].view();
            if (truncate_ && item == Item::tunnel) texts[j] = prose(texts[j]);
        }
        set_list(item, std::span(texts).first(index.item_count[i]));
    }
    std::array<std::string_view, 4> vlans;
    for (std::size_t i = 0; i < index.vlan_count; ++i) vlans[i] = numbered({}, index.vlans[i]);
    if (index.vlan_count > 0) set_list(Item::vlan, std::span(vlans).first(index.vlan_count));
    if (index.exchanges > 0) set_number(Item::exchanges, index.exchanges);
}

void EventItems::gather_fingerprints() {
    std::array<std::string_view, kListItemsMax> texts;
    std::size_t used = 0;
    for (const Item item : kFingerprints) {
        if (!has(item)) continue;
        if (info(item).type == ItemType::text) {
            if (used < texts.size()) texts[used++] = text(item);
            continue;
        }
        for (const std::string_view found : list(item)) {
            if (used < texts.size()) texts[used++] = found;
        }
    }
    if (used > 0) set_list(Item::fingerprints, std::span(texts).first(used));
}

}  // namespace seine::siem
