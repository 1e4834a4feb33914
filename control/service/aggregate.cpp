// Adding up.
#include "control/service/aggregate.h"

#include <algorithm>
#include <array>

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

bool is_place(std::uint16_t field) { return field == store::kFieldAddress || field == store::kFieldPrefix; }

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
    if (to.values.empty()) to.values.reserve(8);
    if (of_field < store::kAccountsPerValueMax) to.values.push_back({field, value, at, at, new_flow ? 1u : 0u});
}

// Items are large: their keys are sorted, and each item moves once.
template <typename Item, typename KeyOf>
void put_in_order(std::vector<Item>& items, std::vector<Item>& room, KeyOf key_of) {
    std::vector<std::pair<decltype(key_of(items[0])), std::uint32_t>> keys;
    keys.reserve(items.size());
    for (std::uint32_t i = 0; i < items.size(); ++i) keys.emplace_back(key_of(items[i]), i);
    std::sort(keys.begin(), keys.end());
    room.clear();
    room.reserve(items.size());
    for (const auto& [key, i] : keys) room.push_back(std::move(items[i]));
    items.swap(room);
    room.clear();
}

}  // namespace

store::ValueUse* Aggregate::use_of(std::uint16_t field, model::ValueId value, Nanos at) {
    store::ValueUse* use = values_.find({field, value});
    if (use == nullptr) {
        if (values_.size() >= kValuesMax) {
            ++counters_.values_shed;
            return nullptr;
        }
        store::ValueUse made;
        made.field = field;
        made.value = value;
        made.first_seen = at;
        use = &values_.add({field, value}, std::move(made));
    }
    use->first_seen = std::min(use->first_seen, at);
    use->last_seen = std::max(use->last_seen, at);
    return use;
}

const Aggregate::Place& Aggregate::place_of(const model::Address& client) {
    const std::uint64_t hash = mix64(load_le64(client.data()) ^ kHashSeed, load_le64(client.data() + 8) + kHashSeed);
    Place& place = places_[hash & (kPlaces - 1)];
    if (place.address == 0 || place.client != client)
        place = {client, model::value_id(model::to_text(client)), model::value_id(prefix_text(client))};
    return place;
}

bool Aggregate::count(std::uint16_t field, model::ValueId id, std::uint64_t network, Nanos at) {
    store::ValueUse* use = use_of(field, id, at);
    if (use == nullptr) return false;
    // An address or prefix is of one network.
    if (!is_place(field) || use->networks.empty()) use->networks.add(network);
    // Its text was handed out when it was counted first.
    if (use->flows++ != 0 || !known_texts_.insert(id).second) return false;
    if (known_texts_.size() > kKnownTextsMax) known_texts_.clear();
    return true;
}

void Aggregate::count_address(const model::Tuple& tuple, const contract::FlowId& id, Nanos at) {
    const Place place = place_of(tuple.client);
    if (count(store::kFieldAddress, place.address, place.prefix, at))
        texts_.push_back({store::kFieldAddress, place.address, model::to_text(tuple.client)});
    if (count(store::kFieldPrefix, place.prefix, place.prefix, at))
        texts_.push_back({store::kFieldPrefix, place.prefix, prefix_text(tuple.client)});
    RecentFlows::Entry& entry = recent_.of(id);
    entry.address = place.address;
    entry.prefix = place.prefix;
}

store::MinuteRow& Aggregate::minute(std::uint16_t dataplane, Nanos now) {
    const std::uint64_t key = static_cast<std::uint64_t>(now.count / kMinute) << 16 | dataplane;
    if (last_row_ != nullptr && last_minute_ == key) return *last_row_;
    store::MinuteRow& row = minutes_[key];
    last_minute_ = key;
    last_row_ = &row;
    row.minute = {now.count / kMinute * kMinute};
    row.dataplane = dataplane;
    return row;
}

