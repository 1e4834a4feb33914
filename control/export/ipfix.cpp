// Two templates a kind, for IPv4 and IPv6: standard elements of the IANA registry, the reverse
// direction as RFC 5103 has it, and Seine's own under an enterprise number.
#include "control/export/ipfix.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <vector>

#include "control/export/escape.h"
#include "control/export/flat_value.h"
#include "control/export/format.h"
#include "control/export/enterprise_number.h"
#include "control/model/address.h"

namespace seine::siem {
namespace {

constexpr std::uint32_t kReversePen = 29305;
constexpr std::uint16_t kVariable = 0xffff;
constexpr std::uint16_t kFirstTemplate = 256;

enum class Code : std::uint8_t {
    unsigned_number,
    milliseconds,
    text,
    v4,
    v6,
    tag,
    kind,
    farm_number,
    real,
    end_reason,
    protocol,
    farm_event,
    farm_state
};

struct Element {
    Kinds kinds;
    std::string_view name;
    std::uint16_t id;
    std::uint32_t pen;
    std::uint16_t bytes;
    Code code;
    Item item;
    std::uint8_t version;  // 4 or 6: only in that template; 0: in both
};

constexpr Kinds kTraffic = kAlert | kFlow;
constexpr Kinds kFinding = kAlert | kFarm | kEvidence;
constexpr std::uint32_t kOwn = kDocumentationPen;  // where a destination sets no `pen`

constexpr Element kElements[] = {
    {kAnyKind, "observationTimeMilliseconds", 323, 0, 8, Code::milliseconds, Item::at, 0},
    {kTraffic, "sourceIPv4Address", 8, 0, 4, Code::v4, Item::src, 4},
    {kTraffic, "destinationIPv4Address", 12, 0, 4, Code::v4, Item::dst, 4},
    {kTraffic, "sourceIPv6Address", 27, 0, 16, Code::v6, Item::src, 6},
    {kTraffic, "destinationIPv6Address", 28, 0, 16, Code::v6, Item::dst, 6},
    {kTraffic, "sourceTransportPort", 7, 0, 2, Code::unsigned_number, Item::sport, 0},
    {kTraffic, "destinationTransportPort", 11, 0, 2, Code::unsigned_number, Item::dport, 0},
    {kTraffic, "protocolIdentifier", 4, 0, 1, Code::unsigned_number, Item::proto_number, 0},
    {kTraffic, "flowStartMilliseconds", 152, 0, 8, Code::milliseconds, Item::t_first, 0},
    {kTraffic, "flowEndMilliseconds", 153, 0, 8, Code::milliseconds, Item::t_last, 0},
    {kTraffic, "octetDeltaCount", 1, 0, 8, Code::unsigned_number, Item::bytes_c, 0},
    {kTraffic, "packetDeltaCount", 2, 0, 8, Code::unsigned_number, Item::packets_c, 0},
    {kTraffic, "reverseOctetDeltaCount", 1, kReversePen, 8, Code::unsigned_number, Item::bytes_s,
     0},
    {kTraffic, "reversePacketDeltaCount", 2, kReversePen, 8, Code::unsigned_number, Item::packets_s,
     0},
    {kTraffic, "flowEndReason", 136, 0, 1, Code::end_reason, Item::end_reason, 0},
    {kTraffic, "flowId", 148, 0, 8, Code::unsigned_number, Item::flow_number, 0},
    {kAnyKind, "seineKind", 2, kOwn, 1, Code::kind, Item::kind, 0},
    {kAnyKind, "seineSeverity", 3, kOwn, 1, Code::unsigned_number, Item::severity, 0},
    {kAnyKind, "seineCount", 25, kOwn, 4, Code::unsigned_number, Item::count, 0},
    {kAnyKind, "seineSequence", 30, kOwn, 8, Code::unsigned_number, Item::sequence, 0},
    {kAnyKind, "seineAccount", 4, kOwn, 16, Code::tag, Item::account, 0},
    {kAnyKind, "seineOrganisation", 5, kOwn, 16, Code::tag, Item::organisation, 0},
    {kTraffic, "seineRttTcpMicroseconds", 12, kOwn, 4, Code::unsigned_number, Item::rtt_tcp_us, 0},
    {kTraffic, "seineRttTlsMicroseconds", 13, kOwn, 4, Code::unsigned_number, Item::rtt_tls_us, 0},
    {kFinding, "seineFarm", 19, kOwn, 8, Code::farm_number, Item::farm, 0},
    {kFinding, "seineFarmEvent", 20, kOwn, 1, Code::farm_event, Item::farm_event, 0},
    {kFinding, "seineFarmState", 21, kOwn, 1, Code::farm_state, Item::farm_state, 0},
    {kFinding, "seineAccounts", 22, kOwn, 4, Code::unsigned_number, Item::accounts_now, 0},
    {kFinding, "seineScoreNats", 23, kOwn, 8, Code::real, Item::score_nats, 0},
    {kAnyKind, "seineSensor", 31, kOwn, kVariable, Code::text, Item::sensor, 0},
    {kTraffic, "seineJa4", 6, kOwn, kVariable, Code::text, Item::ja4, 0},
    {kTraffic, "seineJa4s", 7, kOwn, kVariable, Code::text, Item::ja4s, 0},
    {kTraffic, "seineJa4h", 8, kOwn, kVariable, Code::text, Item::ja4h, 0},
    {kTraffic, "seineJa4t", 9, kOwn, kVariable, Code::text, Item::ja4t, 0},
    {kTraffic, "seineJa3", 10, kOwn, kVariable, Code::text, Item::ja3, 0},
    {kTraffic, "seineH2", 11, kOwn, kVariable, Code::text, Item::h2_akamai, 0},
    {kTraffic, "seineSni", 14, kOwn, kVariable, Code::text, Item::sni, 0},
    {kTraffic, "seineMethod", 27, kOwn, kVariable, Code::text, Item::method, 0},
    {kTraffic, "seineHost", 28, kOwn, kVariable, Code::text, Item::host, 0},
    {kTraffic, "seinePath", 29, kOwn, kVariable, Code::text, Item::path, 0},
    {kTraffic, "seineUserAgent", 26, kOwn, kVariable, Code::text, Item::user_agent, 0},
    {kAlert, "seineRule", 17, kOwn, kVariable, Code::text, Item::rule_id, 0},
    {kAlert, "seineRuleValue", 18, kOwn, kVariable, Code::text, Item::rule_value, 0},
    {kFinding, "seineEvidence", 24, kOwn, kVariable, Code::text, Item::evidence, 0},
    {kAnyKind, "seineTitle", 15, kOwn, kVariable, Code::text, Item::title, 0},
    {kAnyKind, "seineMessage", 16, kOwn, kVariable, Code::text, Item::message, 0},
};

// Keys for the documentation: name, and the number a collector needs.
const std::vector<std::string>& keys() {
    static const std::vector<std::string> made = [] {
        std::vector<std::string> all;
        for (const Element& element : kElements) {
            std::string key(element.name);
            key.append(" (").append(element.pen == 0 ? "" : std::to_string(element.pen) + "/");
            key.append(std::to_string(element.id)).append(", ");
            key.append(element.bytes == kVariable ? "variable"
                                                  : std::to_string(element.bytes) + " B")
                .append(")");
            all.push_back(std::move(key));
        }
        return all;
    }();
    return made;
}

const std::vector<Row>& documented_rows() {
    static const std::vector<Row> made = [] {
        std::vector<Row> all;
        for (std::size_t i = 0; i < std::size(kElements); ++i)
            all.push_back(from(kElements[i].kinds, keys()[i], kElements[i].item));
        return all;
    }();
    return made;
}

void put(TextBuffer& out, std::uint64_t value, unsigned bytes) {
    for (unsigned i = bytes; i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}
void put_at(TextBuffer& out, std::size_t at, std::uint16_t value) {
    out[at] = static_cast<char>(value >> 8);
    out[at + 1] = static_cast<char>(value & 0xff);
}

std::uint64_t capped(std::uint64_t value, unsigned bytes) {
    const std::uint64_t most =
        bytes >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * bytes)) - 1;
    return value < most ? value : most;
}

void put_address(TextBuffer& out, const EventItems& items, const Element& element) {
    model::Address address{};
    if (!model::from_text(items.text(element.item), address)) address = {};
    for (std::size_t i = address.size() - element.bytes; i < address.size(); ++i)
        out.push_back(static_cast<char>(address[i]));
}

// Length first (RFC 7011 section 7): one byte, or 255 and two.
void put_text(TextBuffer& out, const EventItems& items, const Element& element) {
    const std::size_t at = out.size();
    out.push_back(0);
    if (items.has(element.item))
        append_flat_value(out, items, element.item, Form::plain, append_plain);
    std::size_t bytes = out.size() - at - 1;
    if (bytes < 255) {
        out[at] = static_cast<char>(bytes);
        return;
    }
    bytes = std::min<std::size_t>(bytes, 0xfff0);
    const std::string text(out.view().substr(at + 1, bytes));
    out.cut(at);
    put(out, 255, 1);
    put(out, bytes, 2);
    out += text;
}

// RFC 5102 section 5.11.3: 1 idle, 2 active, 3 end of flow, 4 forced, 5 lack of resources.
std::uint64_t end_reason(std::string_view name) {
    if (name == "idle" || name == "half_open") return 1;
    if (name == "fin" || name == "rst" || name == "reused") return 3;
    if (name == "evicted") return 5;
    return name.empty() ? 0 : 4;
}

void put_element(TextBuffer& out, const EventItems& items, const Element& element) {
    switch (element.code) {
        case Code::text:
            return put_text(out, items, element);
        case Code::v4:
        case Code::v6:
            return put_address(out, items, element);
        case Code::tag: {
            model::AccountTag tag;
            if (items.has(element.item) && !model::from_text(items.text(element.item), tag))
                tag = {};
            for (const std::uint8_t byte : tag.bytes) out.push_back(static_cast<char>(byte));
            return;
        }
        case Code::milliseconds:
            return put(out, items.has(element.item) ? items.number(element.item) / 1'000'000 : 0,
                       8);
        case Code::kind:
            return put(out, static_cast<std::uint64_t>(items.event().kind), 1);
        case Code::farm_number:
            return put(out, items.event().farm.farm, 8);
        case Code::farm_event:
            return put(out, static_cast<std::uint64_t>(items.event().farm.kind), 1);
        case Code::farm_state:
            return put(out, static_cast<std::uint64_t>(items.event().farm_state), 1);
        case Code::real:
            return put(out,
                       std::bit_cast<std::uint64_t>(
                           items.has(element.item) ? items.real(element.item) : 0.0),
                       8);
        case Code::end_reason:
            return put(out, end_reason(items.has(element.item) ? items.text(element.item) : ""), 1);
        case Code::protocol:
        case Code::unsigned_number:
            return put(
                out,
                items.has(element.item) ? capped(items.number(element.item), element.bytes) : 0,
                element.bytes);
    }
}

// Template numbers: two a kind, IPv4 first.
constexpr std::uint16_t template_id(unsigned kind_bit, unsigned version) {
    return static_cast<std::uint16_t>(kFirstTemplate + 2 * kind_bit + (version == 6 ? 1 : 0));
}
bool is_in(const Element& element, unsigned kind_bit, unsigned version) {
    return (element.kinds >> kind_bit & 1) != 0 &&
           (element.version == 0 || element.version == version);
}

class Ipfix final : public Format {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "ipfix"; }
    [[nodiscard]] std::string_view meaning() const noexcept override {
        return "IPFIX (RFC 7011), one data record an event; number and length of each element in "
               "brackets, enterprise numbers first; `pen` takes the place of 32473";
    }
    [[nodiscard]] bool is_binary() const noexcept override { return true; }
    [[nodiscard]] std::span<const Row> rows() const noexcept override { return documented_rows(); }
    void append(TextBuffer& out, const EventItems& items) const override {
        const auto kind =
            static_cast<unsigned>(std::countr_zero(static_cast<unsigned>(items.kind())));
        const unsigned version =
            items.has(Item::ip_version) && items.number(Item::ip_version) == 6 ? 6 : 4;
        const std::size_t start = out.size();
        put(out, template_id(kind, version), 2);
        put(out, 0, 2);
        for (const Element& element : kElements) {
            if (is_in(element, kind, version)) put_element(out, items, element);
        }
        put_at(out, start + 2, static_cast<std::uint16_t>(out.size() - start));
    }
};

}  // namespace

