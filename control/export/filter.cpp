// Sampling looks at the flow's id alone, so every destination and every run keeps the same flows.
#include "control/export/filter.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "control/export/event_items.h"
#include "dataplane/base/hash.h"

namespace seine::siem {

using contract::Field;

namespace {

bool contains(const Network& network, ByteView address) {
    if (address.size() != 16) return false;
    model::Address whole{};
    std::copy(address.begin(), address.end(), whole.begin());
    return model::prefix_of(whole, network.bits) == network.prefix;
}

std::uint64_t sum_of(std::uint64_t a, std::uint64_t b) noexcept {
    return a + b < a ? ~std::uint64_t{0} : a + b;
}

}  // namespace

bool read_network(std::string_view text, Network& out) {
    const std::size_t slash = text.find('/');
    model::Address address{};
    if (!model::from_text(text.substr(0, slash), address)) return false;
    const bool v4 = model::is_v4(address);
    unsigned bits = v4 ? 32 : 128;
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        unsigned given = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), given);
        if (digits.empty() || read.ec != std::errc() || read.ptr != digits.data() + digits.size() ||
            given > bits)
            return false;
        bits = given;
    }
    out.bits = v4 ? bits + 96 : bits;
    out.prefix = model::prefix_of(address, out.bits);
    return true;
}

std::uint32_t Filter::flows_per_kept() const noexcept {
    return flow_sample >= 1 || flow_sample <= 0
               ? 1u
               : static_cast<std::uint32_t>(std::min(std::lround(1 / flow_sample), 1'000'000L));
}

bool Filter::passes(const model::Event& event) const {
    if ((kinds_of(event.kind) & kinds) == 0) return false;
    // Flow summaries carry no judgement; the least severity is for findings.
    if (event.kind != model::EventKind::flow_summary && event.severity < severity_least)
        return false;
    if (event.farm.farm != 0 && !farms.empty() &&
        std::find(farms.begin(), farms.end(), event.farm.farm) == farms.end())
        return false;
    const bool thin = event.kind == model::EventKind::flow_summary && flow_sample < 1;
    if (event.flow.empty() || (!thin && networks.empty())) return true;
    contract::RecordView record;
    if (contract::read_frame(ByteView(event.flow), record) != Parse::ok) return !thin;
    if (thin) {
        const std::uint64_t mixed = hash64(ByteView(event.flow).subspan(8, 16), 1);
        if (static_cast<double>(mixed >> 11) * 0x1p-53 >= flow_sample) return false;
    }
    if (networks.empty()) return true;
    return std::any_of(networks.begin(), networks.end(), [&record](const Network& network) {
        return contains(network, record.ip(Field::src)) ||
               contains(network, record.ip(Field::dst)) ||
               contains(network, record.ip(Field::proxied_src));
    });
}

bool AccountMinutes::add(const model::Event& event) {
    contract::RecordView record;
    if (!event.account.known() || contract::read_frame(ByteView(event.flow), record) != Parse::ok)
        return false;
    const Key key{event.account, event.at.count / (60 * kSecond)};
    auto found = sums_.find(key);
    if (found == sums_.end()) {
        if (sums_.size() >= kAccountsMax) return false;
        if (sums_.empty()) oldest_minute_ = key.minute;
        found = sums_.emplace(key, Sum{}).first;
        found->second.first = event;
        found->second.minute = key.minute;
    }
    Sum& sum = found->second;
    sum.count += std::min(event.count, ~std::uint32_t{0} - sum.count);
    sum.packets_c = sum_of(sum.packets_c, record.get(Field::packets_c));
    sum.packets_s = sum_of(sum.packets_s, record.get(Field::packets_s));
    sum.bytes_c = sum_of(sum.bytes_c, record.get(Field::payload_c));
    sum.bytes_s = sum_of(sum.bytes_s, record.get(Field::payload_s));
    sum.t_last = std::max(sum.t_last, static_cast<std::int64_t>(record.get(Field::t_last_ns)));
    return true;
}

model::Event AccountMinutes::summed(const Sum& sum) {
    model::Event event = sum.first;
    event.count = sum.count;
    event.title = "flows of one account in one minute";
    contract::RecordView record;
    if (contract::read_frame(ByteView(sum.first.flow), record) != Parse::ok) return event;
    std::vector<std::uint8_t> buffer(
        std::max<std::size_t>(contract::kFrameBytesMin, sum.first.flow.size()) +
        contract::kFixedBytes);
    contract::FrameWriter writer(buffer);
    writer.begin(record.kind, record.flow);
    constexpr Field kCopied[] = {Field::t_first_ns, Field::dport,       Field::proto,
                                 Field::app,        Field::tls_version, Field::ip_version};
    for (const Field field : kCopied) {
        if (record.has(field)) writer.set(field, record.get(field));
    }
    for (const Field field : {Field::src, Field::dst}) {
        const ByteView address = record.ip(field);
        std::uint8_t bytes[16] = {};
        if (address.size() != sizeof bytes) continue;
        std::copy(address.begin(), address.end(), bytes);
        writer.set_ip(field, bytes);
    }
    writer.set(Field::t_last_ns, static_cast<std::uint64_t>(sum.t_last));
    writer.set(Field::packets_c, sum.packets_c);
    writer.set(Field::packets_s, sum.packets_s);
    writer.set(Field::payload_c, sum.bytes_c);
    writer.set(Field::payload_s, sum.bytes_s);
    writer.append_encoded(record.strings);
    buffer.resize(writer.finish());
    event.flow = std::move(buffer);
    return event;
}

}  // namespace seine::siem