void Aggregate::record(const contract::RecordView& record, const dataplane_link::FlowFacts& facts, Nanos now) {
    store::MinuteRow& row = minute(record.flow.dataplane, now);
    const Nanos at = facts.flow.t_close;
    switch (record.kind) {
        case Kind::open:
            ++row.opened;
            ++counters_.opened;
            ++all_flows_;
            count_address(facts.flow.tuple, record.flow, facts.flow.t_open);
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
    std::uint64_t network = 0;
    const auto network_of = [&] { return network != 0 ? network : network = place_of(facts.flow.tuple.client).prefix; };
    for (const dataplane_link::FlowValue& value : facts.values) {
        const std::uint16_t field = number_of(value.field);
        if (count(field, value.id, network_of(), at)) texts_.push_back({field, value.id, std::string(value.text)});
        if (entry == nullptr) entry = &recent_.of(record.flow);
        if (entry->values.size() < RecentFlows::kValuesMax) entry->values.emplace_back(field, value.id);
    }
    for (const std::uint64_t session : facts.flow.session_presented) {
        const std::string text = hex16(session);
        const model::ValueId id = model::value_id(text);
        if (count(store::kFieldSession, id, network_of(), at)) texts_.push_back({store::kFieldSession, id, text});
    }
}

store::AccountUse* Aggregate::account_of(const model::AccountTag& tag) {
    if (store::AccountUse* found = accounts_.find(tag)) return found;
    if (accounts_.size() >= kAccountsMax) {
        ++counters_.accounts_shed;
        return nullptr;
    }
    store::AccountUse made;
    made.row.account = tag;
    if (!spare_lists_.empty()) {
        made.values = std::move(spare_lists_.back());
        spare_lists_.pop_back();
    }
    return &accounts_.add(tag, std::move(made));
}

// What the connection is counted under: by its records, or, when they are no longer at hand, by what
// the sighting repeats of them.
const Aggregate::Values& Aggregate::values_of(const model::Flow& flow, const RecentFlows::Entry* entry) {
    scratch_.clear();
    if (entry != nullptr) {
        scratch_ = entry->values;
    } else {
        for (const auto& [field, value] : {std::pair{Field::ja4, flow.ja4}, std::pair{Field::ja4_norm, flow.ja4_norm},
                                           std::pair{Field::hdr_order, flow.hdr_order},
                                           std::pair{Field::h2_settings, flow.h2_settings},
                                           std::pair{Field::syn, flow.syn}, std::pair{Field::user_agent, flow.user_agent}}) {
            if (value != 0) scratch_.emplace_back(number_of(field), value);
        }
    }
    const bool placed = entry != nullptr && entry->address != 0;
    const Place place = placed ? Place{{}, entry->address, entry->prefix} : place_of(flow.tuple.client);
    scratch_.emplace_back(store::kFieldAddress, place.address);
    scratch_.emplace_back(store::kFieldPrefix, place.prefix);
    for (const std::uint64_t session : flow.session_presented)
        scratch_.emplace_back(store::kFieldSession, model::value_id(hex16(session)));
    return scratch_;
}

void Aggregate::put_values(const Values& values, std::uint64_t network, const model::AccountUse& use, bool new_here,
                           store::AccountUse* account) {
    for (const auto& [field, value] : values) {
        if (store::ValueUse* counted = use_of(field, value, use.t_last)) {
            if (counted->accounts.add(use.account.hash()) && counted->some_accounts.size() < store::kAccountsPerValueMax)
                counted->some_accounts.push_back(use.account);
            counted->organisations.add(use.org.hash());
            if (!is_place(field) || counted->networks.empty()) counted->networks.add(network);
        }
        if (account != nullptr && is_of_account(field)) add_value(*account, field, value, use.t_last, new_here);
    }
}

Aggregate::Found Aggregate::sighting(const model::Sighting& sighting, Nanos now) {
    ++counters_.sightings;
    // An account with nothing new was counted when the flow was told with it first.
    if (!sighting.first && std::all_of(sighting.uses.begin(), sighting.uses.end(),
                                       [](const model::AccountUse& use) { return use.requests == 0; }))
        return {};
    RecentFlows::Entry* entry = recent_.find(sighting.flow.id);
    Found found;
    found.flow = entry != nullptr;
    found.row_kept = found.flow && entry->row_kept;
    const Values* values = nullptr;
    for (const model::AccountUse& use : sighting.uses) {
        bool new_here = sighting.first;
        if (entry != nullptr) {
            new_here = std::find(entry->accounts.begin(), entry->accounts.end(), use.account) == entry->accounts.end();
            if (new_here) entry->accounts.push_back(use.account);
            found.new_account = found.new_account || new_here;
        }
        if (!new_here && use.requests == 0) continue;
        if (values == nullptr) values = &values_of(sighting.flow, entry);
        store::AccountUse* account = account_of(use.account);
        // The prefix stands right behind the address, in front of sessions.
        const auto prefix = std::find_if(values->begin(), values->end(),
                                         [](const auto& value) { return value.first == store::kFieldPrefix; });
        put_values(*values, prefix->second, use, new_here, account);
        all_accounts_.add(use.account.hash());
        all_organisations_.add(use.org.hash());
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
    return found;
}

void Aggregate::expect(std::span<const account::JoinSink::Coming> coming) const noexcept {
    const auto some = coming.first(std::min(coming.size(), kExpectedMax));
    for (const auto& [flow, tag] : some) {
        recent_.fetch_head(flow);
        accounts_.fetch_slot(tag);
    }
    std::array<const store::AccountUse*, kExpectedMax> uses;
    for (std::size_t i = 0; i < some.size(); ++i) {
        recent_.fetch_first(some[i].flow);
        uses[i] = accounts_.fetch_item(some[i].account);
    }
    for (std::size_t i = 0; i < some.size(); ++i) {
        recent_.fetch_lists(some[i].flow);
        if (uses[i] == nullptr) continue;
        const auto* const values = uses[i]->values.data();
        for (std::size_t line = 0; line < 4; ++line) __builtin_prefetch(values + 2 * line);  // eight of 40 bytes
    }
}

void Aggregate::account_event(const model::AccountEvent& event) {
    if (event.kind == model::AccountEvent::Kind::rekey) {
        if (renames_.size() < kAccountsMax) renames_.push_back({event.previous, event.account});
        else ++counters_.accounts_shed;
        return;
    }
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
    out.renames = std::move(renames_);
    renames_.clear();
    out.texts = std::move(texts_);
    texts_.clear();
    values_.take_into(out.values);
    accounts_.take_into(out.accounts);
    for (auto& [at, row] : minutes_) out.minutes.push_back(row);
    minutes_.clear();
    last_row_ = nullptr;
    out.all_accounts = std::move(all_accounts_);
    out.all_organisations = std::move(all_organisations_);
    out.all_flows = all_flows_;
    all_accounts_ = {};
    all_organisations_ = {};
    all_flows_ = 0;
}

void Aggregate::Order::operator()(store::Batch& batch) {
    put_in_order(batch.values, values_, [](const store::ValueUse& use) {
        return std::pair(use.field, static_cast<std::int64_t>(use.value));
    });
    put_in_order(batch.accounts, accounts_, [](const store::AccountUse& use) { return use.row.account; });
    std::sort(batch.minutes.begin(), batch.minutes.end(), [](const store::MinuteRow& a, const store::MinuteRow& b) {
        return std::pair(a.minute, a.dataplane) < std::pair(b.minute, b.dataplane);
    });
}

}  // namespace seine::service
