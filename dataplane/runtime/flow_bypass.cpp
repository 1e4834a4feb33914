#include "dataplane/runtime/flow_bypass.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace seine::runtime {
namespace {

// Mapped IPv4 addresses (RFC 4291, 2.5.5.2) are four bytes on the wire.
bool is_mapped(const std::uint8_t (&address)[16]) noexcept {
    static constexpr std::uint8_t kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::memcmp(address, kPrefix, sizeof kPrefix) == 0;
}

CardRule one_way(const flow::Endpoint& source, const flow::Endpoint& target, std::uint8_t protocol) {
    CardRule rule;
    rule.priority = kFlowPriority;
    rule.protocol = protocol;
    rule.source_port = source.port;
    rule.target_port = target.port;
    rule.action = CardRule::Action::drop;
    rule.of_flow = true;
    std::memcpy(rule.source, source.address, sizeof rule.source);
    std::memcpy(rule.target, target.address, sizeof rule.target);
    rule.ip_version = is_mapped(rule.source) && is_mapped(rule.target) ? 4 : 6;
    return rule;
}

}  // namespace

std::vector<CardRule> rules_for_flow(const flow::FlowKey& key) {
    return {one_way(key.low_end(), key.high_end(), key.protocol), one_way(key.high_end(), key.low_end(), key.protocol)};
}

std::vector<CardRule> example_flow_rules() {
    const auto end = [](std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint16_t port) {
        const std::uint8_t bytes[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
        flow::Endpoint out{{0, 0}, port};
        std::memcpy(out.address, bytes, sizeof bytes);
        return out;
    };
    return rules_for_flow(flow::make_key(end(192, 0, 2, 1, 50000), end(198, 51, 100, 7, 873), 6).key);
}

FlowBypass::FlowBypass(std::unique_ptr<CardRules> card, std::size_t flows_max, unsigned quiet_tends)
    : card_(std::move(card)), flows_max_(flows_max), quiet_tends_(quiet_tends) {
    counts_.wanted = true;
}

FlowBypass::~FlowBypass() {
    for (const Passed& passed : passed_)
        for (const CardRules::Handle rule : passed.rules) card_->destroy(rule);
}

void FlowBypass::take(const pipeline::BypassAsk& ask, pipeline::BypassLink& link) {
    const auto found =
        std::find_if(passed_.begin(), passed_.end(), [&](const Passed& one) { return one.ask.key == ask.key; });
    if (found != passed_.end()) take_back(static_cast<std::size_t>(found - passed_.begin()));
    if (ask.over) return;
    if (passed_.size() == flows_max_) {
        ++counts_.full;
        return;
    }
    Passed passed;
    passed.ask = ask;
    passed.link = &link;
    OffloadState state = put_on_card(*card_, rules_for_flow(ask.key), &passed.rules);
    if (state.where != OffloadState::Where::card) {
        ++counts_.refused;
        counts_.refusal = std::move(state.why);
        return;
    }
    ++counts_.made;
    passed_.push_back(std::move(passed));
    counts_.flows = passed_.size();
}

// What the card counted since the last time goes to the worker; what finds no room is told with the next.
void FlowBypass::read(Passed& passed) {
    pipeline::BypassCount count;
    count.flow = passed.ask.flow;
    count.number = passed.ask.number;
    for (std::size_t i = 0; i < passed.rules.size(); ++i) {
        std::uint64_t packets = 0;
        std::uint64_t bytes = 0;
        if (!card_->counted(passed.rules[i], packets, bytes)) continue;
        count.packets[i] = packets - std::min(packets, passed.packets[i]);
        count.bytes[i] = bytes - std::min(bytes, passed.bytes[i]);
    }
    const bool quiet = count.packets[0] == 0 && count.packets[1] == 0;
    passed.quiet = quiet ? passed.quiet + 1 : 0;
    if (quiet || !passed.link->counts.push(count)) return;
    for (std::size_t i = 0; i < passed.rules.size(); ++i) {
        passed.packets[i] += count.packets[i];
        passed.bytes[i] += count.bytes[i];
        counts_.packets += count.packets[i];
        counts_.bytes += count.bytes[i];
    }
}

void FlowBypass::take_back(std::size_t at) {
    read(passed_[at]);
    for (const CardRules::Handle rule : passed_[at].rules) card_->destroy(rule);
    std::swap(passed_[at], passed_.back());
    passed_.pop_back();
    counts_.flows = passed_.size();
}

void FlowBypass::tend() {
    for (Passed& passed : passed_) read(passed);
    for (std::size_t i = passed_.size(); i-- > 0;)
        if (passed_[i].quiet >= quiet_tends_) take_back(i);
}

}  // namespace seine::runtime
