// Our rules as rte_flow items and actions.
#include <array>
#include <cerrno>
#include <cstring>

#include <rte_ethdev.h>
#include <rte_flow.h>

#include "dataplane/runtime/offload.h"

namespace seine::runtime {
namespace {

constexpr std::size_t kQueuesMax = 64;

// Everything a rule points at, alive while DPDK reads it.
struct Built {
    rte_flow_attr attr{};
    rte_flow_item_ipv4 ipv4{};
    rte_flow_item_ipv4 ipv4_mask{};
    rte_flow_item_ipv6 ipv6{};
    rte_flow_item_ipv6 ipv6_mask{};
    rte_flow_item_tcp tcp{};
    rte_flow_item_tcp tcp_mask{};
    rte_flow_item_udp udp{};
    rte_flow_item_udp udp_mask{};
    std::array<rte_flow_item, 4> items{};
    std::array<std::uint16_t, kQueuesMax> queues{};
    std::array<std::uint8_t, 40> key{};
    rte_flow_action_rss rss{};
    rte_flow_action_queue queue{};
    rte_flow_action_count count{};
    std::array<rte_flow_action, 3> actions{};
};

rte_flow_item address_item(const CardRule& rule, Built& out) {
    const bool four = rule.ip_version == 4;
    const rte_flow_item_type type = four ? RTE_FLOW_ITEM_TYPE_IPV4 : RTE_FLOW_ITEM_TYPE_IPV6;
    if (!rule.of_flow) return {type, nullptr, nullptr, nullptr};
    if (four) {
        std::memcpy(&out.ipv4.hdr.src_addr, rule.source + 12, 4);
        std::memcpy(&out.ipv4.hdr.dst_addr, rule.target + 12, 4);
        out.ipv4_mask.hdr.src_addr = out.ipv4_mask.hdr.dst_addr = 0xffffffff;
        return {type, &out.ipv4, nullptr, &out.ipv4_mask};
    }
    std::memcpy(out.ipv6.hdr.src_addr, rule.source, 16);
    std::memcpy(out.ipv6.hdr.dst_addr, rule.target, 16);
    std::memset(out.ipv6_mask.hdr.src_addr, 0xff, 16);
    std::memset(out.ipv6_mask.hdr.dst_addr, 0xff, 16);
    return {type, &out.ipv6, nullptr, &out.ipv6_mask};
}

void build_pattern(const CardRule& rule, Built& out) {
    std::size_t at = 0;
    out.items[at++].type = RTE_FLOW_ITEM_TYPE_ETH;
    if (rule.ip_version != 0) out.items[at++] = address_item(rule, out);
    const rte_be16_t source = rte_cpu_to_be_16(rule.source_port);
    const rte_be16_t target = rte_cpu_to_be_16(rule.target_port);
    const auto mask = [](rte_be16_t port) {
        return static_cast<rte_be16_t>(port != 0 ? 0xffff : 0);
    };
    if (rule.protocol == 6) {
        out.tcp.hdr.src_port = source;
        out.tcp.hdr.dst_port = target;
        out.tcp_mask.hdr.src_port = mask(source);
        out.tcp_mask.hdr.dst_port = mask(target);
        if (rule.of_flow) out.tcp_mask.hdr.tcp_flags = RTE_TCP_FIN_FLAG | RTE_TCP_SYN_FLAG | RTE_TCP_RST_FLAG;
        out.items[at++] = {RTE_FLOW_ITEM_TYPE_TCP, &out.tcp, nullptr, &out.tcp_mask};
    } else if (rule.protocol == 17) {
        out.udp.hdr.src_port = source;
        out.udp.hdr.dst_port = target;
        out.udp_mask.hdr.src_port = mask(source);
        out.udp_mask.hdr.dst_port = mask(target);
        out.items[at++] = {RTE_FLOW_ITEM_TYPE_UDP, &out.udp, nullptr, &out.udp_mask};
    }
    out.items[at].type = RTE_FLOW_ITEM_TYPE_END;
}

void build_actions(const CardRule& rule, unsigned queues, Built& out) {
    std::size_t at = 0;
    if (rule.action == CardRule::Action::drop) {
        out.actions[at++] = {RTE_FLOW_ACTION_TYPE_COUNT, &out.count};
        out.actions[at++] = {RTE_FLOW_ACTION_TYPE_DROP, nullptr};
    } else if (queues <= 1) {
        out.actions[at++] = {RTE_FLOW_ACTION_TYPE_QUEUE, &out.queue};
    } else {
        for (std::size_t i = 0; i < out.key.size(); i += 2) {
            out.key[i] = 0x6d;
            out.key[i + 1] = 0x5a;
        }
        for (unsigned i = 0; i < queues && i < kQueuesMax; ++i)
            out.queues[i] = static_cast<std::uint16_t>(i);
        out.rss.func = RTE_ETH_HASH_FUNCTION_TOEPLITZ;
        const bool tcp = rule.protocol == 6;
        out.rss.types = rule.ip_version == 4
                            ? (tcp ? RTE_ETH_RSS_NONFRAG_IPV4_TCP : RTE_ETH_RSS_NONFRAG_IPV4_UDP)
                            : (tcp ? RTE_ETH_RSS_NONFRAG_IPV6_TCP : RTE_ETH_RSS_NONFRAG_IPV6_UDP);
        out.rss.key = out.key.data();
        out.rss.key_len = static_cast<std::uint32_t>(out.key.size());
        out.rss.queue = out.queues.data();
        out.rss.queue_num = std::min<std::uint32_t>(queues, kQueuesMax);
        out.actions[at++] = {RTE_FLOW_ACTION_TYPE_RSS, &out.rss};
    }
    out.actions[at].type = RTE_FLOW_ACTION_TYPE_END;
}

class RteFlowRules final : public CardRules {
  public:
    RteFlowRules(std::uint16_t id, unsigned queues) : id_(id), queues_(queues) {}

