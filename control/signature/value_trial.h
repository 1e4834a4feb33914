// What a rule set would have hit among values that a store counted: no flow is looked at.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/signature/evaluate.h"

namespace seine::control_signature {

// One value of a field of records ("ja4", "user_agent"), summed over days.
struct CountedValue {
    std::string field;
    std::string value;
    std::uint64_t flows = 0;
    std::uint64_t accounts = 0;
    std::vector<std::string> some_accounts;  // tags
};

// The field of records that a rule's field is counted under; empty: values of it are not kept.
std::string_view counted_field(signature::Field field) noexcept;

struct ValueHits {
    // values: the rule asks for one field, so the sums are its hits. bound: it asks for several, or
    // has a scope, and hits at most that often. nothing_kept: of none of its fields values are kept.
    enum class By : std::uint8_t { values, bound, nothing_kept };
    By by = By::values;
    std::uint64_t flows = 0;
    std::uint64_t accounts = 0;  // sum over the values: an account with two of them counts twice
    std::vector<CountedValue> hits;  // of By::values, most flows first, at most kHitsMax
    std::uint64_t values = 0;        // how many there were
};
std::string_view name_of(ValueHits::By by) noexcept;

// One thread. Rules that are off are left out.
class ValueTrial {
  public:
    static constexpr std::size_t kHitsMax = 1000;

    static Result<std::unique_ptr<ValueTrial>> make(signature::RuleSet set);
    // Fields that add() wants the values of.
    [[nodiscard]] const std::set<std::string>& fields() const noexcept { return fields_; }
    void add(const CountedValue& value);
    // By rule id.
    [[nodiscard]] std::map<std::string, ValueHits> outcome() const;
    // Whether a flow has to be looked at to know if the rule hits.
    [[nodiscard]] bool needs_flows(std::size_t rule) const { return plans_[rule].by != ValueHits::By::values; }
    [[nodiscard]] const signature::RuleSet& set() const noexcept { return set_; }
    [[nodiscard]] const signature::Evaluator& evaluator() const noexcept { return *evaluator_; }

  private:
    struct Plan {
        ValueHits::By by = ValueHits::By::values;
        std::string field;      // of By::values
        bool off = false;
        bool negates = false;   // a value that no comparison hits may satisfy it
    };
    // At most so many flows; kUnbounded: values say nothing of it.
    static constexpr std::uint64_t kUnbounded = UINT64_MAX;
    struct Sum {
        std::uint64_t flows = 0;
        std::uint64_t accounts = 0;
    };

    explicit ValueTrial(signature::RuleSet set) : set_(std::move(set)) {}
    void plan(std::size_t rule);
    void index_leaf(std::uint32_t leaf);
    void leaves_of(const CountedValue& value, const signature::Subject& subject, std::vector<std::uint32_t>& out) const;
    [[nodiscard]] Sum bound_of(const signature::Condition& condition) const;

    signature::RuleSet set_;
    std::unique_ptr<signature::Evaluator> evaluator_;
    std::set<std::string> fields_;
    std::vector<Plan> plans_;                                    // by rule
    std::vector<std::vector<std::size_t>> rules_of_leaf_;        // of By::values
    std::map<std::string, std::vector<std::size_t>> negating_;   // likewise, by field
    // Comparisons for equality are looked up, the others tried one by one.
    std::map<std::string, std::map<std::string, std::vector<std::uint32_t>, std::less<>>> equal_;
    std::map<std::string, std::vector<std::uint32_t>> other_;
    std::vector<Sum> leaf_sums_;
    std::map<std::string, Sum> field_sums_;
    std::vector<ValueHits> hits_;  // by rule
};

}  // namespace seine::control_signature
