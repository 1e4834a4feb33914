#include "dataplane/signature/evaluate.h"

#include <algorithm>
#include <charconv>

#include "dataplane/signature/leaf_pattern.h"

namespace seine::signature {
namespace {

Tri known(bool yes) noexcept { return yes ? Tri::yes : Tri::no; }

// An address in one of the networks that a rule names.
bool in_one_of(const std::vector<std::string>& networks, std::string_view value) {
    std::array<std::uint8_t, 16> address{};
    if (!parse_address(value, address)) return false;
    return std::any_of(networks.begin(), networks.end(), [&](const std::string& text) {
        Network network;
        return parse_network(text, network) && contains(network, address);
    });
}

Tri port_in_scope(const Scope& scope, const Subject& subject) {
    if (scope.ports.empty()) return Tri::yes;
    const auto values = subject.values({Field::dst_port, {}});
    if (values.empty()) return Tri::unknown;
    unsigned port = 0;
    std::from_chars(values[0].data(), values[0].data() + values[0].size(), port);
    return known(std::any_of(scope.ports.begin(), scope.ports.end(),
                             [port](PortRange range) { return range.first <= port && port <= range.last; }));
}

Tri network_in_scope(const Scope& scope, const Subject& subject) {
    if (scope.networks.empty()) return Tri::yes;
    const auto values = subject.values({Field::src, {}});
    std::array<std::uint8_t, 16> address{};
    if (values.empty() || !parse_address(values[0], address)) return Tri::unknown;
    return known(std::any_of(scope.networks.begin(), scope.networks.end(),
                             [&](const Network& network) { return contains(network, address); }));
}

bool server_matches(std::string_view wanted, std::string_view name) {
    if (wanted.substr(0, 2) != "*.") return wanted == name;
    const std::string_view below = wanted.substr(1);
    return name.size() > below.size() && name.substr(name.size() - below.size()) == below;
}

Tri server_in_scope(const Scope& scope, const Subject& subject) {
    if (scope.servers.empty()) return Tri::yes;
    auto names = subject.values({Field::tls_sni, {}});
    for (const std::string_view host : subject.values({Field::http_host, {}}))
        names.push_back(host.substr(0, host.rfind(':')));
    if (names.empty()) return Tri::unknown;
    for (const std::string_view raw : names)
        for (const std::string& wanted : scope.servers)
            if (server_matches(wanted, lower(raw))) return Tri::yes;
    return Tri::no;
}

}  // namespace

void Subject::add(const FieldRef& field, std::string_view value) {
    if (is_body(field.field)) value = value.substr(0, kBodyBytesMax);
    values_.push_back({field, std::string(value)});
    see(info(field.field).group);
}

std::vector<std::string_view> Subject::values(const FieldRef& field) const {
    std::vector<std::string_view> out;
    for (const ExampleValue& value : values_)
        if (value.field == field) out.push_back(value.value);
    return out;
}

Tri in_scope(const Scope& scope, const Subject& subject) {
    return both(port_in_scope(scope, subject),
                both(network_in_scope(scope, subject), server_in_scope(scope, subject)));
}

Result<Evaluator> Evaluator::make(const RuleSet& set) {
    Evaluator out(set);
    for (const Leaf& leaf : set.leaves) {
        auto& patterns = out.patterns_.emplace_back();
        if (leaf.kind == MatchKind::list) continue;
        for (const std::string& value : leaf.values) {
            auto regex = Regex::compile(pattern_of(leaf.kind, value), nocase_of(leaf));
            if (!regex) return failed(text_of(leaf.place) + ": " + regex.error().message());
            patterns.push_back(std::move(*regex));
        }
    }
    return out;
}

Tri Evaluator::leaf(std::uint32_t index, const Subject& subject) const {
    const Leaf& leaf = set_->leaves[index];
    const auto values = subject.values(leaf.field);
    if (values.empty()) return subject.seen(info(leaf.field.field).group) ? Tri::no : Tri::unknown;
    const bool address = info(leaf.field.field).kind == FieldKind::address;
    for (const std::string_view value : values) {
        if (address && leaf.kind != MatchKind::list) {
            if (in_one_of(leaf.values, value)) return Tri::yes;
            continue;
        }
        if (leaf.kind == MatchKind::list) {
            if (set_->lists[leaf.list]->contains(value)) return Tri::yes;
            continue;
        }
        for (const Regex& regex : patterns_[index])
            if (regex.search(value) == RegexAnswer::yes) return Tri::yes;
    }
    return Tri::no;
}

Tri Evaluator::evaluate(const Condition& condition, const Subject& subject) const {
    switch (condition.op) {
        case Op::leaf: return leaf(condition.leaf, subject);
        case Op::present:
        case Op::absent: {
            if (!subject.seen(info(condition.field.field).group)) return Tri::unknown;
            const Tri there = known(!subject.values(condition.field).empty());
            return condition.op == Op::present ? there : !there;
        }
        case Op::not_: return !evaluate(condition.parts[0], subject);
        case Op::all: {
            Tri out = Tri::yes;
            for (const Condition& part : condition.parts) out = both(out, evaluate(part, subject));
            return out;
        }
        case Op::any: {
            Tri out = Tri::no;
            for (const Condition& part : condition.parts) out = either(out, evaluate(part, subject));
            return out;
        }
    }
    return Tri::unknown;
}

Tri Evaluator::evaluate(const Rule& rule, const Subject& subject) const {
    return both(in_scope(rule.scope, subject), evaluate(rule.condition, subject));
}

std::vector<std::size_t> Evaluator::matches(const Subject& subject) const {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < set_->rules.size(); ++i)
        if (evaluate(set_->rules[i], subject) == Tri::yes) out.push_back(i);
    return out;
}

}  // namespace seine::signature