    int validate(const CardRule& rule, std::string& why) override {
        Built built;
        build(rule, built);
        rte_flow_error error{};
        const int done =
            rte_flow_validate(id_, &built.attr, built.items.data(), built.actions.data(), &error);
        if (done != 0 && error.message != nullptr) why = error.message;
        return done;
    }
    int create(const CardRule& rule, Handle& handle, std::string& why) override {
        Built built;
        build(rule, built);
        rte_flow_error error{};
        handle = rte_flow_create(id_, &built.attr, built.items.data(), built.actions.data(), &error);
        if (handle != nullptr) return 0;
        if (error.message != nullptr) why = error.message;
        return -EIO;
    }
    void destroy(Handle handle) override {
        static_cast<void>(rte_flow_destroy(id_, static_cast<rte_flow*>(handle), nullptr));
    }
    bool counted(Handle handle, std::uint64_t& packets, std::uint64_t& bytes) override {
        rte_flow_query_count answer{};
        const rte_flow_action count[] = {{RTE_FLOW_ACTION_TYPE_COUNT, nullptr}, {RTE_FLOW_ACTION_TYPE_END, nullptr}};
        if (rte_flow_query(id_, static_cast<rte_flow*>(handle), count, &answer, nullptr) != 0) return false;
        packets = answer.hits_set != 0 ? answer.hits : 0;
        bytes = answer.bytes_set != 0 ? answer.bytes : 0;
        return true;
    }

  private:
    void build(const CardRule& rule, Built& out) const {
        out.attr.ingress = 1;
        out.attr.priority = rule.priority;
        build_pattern(rule, out);
        build_actions(rule, queues_, out);
    }
    std::uint16_t id_;
    unsigned queues_;
};

}  // namespace

std::unique_ptr<CardRules> card_rules_of(std::uint16_t id, unsigned queues) {
    return std::make_unique<RteFlowRules>(id, queues);
}

}  // namespace seine::runtime
