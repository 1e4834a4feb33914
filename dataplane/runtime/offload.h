// Rules for cards: only wanted ports are kept, bulk flows are passed by; what the card refuses is done in software.
#pragma once
#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"
#include "dataplane/wire/link_type.h"

namespace seine::runtime {

// One rule in our own words. Everything that is absent matches anything.
struct CardRule {
    enum class Action : std::uint8_t {
        spread,
        drop
    };                              // to the workers' queues by the symmetric key; away, counted
    unsigned priority = 0;          // 0 goes first
    std::uint8_t ip_version = 0;    // 4, 6, or 0: any frame
    std::uint8_t protocol = 0;      // 6, 17, or 0
    std::uint16_t source_port = 0;  // 0: any
    std::uint16_t target_port = 0;
    Action action = Action::spread;
    // One direction of one flow: its addresses too (IPv4 mapped), and of TCP no segment with SYN, FIN or RST.
    bool of_flow = false;
    std::uint8_t source[16] = {};
    std::uint8_t target[16] = {};
    friend bool operator==(const CardRule&, const CardRule&) = default;
};

inline constexpr unsigned kFlowPriority = 0;  // before the ports that are kept
inline constexpr unsigned kKeepPriority = 1;
inline constexpr unsigned kRestPriority = 2;

// Both directions of TCP and UDP over IPv4 and IPv6 for each port, and last a rule that drops all
// else. Fragments without ports and tunnels are "all else" to a card; in software they are kept.
[[nodiscard]] std::vector<CardRule> rules_for_ports(const std::vector<std::uint16_t>& ports);

// The rule as dpdk-testpmd would be told, to read it or to try it on a card.
[[nodiscard]] std::string testpmd_line(const CardRule& rule, unsigned port, unsigned queues);

// What a card is asked through; tests record it. Zero or a negative errno, `why` in the driver's
// words.
class CardRules {
  public:
    using Handle = void*;
    virtual ~CardRules() = default;
    virtual int validate(const CardRule& rule, std::string& why) = 0;
    virtual int create(const CardRule& rule, Handle& handle, std::string& why) = 0;
    virtual void destroy(Handle handle) = 0;
    // What a rule that drops has dropped since it was made; false: the card cannot say.
    virtual bool counted(Handle handle, std::uint64_t& packets, std::uint64_t& bytes) = 0;
};

// How an input's unwanted packets are left out.
struct OffloadState {
    enum class Where : std::uint8_t { nowhere, card, software } where = Where::nowhere;
    std::size_t rules = 0;
    std::string why;  // of software: what the card said, and to which rule
};
// All of the rules or none, with their handles in `made`: each is validated before the first is created, and when one is refused
// those before it are taken back, since a card that drops without keeping would lose what is
// wanted.
[[nodiscard]] OffloadState put_on_card(CardRules& card, const std::vector<CardRule>& rules,
                                       std::vector<CardRules::Handle>* made = nullptr);
// By rte_flow, for the DPDK port `id`; its rules go when it does.
[[nodiscard]] std::unique_ptr<CardRules> card_rules_of(std::uint16_t id, unsigned queues);

// The same in software, for one burst's packets.
class PortFilter {
  public:
    PortFilter() = default;
    explicit PortFilter(const std::vector<std::uint16_t>& ports);
    [[nodiscard]] bool any() const noexcept { return any_; }
    // False for a plain TCP or UDP packet without a wanted port, and for what is no IP.
    [[nodiscard]] bool wants(ByteView frame, wire::LinkType link) const noexcept;

  private:
    std::bitset<65536> ports_;
    bool any_ = false;
};

}  // namespace seine::runtime
