#include "control/signature/value_trial.h"

#include <algorithm>

namespace seine::control_signature {
namespace {

using signature::Condition;
using signature::Field;
using signature::MatchKind;
using signature::Op;

struct Counted {
    Field field;
    std::string_view record;
};
constexpr Counted kCounted[] = {
    {Field::tls_sni, "sni"},
    {Field::tls_alpn, "alpn"},
    {Field::tls_ja4, "ja4"},
    {Field::tls_ja4_norm, "ja4_norm"},
    {Field::tls_ja4_o, "ja4_o"},
    {Field::tls_ja4s, "ja4s"},
    {Field::tls_ja3, "ja3"},
    {Field::tls_ja3s, "ja3s"},
    {Field::http_ja4h, "ja4h"},
    {Field::tls_ja4x, "ja4x"},
    {Field::tcp_ja4t, "ja4t"},
    {Field::tcp_ja4ts, "ja4ts"},
    {Field::ssh_hassh, "hassh"},
    {Field::ssh_hassh_server, "hassh_server"},
    {Field::http2_akamai, "h2_akamai"},
    {Field::http2_settings, "h2_settings"},
    {Field::http_header_order, "hdr_order"},
    {Field::tcp_syn, "syn"},
    {Field::preface, "preface"},
    {Field::cert_subject, "cert_subject"},
    {Field::cert_issuer, "cert_issuer"},
    {Field::ssh_client, "ssh_client"},
    {Field::ssh_server, "ssh_server"},
    {Field::http_method, "method"},
    {Field::http_path, "path"},
    {Field::http_host, "host"},
    {Field::http_user_agent, "user_agent"},
};

Field field_of(std::string_view record) noexcept {
    for (const Counted& one : kCounted)
        if (one.record == record) return one.field;
    return Field::count_;
}

// The fields that a condition asks for; and whether a value can satisfy it that none of its
// comparisons hits.
void asked(const signature::RuleSet& set, const Condition& condition, std::set<Field>& fields, bool& negates) {
    if (condition.op == Op::leaf) fields.insert(set.leaves[condition.leaf].field.field);
    if (condition.op == Op::present || condition.op == Op::absent) fields.insert(condition.field.field);
    negates = negates || condition.op == Op::not_ || condition.op == Op::present || condition.op == Op::absent;
    for (const Condition& part : condition.parts) asked(set, part, fields, negates);
}

void leaves_in(const Condition& condition, std::set<std::uint32_t>& out) {
    if (condition.op == Op::leaf) out.insert(condition.leaf);
    for (const Condition& part : condition.parts) leaves_in(part, out);
}

std::uint64_t sum_of(std::uint64_t a, std::uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

}  // namespace

std::string_view counted_field(Field field) noexcept {
    for (const Counted& one : kCounted)
        if (one.field == field) return one.record;
    return {};
}

std::string_view name_of(ValueHits::By by) noexcept {
    switch (by) {
        case ValueHits::By::values: return "values";
        case ValueHits::By::bound: return "bound";
        case ValueHits::By::nothing_kept: return "nothing kept";
    }
    return {};
}

Result<std::unique_ptr<ValueTrial>> ValueTrial::make(signature::RuleSet set) {
    std::unique_ptr<ValueTrial> out(new ValueTrial(std::move(set)));
    auto evaluator = signature::Evaluator::make(out->set_);
    if (!evaluator) return evaluator.error();
    out->evaluator_ = std::make_unique<signature::Evaluator>(std::move(*evaluator));
    out->rules_of_leaf_.resize(out->set_.leaves.size());
    out->leaf_sums_.resize(out->set_.leaves.size());
    out->plans_.resize(out->set_.rules.size());
    out->hits_.resize(out->set_.rules.size());
    for (std::size_t i = 0; i < out->set_.rules.size(); ++i) out->plan(i);
    return out;
}

void ValueTrial::plan(std::size_t rule) {
    const signature::Rule& one = set_.rules[rule];
    Plan& plan = plans_[rule];
    plan.off = one.state == signature::State::disabled;
    if (plan.off) return;
    std::set<Field> fields;
    asked(set_, one.condition, fields, plan.negates);
    bool kept = false;
    for (const Field field : fields) {
        if (counted_field(field).empty()) continue;
        kept = true;
        fields_.insert(std::string(counted_field(field)));
    }
    plan.by = !kept                                   ? ValueHits::By::nothing_kept
              : fields.size() == 1 && one.scope.empty() ? ValueHits::By::values
                                                        : ValueHits::By::bound;
    std::set<std::uint32_t> leaves;
    leaves_in(one.condition, leaves);
    for (const std::uint32_t leaf : leaves) index_leaf(leaf);
    if (plan.by != ValueHits::By::values) return;
    plan.field = counted_field(*fields.begin());
    if (plan.negates) {
        negating_[plan.field].push_back(rule);
        return;
    }
    for (const std::uint32_t leaf : leaves) rules_of_leaf_[leaf].push_back(rule);
}

void ValueTrial::index_leaf(std::uint32_t number) {
    const signature::Leaf& leaf = set_.leaves[number];
    const std::string field(counted_field(leaf.field.field));
    if (field.empty()) return;
    const bool plain = leaf.kind == MatchKind::equals && !leaf.nocase &&
                       signature::info(leaf.field.field).kind == signature::FieldKind::text;
    std::vector<std::uint32_t>& others = other_[field];
    if (!plain) {
        if (std::find(others.begin(), others.end(), number) == others.end()) others.push_back(number);
        return;
    }
    for (const std::string& value : leaf.values) {
        std::vector<std::uint32_t>& leaves = equal_[field][value];
        if (std::find(leaves.begin(), leaves.end(), number) == leaves.end()) leaves.push_back(number);
    }
}

void ValueTrial::leaves_of(const CountedValue& value, const signature::Subject& subject,
                           std::vector<std::uint32_t>& out) const {
    if (const auto field = equal_.find(value.field); field != equal_.end()) {
        if (const auto leaves = field->second.find(value.value); leaves != field->second.end()) out = leaves->second;
    }
    const auto field = other_.find(value.field);
    if (field == other_.end()) return;
    for (const std::uint32_t leaf : field->second) {
        Condition condition;
        condition.op = Op::leaf;
        condition.leaf = leaf;
        if (evaluator_->evaluate(condition, subject) == signature::Tri::yes) out.push_back(leaf);
    }
}

void ValueTrial::add(const CountedValue& value) {
    const Field field = field_of(value.field);
    if (field == Field::count_) return;
    signature::Subject subject;
    subject.add({field, {}}, value.value);
    std::vector<std::uint32_t> leaves;
    leaves_of(value, subject, leaves);
    const auto count = [&value](Sum& sum) {
        sum.flows += value.flows;
        sum.accounts += value.accounts;
    };
    count(field_sums_[value.field]);
    std::set<std::size_t> rules;
    for (const std::uint32_t leaf : leaves) {
        count(leaf_sums_[leaf]);
        rules.insert(rules_of_leaf_[leaf].begin(), rules_of_leaf_[leaf].end());
    }
    if (const auto others = negating_.find(value.field); others != negating_.end())
        rules.insert(others->second.begin(), others->second.end());
    for (const std::size_t rule : rules) {
        if (evaluator_->evaluate(set_.rules[rule].condition, subject) != signature::Tri::yes) continue;
        ValueHits& hits = hits_[rule];
        hits.flows += value.flows;
        hits.accounts += value.accounts;
        ++hits.values;
        hits.hits.push_back(value);
        if (hits.hits.size() < 2 * kHitsMax) continue;
        std::nth_element(hits.hits.begin(), hits.hits.begin() + kHitsMax, hits.hits.end(),
                         [](const CountedValue& a, const CountedValue& b) { return a.flows > b.flows; });
        hits.hits.resize(kHitsMax);
    }
}

// Of all parts the rarest bounds it, of any part their sum. What is not, or is not kept, bounds nothing.
ValueTrial::Sum ValueTrial::bound_of(const Condition& condition) const {
    constexpr Sum kNone{kUnbounded, kUnbounded};
    const auto of_field = [this](Field field) {
        const auto sum = field_sums_.find(std::string(counted_field(field)));
        return sum == field_sums_.end() ? Sum() : sum->second;
    };
    switch (condition.op) {
        case Op::leaf:
            return counted_field(set_.leaves[condition.leaf].field.field).empty() ? kNone : leaf_sums_[condition.leaf];
        case Op::present: return counted_field(condition.field.field).empty() ? kNone : of_field(condition.field.field);
        case Op::absent:
        case Op::not_: return kNone;
        case Op::all: {
            Sum out = kNone;
            for (const Condition& part : condition.parts) {
                const Sum sum = bound_of(part);
                out = {std::min(out.flows, sum.flows), std::min(out.accounts, sum.accounts)};
            }
            return out;
        }
        case Op::any: {
            Sum out;
            for (const Condition& part : condition.parts) {
                const Sum sum = bound_of(part);
                out = {sum_of(out.flows, sum.flows), sum_of(out.accounts, sum.accounts)};
            }
            return out;
        }
    }
    return kNone;
}

std::map<std::string, ValueHits> ValueTrial::outcome() const {
    std::map<std::string, ValueHits> out;
    for (std::size_t i = 0; i < plans_.size(); ++i) {
        if (plans_[i].off) continue;
        ValueHits hits = hits_[i];
        hits.by = plans_[i].by;
        if (hits.by == ValueHits::By::bound) {
            const Sum bound = bound_of(set_.rules[i].condition);
            if (bound.flows == kUnbounded) hits.by = ValueHits::By::nothing_kept;
            else hits.flows = bound.flows, hits.accounts = bound.accounts;
        }
        std::sort(hits.hits.begin(), hits.hits.end(), [](const CountedValue& a, const CountedValue& b) {
            return a.flows != b.flows ? a.flows > b.flows : a.value < b.value;
        });
        if (hits.hits.size() > kHitsMax) hits.hits.resize(kHitsMax);
        out.emplace(set_.rules[i].id, std::move(hits));
    }
    return out;
}

}  // namespace seine::control_signature
