#include "dataplane/runtime/offload.h"

#include <arpa/inet.h>
#include <cstring>
#include <utility>

#include "dataplane/runtime/plain_flow.h"
#include "dataplane/wire/steering.h"

namespace seine::runtime {
namespace {

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

// Of a frame that plain_flow() says is one: where its transport header begins.
std::size_t transport_at(ByteView frame, wire::LinkType link) noexcept {
    std::size_t at = 0;
    if (link == wire::LinkType::ethernet) {
        at = 14;
        for (std::uint16_t type = load_be16(frame.data() + 12); type == 0x8100 || type == 0x88a8;
             at += 4)
            type = load_be16(frame.data() + at + 2);
    }
    return at + (frame[at] >> 4 == 4 ? std::size_t{frame[at]} % 16 * 4 : 40);
}

std::string address_text(const std::uint8_t (&address)[16], std::uint8_t ip_version) {
    char text[INET6_ADDRSTRLEN] = "";
    if (ip_version == 4) inet_ntop(AF_INET, address + 12, text, sizeof text);
    else inet_ntop(AF_INET6, address, text, sizeof text);
    return text;
}

}  // namespace

std::vector<CardRule> rules_for_ports(const std::vector<std::uint16_t>& ports) {
    std::vector<CardRule> rules;
    for (const std::uint16_t port : ports) {
        for (const std::uint8_t version : {std::uint8_t{4}, std::uint8_t{6}}) {
            for (const std::uint8_t protocol : {kTcp, kUdp}) {
                rules.push_back({.priority = kKeepPriority,
                                 .ip_version = version,
                                 .protocol = protocol,
                                 .source_port = 0,
                                 .target_port = port});
                rules.push_back({.priority = kKeepPriority,
                                 .ip_version = version,
                                 .protocol = protocol,
                                 .source_port = port,
                                 .target_port = 0});
            }
        }
    }
    rules.push_back({.priority = kRestPriority, .action = CardRule::Action::drop});
    return rules;
}

std::string testpmd_line(const CardRule& rule, unsigned port, unsigned queues) {
    std::string out = "flow create " + std::to_string(port) + " priority " +
                      std::to_string(rule.priority) + " ingress pattern eth /";
    const std::string version = rule.ip_version == 4 ? "ipv4" : "ipv6";
    const std::string protocol = rule.protocol == kTcp ? "tcp" : "udp";
    if (rule.ip_version != 0) {
        out += " " + version;
        if (rule.of_flow)
            out += " src is " + address_text(rule.source, rule.ip_version) + " dst is " +
                   address_text(rule.target, rule.ip_version);
        out += " /";
    }
    if (rule.protocol != 0) {
        out += " " + protocol;
        if (rule.source_port != 0) out += " src is " + std::to_string(rule.source_port);
        if (rule.target_port != 0) out += " dst is " + std::to_string(rule.target_port);
        if (rule.of_flow && rule.protocol == kTcp) out += " flags spec 0 flags mask 7";
        out += " /";
    }
    out += " end actions ";
    if (rule.action == CardRule::Action::drop) return out + "count / drop / end";
    if (queues <= 1) return out + "queue index 0 / end";
    out += "rss func toeplitz types " + version + "-" + protocol + " end key ";
    for (int i = 0; i < 20; ++i) out += "6d5a";
    out += " queues";
    for (unsigned queue = 0; queue < queues; ++queue) out += " " + std::to_string(queue);
    return out + " end / end";
}

OffloadState put_on_card(CardRules& card, const std::vector<CardRule>& rules,
                         std::vector<CardRules::Handle>* made) {
    OffloadState state;
    std::vector<CardRules::Handle> handles;
    const auto refused = [&](const CardRule& rule, int error, const std::string& why) {
        state.where = OffloadState::Where::software;
        state.rules = 0;
        state.why = "the card refuses '" + testpmd_line(rule, 0, 1) +
                    "': " + (why.empty() ? std::strerror(-error) : why);
    };
    std::string why;
    for (const CardRule& rule : rules) {
        if (const int error = card.validate(rule, why); error != 0)
            return refused(rule, error, why), state;
    }
    for (const CardRule& rule : rules) {
        CardRules::Handle handle = nullptr;
        if (const int error = card.create(rule, handle, why); error != 0) {
            for (const CardRules::Handle one : handles) card.destroy(one);
            return refused(rule, error, why), state;
        }
        handles.push_back(handle);
        ++state.rules;
    }
    state.where = OffloadState::Where::card;
    if (made != nullptr) *made = std::move(handles);
    return state;
}

PortFilter::PortFilter(const std::vector<std::uint16_t>& ports) : any_(!ports.empty()) {
    for (const std::uint16_t port : ports) ports_.set(port);
}

bool PortFilter::wants(ByteView frame, wire::LinkType link) const noexcept {
    if (!plain_flow(frame, link)) return wire::peek(frame, link).by != wire::SteerBy::none;
    const std::size_t at = transport_at(frame, link);
    if (frame.size() < at + 4) return true;  // cut short: let the decoder count it
    return ports_.test(load_be16(frame.data() + at)) ||
           ports_.test(load_be16(frame.data() + at + 2));
}

}  // namespace seine::runtime
