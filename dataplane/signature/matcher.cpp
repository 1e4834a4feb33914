#include "dataplane/signature/matcher.h"

#include <algorithm>
#include <bit>
#include <utility>

#include <hs.h>

#include "dataplane/signature/generation_parts.h"

namespace seine::signature {
namespace {

void bump(std::atomic<std::uint64_t>& cell, std::uint64_t by = 1) noexcept {
    cell.store(cell.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

template <std::size_t Cap>
bool holds(const FixedVector<std::uint16_t, Cap>& list, std::uint32_t item) noexcept {
    return std::find(list.begin(), list.end(), item) != list.end();
}

struct LossText {
    std::string_view name;
    std::string_view meaning;
};
constexpr LossText kLossTexts[] = {
    {"match_facts_dropped", "things found of a flow that no room was left for: a rule over several may have missed"},
    {"match_hits_dropped", "rules that hit past what one event may tell"},
    {"match_bodies_exhausted", "request bodies not matched: no scan was free"},
    {"match_flows_restarted", "flows looked at anew because the rule set changed under them"},
    {"match_gave_up", "confirmations of a pattern given up: too many steps"},
    {"match_streams_dropped", "HTTP/2 requests whose bodies were not matched to their end: too many side by side"}};
static_assert(sizeof kLossTexts / sizeof kLossTexts[0] == kLossCount);

}  // namespace

std::string_view name_of(Loss loss) noexcept { return kLossTexts[static_cast<std::size_t>(loss)].name; }
std::string_view meaning_of(Loss loss) noexcept { return kLossTexts[static_cast<std::size_t>(loss)].meaning; }

void Matcher::count(Loss loss) noexcept { bump(lost_[static_cast<std::size_t>(loss)]); }

void Matcher::count_packets(std::uint64_t count) noexcept {
    if (room_ != nullptr) bump(room_->packets, count);
}

void Matcher::mark(const FixedVector<std::uint16_t, SeenState::kFactsMax>& facts) noexcept {
    for (const std::uint16_t fact : facts) room_->fact_marks[fact] = room_->event;
}

void Matcher::begin(MatchState& state) noexcept {
    state_ = &state;
    if (state.generation != generation_->number()) {
        // What was found by another set means nothing to this one: the flow is looked at from here on.
        if (state.generation != 0 && state.seen() != 0) count(Loss::flows);
        state.restart(generation_->number());
    }
    if (++room_->event == 0) {
        std::fill(room_->fact_marks.begin(), room_->fact_marks.end(), 0);
        std::fill(room_->rule_marks.begin(), room_->rule_marks.end(), 0);
        room_->event = 1;
    }
    values_.clear();
    found_.clear();
    hits_.clear();
    mark(state.flow.facts);
    mark(state.request.facts);
}

void Matcher::begin_request(MatchState& state) noexcept {
    end_body(state);
    state.request.clear();
    begin(state);
}

int Matcher::on_match(unsigned id, unsigned long long, unsigned long long, unsigned, void* self) noexcept {
    auto& matcher = *static_cast<Matcher*>(self);
    const auto& facts = matcher.generation_->rules().facts;
    if (id >= facts.size()) return 0;
    if (facts[id].confirms.empty()) {
        matcher.matched(id);
    } else if (matcher.body_ != nullptr) {
        BodyScan& body = *matcher.body_;
        if (body.suspect_count < body.suspects.size()) body.suspects[body.suspect_count++] = static_cast<std::uint16_t>(id);
        else matcher.count(Loss::facts);
    } else if (!holds(matcher.suspects_, id) && !matcher.suspects_.push(static_cast<std::uint16_t>(id))) {
        matcher.count(Loss::facts);
    }
    return 0;
}

void Matcher::found(std::uint32_t fact) noexcept {
    if (room_->fact_marks[fact] == room_->event) return;
    const auto value = static_cast<std::uint16_t>(values_.size() - 1);
    if (found_.push({static_cast<std::uint16_t>(fact), value})) room_->fact_marks[fact] = room_->event;
    else count(Loss::facts);
}

// By a database, so that the same value will have it again.
void Matcher::matched(std::uint32_t fact) noexcept {
    if (learning_ != nullptr && !learning_->add(static_cast<std::uint16_t>(fact))) forget();
    found(fact);
}

void Matcher::forget() noexcept {
    if (learning_ != nullptr) learning_->forget();
    learning_ = nullptr;
}

void Matcher::confirm(std::uint32_t fact, std::string_view value) noexcept {
    for (const std::uint32_t rule : std::span(index_->rules_of_fact)
                                        .subspan(index_->rules_of_fact_start[fact])
                                        .first(1))
        bump(room_->counters[rule].confirms);
    for (const Regex& regex : room_->confirms[fact]) {
        const RegexAnswer answer = regex.search(value);
        if (answer == RegexAnswer::gave_up) {
            count(Loss::gave_up);
            forget();
        }
        if (answer == RegexAnswer::yes) return matched(fact);
    }
}

void Matcher::scan(std::uint16_t slot, std::string_view value) noexcept {
    if (!values_.push({slot, 0, value})) return count(Loss::facts);
    const SlotIndex& index = index_->slots[slot];
    if (index.present != kNone) found(index.present);
    for (const SlotIndex::List& list : index.lists)
        if (list.table->contains(value)) found(list.fact);
    if (index.database == nullptr) return;
    ValueMemory::Entry* const entry = room_->memory->place(slot, value);
    if (entry != nullptr) {
        if (room_->memory->holds(*entry, slot, value)) {
            for (std::uint8_t i = 0; i < entry->fact_count; ++i) found(entry->facts[i]);
            return;
        }
        ValueMemory::begin(*entry, slot, value);
        learning_ = entry;
    }
    hs_scan(index.database, value.data(), static_cast<unsigned>(value.size()), 0, room_->scratch, on_match, this);
    if (!suspects_.empty()) {
        for (const std::uint16_t fact : suspects_) confirm(fact, value);
        suspects_.clear();
    }
    learning_ = nullptr;
}

void Matcher::feed(Field field, std::string_view value) noexcept {
    const std::uint16_t slot = index_->slot_of_field[static_cast<std::size_t>(field)];
    if (slot != 0xffff) scan(slot, value);
}

void Matcher::feed_header(std::string_view name, std::string_view value) noexcept {
    if (!index_->any_headers || name.size() > kHeaderNameBytesMax) return;
    for (const auto& header : index_->headers[name.size()]) {
        const bool same = std::equal(name.begin(), name.end(), header.name.begin(), [](char sent, char lower) {
            return (sent >= 'A' && sent <= 'Z' ? sent + 32 : sent) == lower;
        });
        if (same) scan(header.slot, value);
    }
}

void Matcher::feed_address(Field field, const std::uint8_t (&address)[16]) noexcept {
    const std::uint16_t slot = index_->slot_of_field[static_cast<std::size_t>(field)];
    if (slot == 0xffff) return;
    if (!values_.push({slot, 0, {}})) return count(Loss::facts);
    const SlotIndex& index = index_->slots[slot];
    if (index.present != kNone) found(index.present);
    std::array<std::uint8_t, 16> bytes{};
    std::copy(std::begin(address), std::end(address), bytes.begin());
    for (const SlotIndex::List& list : index.lists)
        if (list.table->list->contains(bytes)) found(list.fact);
}

// A rule is looked at once an event, and told once a flow, or once a request where it asks about requests.
void Matcher::look_at(std::uint32_t rule) noexcept {
    if (room_->rule_marks[rule] == room_->event) return;
    room_->rule_marks[rule] = room_->event;
    const bool of_request = (index_->groups_of_rule[rule] & kRequestGroups) != 0;
    auto& fired = (of_request ? state_->request : state_->flow).fired;
    if (holds(fired, rule)) return;
    const CompiledRule& one = generation_->rules().rules[rule];
    bump(room_->counters[rule].evaluated);
    const Tri answer = run(one.steps, seen_, [this](std::uint32_t fact) { return room_->fact_marks[fact] == room_->event; });
    if (answer != Tri::yes) return;
    if (hits_.full() || !fired.push(static_cast<std::uint16_t>(rule))) return count(Loss::hits);
    Hit hit;
    hit.rule = &one;
    hit.number = rule;
    for (const Found& each : found_) {
        const auto uses = [&](const Step& step) { return step.kind == Step::Kind::fact && step.fact == each.fact; };
        if (hit.evidence.full() || std::none_of(one.steps.begin(), one.steps.end(), uses)) continue;
        const Value& value = values_[each.value];
        static_cast<void>(hit.evidence.push({&generation_->rules().slots[value.slot].field, value.text, value.offset}));
    }
    static_cast<void>(hits_.push(hit));
}

void Matcher::look_at_rules_of(std::uint32_t fact) noexcept {
    const GenerationIndex& index = (*index_);
    for (std::uint32_t i = index.rules_of_fact_start[fact]; i < index.rules_of_fact_start[fact + 1]; ++i)
        look_at(index.rules_of_fact[i]);
}

// What a later event may ask for again.
void Matcher::keep() noexcept {
    const CompiledRules& rules = generation_->rules();
    for (const Found& each : found_) {
        if (!index_->kept[each.fact]) continue;
        const Group group = info(rules.slots[rules.facts[each.fact].slot].field.field).group;
        auto& kept = ((bit(group) & kRequestGroups) != 0 ? state_->request : state_->flow).facts;
        if (!kept.push(each.fact)) count(Loss::facts);
    }
}

std::span<const Hit> Matcher::end(Groups groups) noexcept {
    const Groups fresh = groups & ~state_->seen();
    state_->flow.seen |= groups & ~kRequestGroups;
    state_->request.seen |= groups & kRequestGroups;
    // What was found of a group makes the group seen, though its end was not.
    seen_ = state_->seen();
    for (const Found& each : found_) look_at_rules_of(each.fact);
    if (fresh != 0) {
        for (const std::uint16_t fact : state_->flow.facts) look_at_rules_of(fact);
        for (const std::uint16_t fact : state_->request.facts) look_at_rules_of(fact);
        for (Groups left = fresh & index_->groups_with_rules; left != 0; left &= left - 1)
            for (const std::uint32_t rule : index_->rules_of_group[static_cast<unsigned>(std::countr_zero(left))]) look_at(rule);
    }
    if (!found_.empty()) keep();
    return {hits_.data(), hits_.size()};
}

bool Matcher::begin_body(MatchState& state, Field field) noexcept {
    if (!uses(field) || state.generation != generation_->number() || state.body != MatchState::kNoBody) return false;
    const unsigned which = field == Field::http_body ? 0 : 1;
    BodyPool& pool = room_->bodies[which];
    for (std::uint32_t tried = 0; tried < pool.count; ++tried) {
        const std::uint32_t at = pool.next++ % pool.count;
        BodyScan& scan = pool.scans[at];
        if (scan.taken) continue;
        if (scan.stream != nullptr) hs_reset_stream(scan.stream, 0, room_->scratch, nullptr, nullptr);
        scan.taken = true;
        scan.bytes = 0;
        scan.suspect_count = 0;
        state.body = static_cast<std::uint16_t>(at * 2 + which);
        return true;
    }
    count(Loss::bodies);
    return false;
}

bool Matcher::feed_body(MatchState& state, Field field, ByteView bytes) noexcept {
    if (state.body == MatchState::kNoBody || state.generation != generation_->number()) return true;
    const std::uint16_t slot = index_->slot_of_field[static_cast<std::size_t>(field)];
    BodyScan& body = room_->bodies[state.body & 1].scans[state.body / 2];
    bytes = bytes.first(std::min<std::size_t>(bytes.size(), kBodyBytesMax - body.bytes));
    if (bytes.empty()) return body.bytes == kBodyBytesMax;
    const std::string_view text = as_text(bytes);
    if (!values_.push({slot, body.bytes, text})) return true;
    const SlotIndex& index = index_->slots[slot];
    if (index.present != kNone) found(index.present);
    std::copy(text.begin(), text.end(), body.text.begin() + body.bytes);
    body.bytes += static_cast<std::uint32_t>(bytes.size());
    if (body.stream != nullptr) {
        body_ = &body;
        hs_scan_stream(body.stream, text.data(), static_cast<unsigned>(text.size()), 0, room_->scratch, on_match, this);
        body_ = nullptr;
        confirm_body(body);
    }
    return body.bytes == kBodyBytesMax;
}

void Matcher::confirm_body(BodyScan& body) noexcept {
    for (std::uint16_t i = 0; i < body.suspect_count; ++i) confirm(body.suspects[i], {body.text.data(), body.bytes});
}

void Matcher::finish_body(MatchState& state, Field field) noexcept {
    if (state.body == MatchState::kNoBody || state.generation != generation_->number()) return;
    BodyScan& body = room_->bodies[state.body & 1].scans[state.body / 2];
    const std::uint16_t slot = index_->slot_of_field[static_cast<std::size_t>(field)];
    if (body.stream != nullptr && values_.push({slot, body.bytes, {}})) {
        body_ = &body;
        hs_reset_stream(body.stream, 0, room_->scratch, on_match, this);
        body_ = nullptr;
        confirm_body(body);
    }
    end_body(state);
}

void Matcher::end_body(MatchState& state) noexcept {
    if (state.body == MatchState::kNoBody) return;
    // Of a set that is no longer used the scan went with it.
    if (active() && state.generation == generation_->number())
        room_->bodies[state.body & 1].scans[state.body / 2].taken = false;
    state.body = MatchState::kNoBody;
}

void Matcher::end_flow(MatchState& state) noexcept {
    end_body(state);
    if (active() && state.generation == generation_->number() && room_->parked != nullptr)
        while (ParkedRequest* const request = room_->parked->newest(state)) unpark(state, *request);
    state.parked = MatchState::kNoneParked;
}

ParkedRequest* Matcher::parked(const MatchState& state, std::uint32_t stream) const noexcept {
    if (state.parked == MatchState::kNoneParked || !active() || state.generation != generation_->number()) return nullptr;
    return room_->parked->find(state, stream);
}

void Matcher::unpark(MatchState& state, ParkedRequest& request) noexcept {
    for (std::uint16_t& body : request.bodies)
        if (body != MatchState::kNoBody) room_->bodies[body & 1].scans[body / 2].taken = false;
    room_->parked->give(state, request);
}

void Matcher::park(MatchState& state, std::uint32_t stream) noexcept {
    const bool answers = uses(Field::http_response_body);
    if (state.generation != generation_->number() || (state.body == MatchState::kNoBody && !answers)) return;
    if (ParkedRequest* const same = room_->parked->find(state, stream)) unpark(state, *same);
    if (ParkedRequest* const oldest = room_->parked->over(state)) {
        unpark(state, *oldest);
        count(Loss::streams);
    }
    ParkedRequest* const request = room_->parked->take(state);
    if (request == nullptr) {
        end_body(state);
        return count(Loss::streams);
    }
    request->stream = stream;
    request->awaits_answer = answers;
    request->bodies[0] = std::exchange(state.body, MatchState::kNoBody);
    request->request = state.request;
}

bool Matcher::reads(const MatchState& state, std::uint32_t stream, Field field) const noexcept {
    const ParkedRequest* const request = parked(state, stream);
    return request != nullptr && request->bodies[field == Field::http_body ? 0 : 1] != MatchState::kNoBody;
}

void Matcher::begin_answer(MatchState& state, std::uint32_t stream) noexcept {
    ParkedRequest* const request = parked(state, stream);
    if (request == nullptr || !request->awaits_answer || request->bodies[1] != MatchState::kNoBody) return;
    const std::uint16_t body = std::exchange(state.body, MatchState::kNoBody);
    static_cast<void>(begin_body(state, Field::http_response_body));
    request->bodies[1] = std::exchange(state.body, body);
}

void Matcher::end_answer(MatchState& state, std::uint32_t stream) noexcept {
    ParkedRequest* const request = parked(state, stream);
    if (request == nullptr) return;
    request->awaits_answer = false;
    if (request->done()) unpark(state, *request);
}

void Matcher::drop(MatchState& state, std::uint32_t stream) noexcept {
    if (ParkedRequest* const request = parked(state, stream)) unpark(state, *request);
}

bool Matcher::resume(MatchState& state, std::uint32_t stream, Field field) noexcept {
    ParkedRequest* const request = parked(state, stream);
    const unsigned body = field == Field::http_body ? 0 : 1;
    if (request == nullptr || request->bodies[body] == MatchState::kNoBody) return false;
    resumed_ = request;
    resumed_body_ = body;
    std::swap(state.request, request->request);
    std::swap(state.body, request->bodies[resumed_body_]);
    return true;
}

void Matcher::suspend(MatchState& state) noexcept {
    ParkedRequest& request = *resumed_;
    resumed_ = nullptr;
    std::swap(state.request, request.request);
    std::swap(state.body, request.bodies[resumed_body_]);
    if (request.done()) unpark(state, request);
}

bool Matcher::admit(const Hit& hit, const std::uint8_t (&source)[16], std::uint16_t server_port, Nanos now,
                    std::uint64_t (&swallowed)[2]) noexcept {
    const CompiledRule& rule = *hit.rule;
    if (!rule.ports.empty() &&
        std::none_of(rule.ports.begin(), rule.ports.end(), [&](PortRange range) {
            return range.first <= server_port && server_port <= range.last;
        }))
        return false;
    if (!rule.networks.empty()) {
        std::array<std::uint8_t, 16> address{};
        std::copy(std::begin(source), std::end(source), address.begin());
        if (std::none_of(rule.networks.begin(), rule.networks.end(),
                         [&](const Network& network) { return contains(network, address); }))
            return false;
    }
    RuleCounters& counters = room_->counters[hit.number];
    bump(counters.hits);
    counters.last_hit_ns.store(now.count, std::memory_order_relaxed);
    if (rule.state == State::shadow) return false;
    RateWindow& of_rule = room_->rule_windows[hit.number];
    RateWindow& of_source = room_->sources->window(hit.number, source, now);
    // The source is asked first: one loud source must not use up what others may say.
    if (!of_source.admit(rule.per_source, now)) {
        ++of_rule.swallowed;
        bump(counters.swallowed);
        return false;
    }
    if (!of_rule.admit(rule.per_rule, now)) {
        bump(counters.swallowed);
        return false;
    }
    bump(counters.findings);
    swallowed[0] = of_rule.take_swallowed();
    swallowed[1] = of_source.take_swallowed();
    return true;
}

}  // namespace seine::signature
