// What people who know better say of values and accounts. Every rule has an owner, a reason, an end
// and a counter. What a rule may do is bounded: it takes evidence away, and only its own, or moves a
// score by two nats at most.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/detect/rules.h"
#include "dataplane/base/status.h"

namespace seine::detect {

struct FeedbackRule {
    enum class Subject : std::uint8_t { asn = 1, prefix, address, stack, organisation, account };
    // exclude: it counts nothing. cap: a group of channels says so much at most of who shows it.
    // prior: the score of who shows it is moved. intermediary: what comes that way leaves no evidence,
    // and who comes no other way is not judged. network: the class of the network it is.
    enum class Effect : std::uint8_t { exclude = 1, cap, prior, intermediary, network };
    std::uint64_t id = 0;  // given by add()
    Subject subject{};
    Effect effect = Effect::exclude;
    std::uint64_t value = 0;  // of an asn, prefix, address or stack token
    model::OrgTag org;
    model::AccountTag account;
    model::Group group{};             // of a cap
    double nats = 0;                  // of a cap or a prior
    NetClass net = NetClass::unknown;  // of a network
    std::string owner, reason;
    Nanos since, expires;
    std::uint64_t hits = 0;  // times that it was asked for and applied
};

// Whether a rule's effect is one that its subject can have, and within its bounds.
[[nodiscard]] Status effect_fits(const FeedbackRule& rule);

class Feedback final : public Rules {
  public:
    static constexpr std::size_t kRulesMax = 1024;
    // So much of the population may be excluded by rules on accounts and organisations within a
    // week; more is refused, so that a flood of false reports cannot blind detection.
    static constexpr std::size_t kAccountsPerWeek = 100;
    static constexpr std::int64_t kLongestNs = 400 * kDay;
    static constexpr double kPriorMax = 2;  // nats, of all rules together

    // Gives the rule its id. Refuses one without owner, reason or a sensible end, and an effect that
    // its subject cannot have.
    [[nodiscard]] Status add(FeedbackRule rule, Nanos now);
    // Takes these rules in place of all there are; a rule that was there before (the same but for its
    // end) keeps its id, its beginning and its hits. All or nothing.
    [[nodiscard]] Status replace(std::vector<FeedbackRule> rules, Nanos now);
    bool remove(std::uint64_t id);
    void expire(Nanos now);
    [[nodiscard]] std::vector<FeedbackRule> rules() const;
    [[nodiscard]] bool empty() const noexcept { return kept_.empty(); }

    [[nodiscard]] bool excluded(Channel channel, std::uint64_t value) const override;
    [[nodiscard]] bool excluded(const Account& account, std::uint16_t oldest_h) const override;
    [[nodiscard]] Tempered tempered(const Account& account, std::uint16_t oldest_h) const override;
    [[nodiscard]] NetClass class_of(const Account& account, std::uint16_t oldest_h) const override;
    [[nodiscard]] NetClass class_of(const Origin& origin, NetClass otherwise) const override;
    [[nodiscard]] bool through_intermediary(const Origin& origin) const override;

  private:
    struct Kept {
        FeedbackRule rule;
        std::unique_ptr<std::atomic<std::uint64_t>> hits;  // sweeps count from several threads
    };
    struct Named {
        std::uint64_t value;
        std::uint32_t at;  // in kept_
    };
    using Subject = FeedbackRule::Subject;
    using Effect = FeedbackRule::Effect;
    void index();
    // Hands every rule with this effect on a value out, and counts a hit.
    template <typename Take>
    void each(Subject subject, std::uint64_t value, Effect effect, Take take) const;
    // The last of them. Nullptr: none.
    [[nodiscard]] const FeedbackRule* hit(Subject subject, std::uint64_t value, Effect effect) const;
    [[nodiscard]] bool only_through_intermediaries(const Account& account,
                                                   std::uint16_t oldest_h) const;

    std::vector<Kept> kept_;
    std::vector<Named> by_value_;  // rising; accounts and organisations by the hash of their tag
    std::array<std::uint32_t, 6> with_effect_{};  // rules of each effect
    std::uint64_t next_id_ = 1;
};

}  // namespace seine::detect