void append_ipfix_templates(TextBuffer& out, std::uint32_t pen) {
    const std::size_t start = out.size();
    put(out, 2, 2);  // a template set
    put(out, 0, 2);
    for (unsigned kind = 0; kind < 5; ++kind) {
        for (const unsigned version : {4u, 6u}) {
            put(out, template_id(kind, version), 2);
            const std::size_t count_at = out.size();
            put(out, 0, 2);
            std::uint16_t count = 0;
            for (const Element& element : kElements) {
                if (!is_in(element, kind, version)) continue;
                ++count;
                put(out, element.id | (element.pen != 0 ? 0x8000u : 0u), 2);
                put(out, element.bytes, 2);
                if (element.pen != 0) put(out, element.pen == kOwn ? pen : element.pen, 4);
            }
            put_at(out, count_at, count);
        }
    }
    put_at(out, start + 2, static_cast<std::uint16_t>(out.size() - start));
}

void append_ipfix_message(TextBuffer& out, std::uint32_t export_seconds, std::uint32_t sequence,
                          std::uint32_t domain, std::string_view sets) {
    put(out, 10, 2);
    put(out, kIpfixHeaderBytes + sets.size(), 2);
    put(out, export_seconds, 4);
    put(out, sequence, 4);
    put(out, domain, 4);
    out += sets;
}

const Format& ipfix_format() {
    static const Ipfix format;
    return format;
}

}  // namespace seine::siem
