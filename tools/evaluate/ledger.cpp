#include "tools/evaluate/ledger.h"

#include <algorithm>

#include "dataplane/base/bytes.h"

namespace seine::evaluate {
namespace {

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
    std::uint64_t h = (a ^ b * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 31) * 0x94d049bb133111ebu;
    return h ^ h >> 29;
}
std::uint64_t token_of(const model::Address& address) {
    return mixed(load_le64(address.data()), load_le64(address.data() + 8));
}

}  // namespace

void Ledger::put(Channel channel, std::uint64_t token, std::uint32_t row) {
    Column& column = columns_[static_cast<std::size_t>(channel)];
    column.postings.push_back({token, row});
    if (column.postings.size() > 2 * column.sorted + (1u << 16)) compact(column);
}

void Ledger::compact(Column& column) {
    const auto middle = column.postings.begin() + static_cast<std::ptrdiff_t>(column.sorted);
    std::sort(middle, column.postings.end());
    std::inplace_merge(column.postings.begin(), middle, column.postings.end());
    column.postings.erase(std::unique(column.postings.begin(), column.postings.end()),
                          column.postings.end());
    column.sorted = column.postings.size();
}

const std::vector<Posting>& Ledger::postings(Channel channel) {
    Column& column = columns_[static_cast<std::size_t>(channel)];
    compact(column);
    return column.postings;
}

void Ledger::add(const model::Sighting& sighting) {
    const model::Flow& flow = sighting.flow;
    const std::uint64_t address = token_of(flow.tuple.client);
    const unsigned bits = model::is_v4(flow.tuple.client) ? 120 : 64;
    const std::uint64_t prefix = token_of(model::prefix_of(flow.tuple.client, bits));
    for (const model::AccountUse& use : sighting.uses) {
        const auto found = truth_.row_of.find(use.account);
        if (found == truth_.row_of.end()) continue;
        const std::uint32_t row = found->second;
        if (sighting.first || use.requests > 0) {
            put(Channel::address, address, row);
            put(Channel::address_stack, mixed(address, flow.ja4_norm), row);
            put(Channel::prefix, prefix, row);
            if (flow.ja4_norm != 0) put(Channel::stack, flow.ja4_norm, row);
            if (use.header_desc != 0) put(Channel::header, use.header_desc, row);
            if (flow.syn != 0) put(Channel::syn, flow.syn, row);
            for (const std::uint64_t id : flow.session_presented) put(Channel::ticket, id, row);
        }
        if (!flow.closed || !flow.rtt_valid) continue;  // once a flow: at its end
        RoundTrips& trips = trips_[row];
        trips.tcp_us = std::min(trips.tcp_us, flow.rtt_tcp_us);
        trips.tls_us = std::min(trips.tls_us, flow.rtt_tls_us);
        ++trips.samples;
    }
}

}  // namespace seine::evaluate
