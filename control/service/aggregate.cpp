// Adding up.
#include "control/service/aggregate.h"

#include <algorithm>

#include "control/model/address.h"

namespace seine::service {

using contract::Field;
using contract::Kind;

namespace {

constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::size_t kKnownTextsMax = 2'000'000;

constexpr std::uint16_t number_of(Field field) { return static_cast<std::uint16_t>(field); }

// What an account's own row lists; the rest is counted by value alone.
bool is_of_account(std::uint16_t field) {
    switch (field) {
        case number_of(Field::ja4):
        case number_of(Field::hdr_order):
        case number_of(Field::h2_settings):
        case number_of(Field::syn):
        case number_of(Field::user_agent):
        case store::kFieldAddress:
        case store::kFieldPrefix:
        case store::kFieldSession:
            return true;
        default:
            return false;
    }
}

std::string prefix_text(const model::Address& address) {
    const bool v4 = model::is_v4(address);
    return model::to_text(model::prefix_of(address, v4 ? 120 : 48)) + (v4 ? "/24" : "/48");
}

std::string hex16(std::uint64_t value) {
    std::string text(16, '0');
    for (std::size_t i = 16; i-- > 0; value >>= 4) text[i] = kHexDigits[value & 15];
    return text;
}

void add_value(store::AccountUse& to, std::uint16_t field, model::ValueId value, Nanos at, bool new_flow) {
    std::size_t of_field = 0;
    for (store::AccountValueRow& row : to.values) {
        if (row.field != field) continue;
        ++of_field;
        if (row.value != value) continue;
        row.first_seen = std::min(row.first_seen, at);
        row.last_seen = std::max(row.last_seen, at);
        row.flows += new_flow ? 1 : 0;
        return;
    }
    if (of_field < store::kAccountsPerValueMax) to.values.push_back({field, value, at, at, new_flow ? 1u : 0u});
}

}  // namespace

store::ValueUse* Aggregate::use_of(std::uint16_t field, model::ValueId value, Nanos at) {
    auto found = values_.find({field, value});
    if (found == values_.end()) {
        if (values_.size() >= kValuesMax) {
            ++counters_.values_shed;
            return nullptr;
        }
        found = values_.emplace(Key{field, value}, store::ValueUse()).first;
        found->second.field = field;
        found->second.value = value;
        found->second.first_seen = at;
    }
    store::ValueUse& use = found->second;
    use.first_seen = std::min(use.first_seen, at);
    use.last_seen = std::max(use.last_seen, at);
    return &use;
}

void Aggregate::count_text(std::uint16_t field, std::string_view text, model::ValueId id, Nanos at) {
    store::ValueUse* use = use_of(field, id, at);
    if (use == nullptr) return;
    ++use->flows;
    use->networks.add(network_);
    if (!known_texts_.insert(id).second) return;
    texts_.push_back({field, id, std::string(text)});
    if (known_texts_.size() > kKnownTextsMax) known_texts_.clear();
}

void Aggregate::count_address(const model::Tuple& tuple, Nanos at) {
    const std::string address = model::to_text(tuple.client);
    count_text(store::kFieldAddress, address, model::value_id(address), at);
    const std::string prefix = prefix_text(tuple.client);
    count_text(store::kFieldPrefix, prefix, model::value_id(prefix), at);
}

store::MinuteRow& Aggregate::minute(std::uint16_t dataplane, Nanos now) {
    const auto at = static_cast<std::uint64_t>(now.count / kMinute);
    store::MinuteRow& row = minutes_[at << 16 | dataplane];
    row.minute = {now.count / kMinute * kMinute};
    row.dataplane = dataplane;
    return row;
}

void Aggregate::record(const contract::RecordView& record, const dataplane_link::FlowFacts& facts, Nanos now) {
    store::MinuteRow& row = minute(record.flow.dataplane, now);
    const Nanos at = facts.flow.t_close;
    network_ = model::value_id(prefix_text(facts.flow.tuple.client));
    switch (record.kind) {
        case Kind::open:
            ++row.opened;
            ++counters_.opened;
            ++all_flows_;
            count_address(facts.flow.tuple, facts.flow.t_open);
            break;
        case Kind::request:
            ++row.requests;
            ++counters_.requests;
            break;
        case Kind::close:
            ++row.closed;
            ++counters_.closed;
            row.payload_bytes += record.get(Field::payload_c) + record.get(Field::payload_s);
            break;
        case Kind::update:
            ++counters_.updates;
            break;
        case Kind::finding:
            return;
    }
    RecentFlows::Entry* entry = nullptr;
    dataplane_link::each_value(record, [&](Field field, std::string_view text) {
        const model::ValueId id = model::value_id(text);
        count_text(number_of(field), text, id, at);
        if (entry == nullptr) entry = &recent_.of(record.flow);
        if (entry->values.size() < RecentFlows::kValuesMax) entry->values.emplace_back(number_of(field), id);
    });
    for (const std::uint64_t session : facts.flow.session_presented) {
        const std::string text = hex16(session);
        count_text(store::kFieldSession, text, model::value_id(text), at);
    }
}

store::AccountUse* Aggregate::account_of(const model::AccountTag& tag) {
    const auto found = accounts_.find(tag);
    if (found != accounts_.end()) return &found->second;
    if (accounts_.size() >= kAccountsMax) {
        ++counters_.accounts_shed;
        return nullptr;
    }
    store::AccountUse& use = accounts_[tag];
    use.row.account = tag;
    return &use;
}

void Aggregate::put_to_account(const model::Sighting& sighting, const model::AccountUse& use, bool new_here) {
    const model::Flow& flow = sighting.flow;
    std::vector<std::pair<std::uint16_t, model::ValueId>> values;
    if (const RecentFlows::Entry* entry = recent_.find(flow.id)) {
        values = entry->values;
    } else {
        for (const auto& [field, value] : {std::pair{Field::ja4, flow.ja4}, std::pair{Field::ja4_norm, flow.ja4_norm},
                                           std::pair{Field::hdr_order, flow.hdr_order},
                                           std::pair{Field::h2_settings, flow.h2_settings},
                                           std::pair{Field::syn, flow.syn}, std::pair{Field::user_agent, flow.user_agent}}) {
            if (value != 0) values.emplace_back(number_of(field), value);
        }
    }
    const std::string prefix = prefix_text(flow.tuple.client);
    values.emplace_back(store::kFieldAddress, model::value_id(model::to_text(flow.tuple.client)));
    values.emplace_back(store::kFieldPrefix, model::value_id(prefix));
    for (const std::uint64_t session : flow.session_presented)
        values.emplace_back(store::kFieldSession, model::value_id(hex16(session)));
    const std::uint64_t network = model::value_id(prefix);
    store::AccountUse* account = account_of(use.account);
    for (const auto& [field, value] : values) {
        if (store::ValueUse* counted = use_of(field, value, use.t_last)) {
            if (counted->accounts.add(use.account.hash()) && counted->some_accounts.size() < store::kAccountsPerValueMax)
                counted->some_accounts.push_back(use.account);
            counted->organisations.add(use.org.hash());
            counted->networks.add(network);
        }
        if (account != nullptr && is_of_account(field)) add_value(*account, field, value, use.t_last, new_here);
    }
}

void Aggregate::sighting(const model::Sighting& sighting, Nanos now) {
    ++counters_.sightings;
    RecentFlows::Entry* entry = recent_.find(sighting.flow.id);
    for (const model::AccountUse& use : sighting.uses) {
        bool new_here = sighting.first;
        if (entry != nullptr) {
            new_here = std::find(entry->accounts.begin(), entry->accounts.end(), use.account) == entry->accounts.end();
            if (new_here) entry->accounts.push_back(use.account);
        }
        if (!new_here && use.requests == 0) continue;
        put_to_account(sighting, use, new_here);
        all_accounts_.add(use.account.hash());
        all_organisations_.add(use.org.hash());
        store::AccountUse* account = account_of(use.account);
        if (account == nullptr) continue;
        store::AccountRow& row = account->row;
        if (use.org.known()) row.org = use.org;
        row.first_seen = row.first_seen.count == 0 ? use.t_first : std::min(row.first_seen, use.t_first);
        row.last_seen = std::max(row.last_seen, use.t_last);
        row.flows += new_here ? 1 : 0;
        row.requests += use.requests;
        row.limited += use.limited;
        row.errors += use.errors;
        row.modes |= 1u << static_cast<unsigned>(use.mode);
        row.flags = static_cast<std::uint16_t>(row.flags | use.flags);
        if (use.first_seen_day != 0) row.first_seen_day = use.first_seen_day;
        if (use.tier != 0) row.tier = use.tier;
        if (use.trust != 0) row.trust = use.trust;
    }
    if (sighting.first) ++minute(sighting.flow.id.dataplane, now).joined;
}

void Aggregate::account_event(const model::AccountEvent& event) {
    store::AccountUse* account = account_of(event.account);
    if (account == nullptr) return;
    store::AccountRow& row = account->row;
    if (event.org.known()) row.org = event.org;
    if (event.first_seen_day != 0) row.first_seen_day = event.first_seen_day;
    if (event.tier != 0) row.tier = event.tier;
    if (event.declared_intermediary) row.flags = static_cast<std::uint16_t>(row.flags | 64u);
    if (event.kind == model::AccountEvent::Kind::closed) {
        row.closed = true;
        row.closed_at = event.at;
    }
}

void Aggregate::lost(std::uint16_t dataplane, std::uint64_t records, Nanos now) {
    if (records > 0) minute(dataplane, now).records_lost += records;
}

void Aggregate::take(store::Batch& out) {
    out.texts = std::move(texts_);
    texts_.clear();
    out.values.reserve(values_.size());
    for (auto& [key, use] : values_) out.values.push_back(std::move(use));
    values_.clear();
    out.accounts.reserve(accounts_.size());
    for (auto& [tag, use] : accounts_) out.accounts.push_back(std::move(use));
    accounts_.clear();
    for (auto& [at, row] : minutes_) out.minutes.push_back(row);
    minutes_.clear();
    // In order of keys: pages of the store are touched once.
    std::sort(out.values.begin(), out.values.end(), [](const store::ValueUse& a, const store::ValueUse& b) {
        return a.field != b.field ? a.field < b.field
                                  : static_cast<std::int64_t>(a.value) < static_cast<std::int64_t>(b.value);
    });
    std::sort(out.accounts.begin(), out.accounts.end(),
              [](const store::AccountUse& a, const store::AccountUse& b) { return a.row.account < b.row.account; });
    std::sort(out.minutes.begin(), out.minutes.end(), [](const store::MinuteRow& a, const store::MinuteRow& b) {
        return std::pair(a.minute, a.dataplane) < std::pair(b.minute, b.dataplane);
    });
    out.all_accounts = std::move(all_accounts_);
    out.all_organisations = std::move(all_organisations_);
    out.all_flows = all_flows_;
    all_accounts_ = {};
    all_organisations_ = {};
    all_flows_ = 0;
}

}  // namespace seine::service
