// Rules are few and most values have none: a binary search says so.
#include "control/detect/feedback.h"

#include <algorithm>
#include <cmath>

namespace seine::detect {
namespace {

using Subject = FeedbackRule::Subject;
using Effect = FeedbackRule::Effect;

bool of_accounts(Subject subject) {
    return subject == Subject::organisation || subject == Subject::account;
}

// What a token is to a rule; false where no rule can name it.
bool subject_of(Channel channel, Subject& subject) {
    subject = channel == Channel::network  ? Subject::asn
              : channel == Channel::prefix ? Subject::prefix
              : channel == Channel::address ? Subject::address
                                            : Subject::stack;
    return group_of(channel) == model::Group::net || channel == Channel::client ||
           channel == Channel::tls;
}

std::uint64_t value_of(const FeedbackRule& rule) {
    return rule.subject == Subject::organisation ? rule.org.hash()
           : rule.subject == Subject::account    ? rule.account.hash()
                                                 : rule.value;
}

bool same(const FeedbackRule& a, const FeedbackRule& b) {
    return a.subject == b.subject && a.effect == b.effect && a.value == b.value && a.org == b.org &&
           a.account == b.account && a.group == b.group && a.nats == b.nats && a.net == b.net &&
           a.owner == b.owner && a.reason == b.reason;
}

// The value that an account shows most on a channel; 0: none in the window.
std::uint64_t commonest(const Account& account, Channel channel, std::uint16_t oldest_h) {
    const Token* best = nullptr;
    for (const Token& t : account.tokens) {
        if (t.channel != channel || t.last_h < oldest_h) continue;
        if (best == nullptr || t.count > best->count ||
            (t.count == best->count && t.value < best->value))
            best = &t;
    }
    return best == nullptr ? 0 : best->value;
}

}  // namespace

Status effect_fits(const FeedbackRule& rule) {
    const bool accounts = of_accounts(rule.subject);
    switch (rule.effect) {
        case Effect::exclude:
            return {};
        case Effect::cap:
            if (static_cast<std::size_t>(rule.group) - 1 >= kGroups || !(rule.nats >= 0) ||
                rule.nats > 6)
                return {Code::usage, "a cap names a group of channels and 0 to 6 nats"};
            return {};
        case Effect::prior:
            if (!(std::abs(rule.nats) <= Feedback::kPriorMax) || rule.nats == 0)
                return {Code::usage, "a prior moves a score by 2 nats at most, up or down"};
            return {};
        case Effect::intermediary:
            if (accounts)
                return {Code::usage,
                        "an intermediary is an AS, a block, an address or a stack; who is known to "
                        "be one by name is imported as such: seinectl account import"};
            return {};
        case Effect::network:
            if (accounts || rule.subject == Subject::stack)
                return {Code::usage, "an AS, a block or an address is of a class of networks"};
            if (rule.net == NetClass::unknown)
                return {Code::usage, "a rule on a network names its class"};
            return {};
    }
    return {Code::usage, "a rule has an effect"};
}

void Feedback::index() {
    by_value_.clear();
    with_effect_.fill(0);
    for (std::uint32_t i = 0; i < kept_.size(); ++i) {
        by_value_.push_back({value_of(kept_[i].rule), i});
        ++with_effect_[static_cast<std::size_t>(kept_[i].rule.effect)];
    }
    std::sort(by_value_.begin(), by_value_.end(), [](const Named& a, const Named& b) {
        return a.value != b.value ? a.value < b.value : a.at < b.at;
    });
}

Status Feedback::add(FeedbackRule rule, Nanos now) {
    if (rule.owner.empty() || rule.reason.empty()) {
        return {Code::usage, "a rule names its owner and its reason"};
    }
    if (rule.expires <= now || rule.expires - now > kLongestNs) {
        return {Code::usage, "a rule ends within 400 days from now"};
    }
    if (Status status = effect_fits(rule); !status.ok()) return status;
    if (kept_.size() >= kRulesMax) {
        return {Code::full, "there are 1024 rules already; remove some that have no hits"};
    }
    if (of_accounts(rule.subject)) {
        const auto lately = std::count_if(kept_.begin(), kept_.end(), [&](const Kept& k) {
            return of_accounts(k.rule.subject) && now - k.rule.since < 7 * kDay;
        });
        if (static_cast<std::size_t>(lately) >= kAccountsPerWeek) {
            return {Code::full, "a hundred accounts were named by rules within a week; more wait"};
        }
    }
    rule.id = next_id_++;
    rule.since = now;
    kept_.push_back({std::move(rule), std::make_unique<std::atomic<std::uint64_t>>(0)});
    index();
    return {};
}

Status Feedback::replace(std::vector<FeedbackRule> rules, Nanos now) {
    Feedback fresh;
    fresh.next_id_ = next_id_;
    for (FeedbackRule& rule : rules) {
        const auto known = std::find_if(kept_.begin(), kept_.end(),
                                        [&](const Kept& k) { return same(k.rule, rule); });
        if (known == kept_.end()) {
            if (Status status = fresh.add(std::move(rule), now); !status.ok()) return status;
            continue;
        }
        Kept kept{known->rule, std::make_unique<std::atomic<std::uint64_t>>(known->hits->load())};
        kept.rule.expires = rule.expires;
        fresh.kept_.push_back(std::move(kept));
    }
    kept_ = std::move(fresh.kept_);
    next_id_ = fresh.next_id_;
    index();
    return {};
}

bool Feedback::remove(std::uint64_t id) {
    const bool gone = std::erase_if(kept_, [id](const Kept& k) { return k.rule.id == id; }) > 0;
    index();
    return gone;
}

void Feedback::expire(Nanos now) {
    if (std::erase_if(kept_, [now](const Kept& k) { return k.rule.expires <= now; }) > 0) index();
}

std::vector<FeedbackRule> Feedback::rules() const {
    std::vector<FeedbackRule> out;
    for (const Kept& k : kept_) {
        out.push_back(k.rule);
        out.back().hits = k.hits->load(std::memory_order_relaxed);
    }
    return out;
}

template <typename Take>
void Feedback::each(Subject subject, std::uint64_t value, Effect effect, Take take) const {
    if (with_effect_[static_cast<std::size_t>(effect)] == 0) return;
    auto at = std::lower_bound(by_value_.begin(), by_value_.end(), value,
                               [](const Named& n, std::uint64_t v) { return n.value < v; });
    for (; at != by_value_.end() && at->value == value; ++at) {
        const Kept& kept = kept_[at->at];
        if (kept.rule.subject != subject || kept.rule.effect != effect) continue;
        kept.hits->fetch_add(1, std::memory_order_relaxed);
        take(kept.rule);
    }
}

const FeedbackRule* Feedback::hit(Subject subject, std::uint64_t value, Effect effect) const {
    const FeedbackRule* last = nullptr;
    each(subject, value, effect, [&last](const FeedbackRule& rule) { last = &rule; });
    return last;
}

bool Feedback::excluded(Channel channel, std::uint64_t value) const {
    Subject subject{};
    if (kept_.empty() || !subject_of(channel, subject)) return false;
    return hit(subject, value, Effect::exclude) != nullptr ||
           hit(subject, value, Effect::intermediary) != nullptr;
}

bool Feedback::excluded(const Account& account, std::uint16_t oldest_h) const {
    if (kept_.empty()) return false;
    return hit(Subject::account, account.tag.hash(), Effect::exclude) != nullptr ||
           hit(Subject::organisation, account.org.hash(), Effect::exclude) != nullptr ||
           only_through_intermediaries(account, oldest_h);
}

bool Feedback::only_through_intermediaries(const Account& account, std::uint16_t oldest_h) const {
    if (with_effect_[static_cast<std::size_t>(Effect::intermediary)] == 0) return false;
    for (const Channel channel :
         {Channel::address, Channel::prefix, Channel::network, Channel::tls}) {
        Subject subject{};
        static_cast<void>(subject_of(channel, subject));
        std::size_t shown = 0, declared = 0;
        for (const Token& t : account.tokens) {
            if (t.channel != channel || t.last_h < oldest_h) continue;
            ++shown;
            declared += hit(subject, t.value, Effect::intermediary) != nullptr ? 1 : 0;
        }
        if (shown > 0 && declared == shown) return true;
    }
    return false;
}

Tempered Feedback::tempered(const Account& account, std::uint16_t oldest_h) const {
    Tempered out;
    const auto apply = [&out](const FeedbackRule& rule) {
        if (rule.effect == Effect::prior) out.nats += static_cast<float>(rule.nats);
        if (rule.effect != Effect::cap) return;
        float& most = out.most[static_cast<std::size_t>(rule.group) - 1];
        most = std::min(most, static_cast<float>(rule.nats));
    };
    for (const Effect effect : {Effect::cap, Effect::prior}) {
        if (with_effect_[static_cast<std::size_t>(effect)] == 0) continue;
        each(Subject::account, account.tag.hash(), effect, apply);
        each(Subject::organisation, account.org.hash(), effect, apply);
        for (const Token& t : account.tokens) {
            Subject subject{};
            if (t.last_h < oldest_h || !subject_of(t.channel, subject)) continue;
            each(subject, t.value, effect, apply);
        }
    }
    out.nats = std::clamp(out.nats, static_cast<float>(-kPriorMax), static_cast<float>(kPriorMax));
    return out;
}

NetClass Feedback::class_of(const Account& account, std::uint16_t oldest_h) const {
    if (with_effect_[static_cast<std::size_t>(Effect::network)] == 0) return NetClass::unknown;
    for (const Channel channel : {Channel::address, Channel::prefix, Channel::network}) {
        Subject subject{};
        static_cast<void>(subject_of(channel, subject));
        const std::uint64_t most = commonest(account, channel, oldest_h);
        if (most == 0) continue;
        if (const FeedbackRule* rule = hit(subject, most, Effect::network)) return rule->net;
    }
    return NetClass::unknown;
}

NetClass Feedback::class_of(const Origin& origin, NetClass otherwise) const {
    if (with_effect_[static_cast<std::size_t>(Effect::network)] == 0) return otherwise;
    if (const auto* rule = hit(Subject::address, origin.address, Effect::network)) return rule->net;
    if (const auto* rule = hit(Subject::prefix, origin.prefix, Effect::network)) return rule->net;
    if (const auto* rule = hit(Subject::asn, origin.network, Effect::network)) return rule->net;
    return otherwise;
}

bool Feedback::through_intermediary(const Origin& origin) const {
    if (with_effect_[static_cast<std::size_t>(Effect::intermediary)] == 0) return false;
    return hit(Subject::address, origin.address, Effect::intermediary) != nullptr ||
           hit(Subject::prefix, origin.prefix, Effect::intermediary) != nullptr ||
           hit(Subject::asn, origin.network, Effect::intermediary) != nullptr ||
           hit(Subject::stack, origin.tls, Effect::intermediary) != nullptr;
}

}  // namespace seine::detect
