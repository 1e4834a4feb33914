// What people who know better say: values that must not count. Every rule has an owner, a reason,
// an end and a counter, and no rule can convict: it only takes evidence away, and only its own.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/detect/population.h"
#include "dataplane/base/status.h"

namespace seine::detect {

struct FeedbackRule {
    enum class Subject : std::uint8_t { asn = 1, prefix, address, stack, organisation, account };
    std::uint64_t id = 0;  // given by add()
    Subject subject{};
    std::uint64_t value = 0;  // of an asn, prefix, address or stack token
    model::OrgTag org;
    model::AccountTag account;
    std::string owner, reason;
    Nanos since, expires;
    std::uint64_t hits = 0;  // tokens or accounts left out so far
};

class Feedback final : public TokenFilter {
  public:
    static constexpr std::size_t kRulesMax = 1024;
    // So much of the population may be excluded by rules on accounts and organisations within a
    // week; more is refused, so that a flood of false reports cannot blind detection.
    static constexpr std::size_t kAccountsPerWeek = 100;
    static constexpr std::int64_t kLongestNs = 400 * kDay;

    // Gives the rule its id. Refuses one without owner, reason or a sensible end.
    [[nodiscard]] Status add(FeedbackRule rule, Nanos now);
    // Takes these rules in place of all there are; a rule that was there before (same subject,
    // value, owner and reason) keeps its id, its beginning and its hits. All or nothing.
    [[nodiscard]] Status replace(std::vector<FeedbackRule> rules, Nanos now);
    bool remove(std::uint64_t id);
    void expire(Nanos now);
    [[nodiscard]] std::vector<FeedbackRule> rules() const;

    [[nodiscard]] bool excluded(Channel channel, std::uint64_t value) const override;
    [[nodiscard]] bool excluded(const Account& account) const override;

  private:
    struct Kept {
        FeedbackRule rule;
        std::unique_ptr<std::atomic<std::uint64_t>> hits;  // sweeps count from several threads
    };
    std::vector<Kept> kept_;
    std::uint64_t next_id_ = 1;
};

}  // namespace seine::detect
