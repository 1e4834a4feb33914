// The meaning of rules, written plainly: three-valued conditions over the values of one flow or request.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/signature/regex.h"
#include "dataplane/signature/rule.h"

namespace seine::signature {

// No, yes, or not known: a field whose group was not seen. A rule matches on yes alone.
enum class Tri : unsigned char { no, unknown, yes };
constexpr Tri operator!(Tri a) noexcept {
    return a == Tri::unknown ? a : a == Tri::yes ? Tri::no : Tri::yes;
}
constexpr Tri both(Tri a, Tri b) noexcept { return a < b ? a : b; }
constexpr Tri either(Tri a, Tri b) noexcept { return a > b ? a : b; }

// What is known of one flow or request.
class Subject {
  public:
    // Bodies are cut to kBodyBytesMax. A value makes its group seen.
    void add(const FieldRef& field, std::string_view value);
    void see(Group group) noexcept { seen_ |= bit(group); }
    [[nodiscard]] bool seen(Group group) const noexcept { return (seen_ & bit(group)) != 0; }
    [[nodiscard]] std::vector<std::string_view> values(const FieldRef& field) const;
    void clear() {
        values_.clear();
        seen_ = 0;
    }

  private:
    std::vector<ExampleValue> values_;
    Groups seen_ = 0;
};

// Evaluates with PCRE2, pattern by pattern. The matcher of the packet path is held to its answers by tests.
class Evaluator {
  public:
    // The set must outlive it. Compiles every pattern; the set was read without problems.
    static Result<Evaluator> make(const RuleSet& set);

    [[nodiscard]] Tri evaluate(const Condition& condition, const Subject& subject) const;
    // Condition and scope.
    [[nodiscard]] Tri evaluate(const Rule& rule, const Subject& subject) const;
    // Indexes of the rules that match, in order; disabled ones too.
    [[nodiscard]] std::vector<std::size_t> matches(const Subject& subject) const;
    [[nodiscard]] const RuleSet& set() const noexcept { return *set_; }

  private:
    explicit Evaluator(const RuleSet& set) : set_(&set) {}
    [[nodiscard]] Tri leaf(std::uint32_t index, const Subject& subject) const;

    const RuleSet* set_;
    std::vector<std::vector<Regex>> patterns_;  // by leaf
};

Tri in_scope(const Scope& scope, const Subject& subject);

}  // namespace seine::signature
