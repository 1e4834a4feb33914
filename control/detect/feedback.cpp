// Rules are few, so a list is walked; most installations have none.
#include "control/detect/feedback.h"

#include <algorithm>

namespace seine::detect {
namespace {

using Subject = FeedbackRule::Subject;

bool of_accounts(Subject subject) {
    return subject == Subject::organisation || subject == Subject::account;
}

bool matches(const FeedbackRule& rule, Channel channel, std::uint64_t value) {
    if (rule.value != value) return false;
    switch (rule.subject) {
        case Subject::asn:
            return channel == Channel::network;
        case Subject::prefix:
            return channel == Channel::prefix;
        case Subject::address:
            return channel == Channel::address;
        case Subject::stack:
            return channel == Channel::client || channel == Channel::tls;
        case Subject::organisation:
        case Subject::account:
            break;
    }
    return false;
}

}  // namespace

Status Feedback::add(FeedbackRule rule, Nanos now) {
    if (rule.owner.empty() || rule.reason.empty()) {
        return {Code::usage, "a rule names its owner and its reason"};
    }
    if (rule.expires <= now || rule.expires - now > kLongestNs) {
        return {Code::usage, "a rule ends within 400 days from now"};
    }
    if (kept_.size() >= kRulesMax) {
        return {Code::full, "there are 1024 rules already; remove some that have no hits"};
    }
    if (of_accounts(rule.subject)) {
        const auto lately = std::count_if(kept_.begin(), kept_.end(), [&](const Kept& k) {
            return of_accounts(k.rule.subject) && now - k.rule.since < 7 * kDay;
        });
        if (static_cast<std::size_t>(lately) >= kAccountsPerWeek) {
            return {Code::full, "a hundred accounts were excluded within a week; more wait"};
        }
    }
    rule.id = next_id_++;
    rule.since = now;
    kept_.push_back({std::move(rule), std::make_unique<std::atomic<std::uint64_t>>(0)});
    return {};
}

Status Feedback::replace(std::vector<FeedbackRule> rules, Nanos now) {
    const auto same = [](const FeedbackRule& a, const FeedbackRule& b) {
        return a.subject == b.subject && a.value == b.value && a.org == b.org &&
               a.account == b.account && a.owner == b.owner && a.reason == b.reason;
    };
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
    return {};
}

bool Feedback::remove(std::uint64_t id) {
    return std::erase_if(kept_, [id](const Kept& k) { return k.rule.id == id; }) > 0;
}

void Feedback::expire(Nanos now) {
    std::erase_if(kept_, [now](const Kept& k) { return k.rule.expires <= now; });
}

std::vector<FeedbackRule> Feedback::rules() const {
    std::vector<FeedbackRule> out;
    for (const Kept& k : kept_) {
        out.push_back(k.rule);
        out.back().hits = k.hits->load(std::memory_order_relaxed);
    }
    return out;
}

bool Feedback::excluded(Channel channel, std::uint64_t value) const {
    for (const Kept& k : kept_) {
        if (!matches(k.rule, channel, value)) continue;
        k.hits->fetch_add(1, std::memory_order_relaxed);
        return true;
    }
    return false;
}

bool Feedback::excluded(const Account& account) const {
    for (const Kept& k : kept_) {
        const bool hit = (k.rule.subject == Subject::organisation && k.rule.org == account.org) ||
                         (k.rule.subject == Subject::account && k.rule.account == account.tag);
        if (!hit) continue;
        k.hits->fetch_add(1, std::memory_order_relaxed);
        return true;
    }
    return false;
}

}  // namespace seine::detect
