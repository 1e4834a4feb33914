#include "dataplane/signature/compile.h"

#include <algorithm>
#include <map>

#include <hs.h>

#include "dataplane/signature/leaf_pattern.h"

namespace seine::signature {
namespace {

// A pattern of some leaf, on its way into the database of its field.
struct Expression {
    std::string pattern;
    unsigned flags = 0;
    unsigned fact = 0;
    Place place;
};

unsigned flags_of(bool nocase, bool prefilter) {
    return HS_FLAG_SINGLEMATCH | (nocase ? HS_FLAG_CASELESS : 0u) |
           (prefilter ? HS_FLAG_PREFILTER | HS_FLAG_ALLOWEMPTY : 0u);
}

// What Hyperscan says against a pattern; empty when it takes it.
std::string objection(const std::string& pattern, unsigned flags) {
    hs_expr_info_t* found = nullptr;
    hs_compile_error_t* error = nullptr;
    std::string out;
    if (hs_expression_info(pattern.c_str(), flags, &found, &error) != HS_SUCCESS) {
        out = error != nullptr ? error->message : "no memory";
        hs_free_compile_error(error);
    }
    std::free(found);  // the library's own allocator is malloc
    return out;
}

class Compiler {
  public:
    Compiler(const RuleSet& set, Problems& problems, const CompileOptions& options)
        : set_(set), problems_(problems) {
        hs_populate_platform(&platform_);
        if (options.portable) platform_ = {};
        out_.engine = engine_version();
        out_.cpu_features = platform_.cpu_features;
        out_.lists = set.lists;
    }

    CompiledRules run() {
        // Rules that are off cost nothing; those over joined fields are control's to run.
        for (const Rule& rule : set_.rules)
            if (rule.state != State::disabled && runs_in(set_, rule) == RunsIn::dataplane)
                rule_of(rule);
        if (out_.slots.size() > kSlotsMax || out_.facts.size() > kFactsMax) {
            problems_.add({}, "more fields or comparisons than one set may have (" +
                                  std::to_string(kSlotsMax) + ", " + std::to_string(kFactsMax) +
                                  "); use lists");
            return std::move(out_);
        }
        for (std::size_t slot = 0; slot < out_.slots.size(); ++slot) database_of(slot);
        return std::move(out_);
    }

  private:
    std::uint16_t slot_of(const FieldRef& field) {
        const auto [at, fresh] = slots_.emplace(name_of(field), out_.slots.size());
        if (fresh) {
            out_.slots.push_back({field, {}});
            expressions_.emplace_back();
        }
        return static_cast<std::uint16_t>(at->second);
    }

    void step_fact(std::uint32_t fact, Field field, std::vector<Step>& out) {
        out.push_back({Step::Kind::fact, static_cast<std::uint8_t>(info(field).group), 0, fact});
    }

    std::uint32_t leaf_fact(const std::string& key, const Leaf& leaf);
    std::uint32_t present_fact(const FieldRef& field);
    void steps_of(const Condition& condition, std::vector<Step>& out);
    void servers_of(const Scope& scope, const Place& place, std::vector<Step>& out);
    void rule_of(const Rule& rule);
    void database_of(std::size_t slot);

    const RuleSet& set_;
    Problems& problems_;
    hs_platform_info_t platform_{};
    CompiledRules out_;
    std::map<std::string, std::size_t> slots_;
    std::map<std::string, std::uint32_t> facts_;
    std::vector<std::vector<Expression>> expressions_;  // by slot
};

std::uint32_t Compiler::leaf_fact(const std::string& key, const Leaf& leaf) {
    const auto [at, fresh] = facts_.emplace(key, static_cast<std::uint32_t>(out_.facts.size()));
    if (!fresh) return at->second;
    Fact fact;
    fact.slot = slot_of(leaf.field);
    fact.nocase = nocase_of(leaf);
    if (leaf.kind == MatchKind::list) {
        fact.kind = Fact::Kind::list;
        fact.list = leaf.list;
    } else if (info(leaf.field.field).kind == FieldKind::address) {
        // Addresses are compared as numbers: what is written out is a list too.
        Problems none;
        std::string text;
        for (const std::string& value : leaf.values) text += value + "\n";
        fact.kind = Fact::Kind::list;
        fact.list = static_cast<std::uint32_t>(out_.lists.size());
        out_.lists.push_back(std::make_shared<const ListFile>(
            ListFile::parse("rule", text, FieldKind::address, none)));
        if (!none.empty())
            problems_.add(leaf.place, "no address or network: " + none.kept()[0].text);
    } else {
        const bool confirm = needs_confirmation(leaf);
        for (const std::string& value : leaf.values) {
            const std::string pattern = pattern_of(leaf.kind, value);
            expressions_[fact.slot].push_back(
                {pattern, flags_of(fact.nocase, confirm), at->second, leaf.place});
            if (confirm) fact.confirms.push_back(pattern);
        }
    }
    out_.facts.push_back(std::move(fact));
    return at->second;
}

std::uint32_t Compiler::present_fact(const FieldRef& field) {
    const auto [at, fresh] =
        facts_.emplace("present " + name_of(field), static_cast<std::uint32_t>(out_.facts.size()));
    if (fresh) {
        Fact fact;
        fact.kind = Fact::Kind::present;
        fact.slot = slot_of(field);
        out_.facts.push_back(std::move(fact));
    }
    return at->second;
}

void Compiler::steps_of(const Condition& condition, std::vector<Step>& out) {
    switch (condition.op) {
        case Op::leaf:
            return step_fact(
                leaf_fact("leaf " + std::to_string(condition.leaf), set_.leaves[condition.leaf]),
                set_.leaves[condition.leaf].field.field, out);
        case Op::present:
            return step_fact(present_fact(condition.field), condition.field.field, out);
        case Op::absent:
            step_fact(present_fact(condition.field), condition.field.field, out);
            out.push_back({Step::Kind::not_, 0, 0, 0});
            return;
        case Op::not_:
            steps_of(condition.parts[0], out);
            out.push_back({Step::Kind::not_, 0, 0, 0});
            return;
        case Op::all:
        case Op::any:
            for (const Condition& part : condition.parts) steps_of(part, out);
            out.push_back({condition.op == Op::all ? Step::Kind::all : Step::Kind::any, 0,
                           static_cast<std::uint16_t>(condition.parts.size()), 0});
            return;
    }
}

// Server names of the scope as a condition: SNI, or host without its port.
void Compiler::servers_of(const Scope& scope, const Place& place, std::vector<Step>& out) {
    if (scope.servers.empty()) return;
    for (const Field field : {Field::tls_sni, Field::http_host}) {
        Leaf leaf;
        leaf.field = {field, {}};
        leaf.kind = MatchKind::pattern;
        leaf.place = place;
        std::string key = "scope " + name_of(leaf.field);
        for (const std::string& server : scope.servers) {
            const bool below = server.substr(0, 2) == "*.";
            std::string text = pattern_of(MatchKind::contains, below ? server.substr(1) : server);
            leaf.values.push_back("\\A" + std::string(below ? "[\\x00-\\xff]+" : "") + text +
                                  (field == Field::http_host ? "(:[0-9]*)?\\z" : "\\z"));
            key += "\n" + server;
        }
        step_fact(leaf_fact(key, leaf), field, out);
    }
    out.push_back({Step::Kind::any, 0, 2, 0});
    out.push_back({Step::Kind::all, 0, 2, 0});
}

void Compiler::rule_of(const Rule& rule) {
    CompiledRule one;
    one.id = rule.id;
    one.pack = rule.pack;
    one.title = rule.title;
    one.rule_class = rule.rule_class;
    one.version = rule.version;
    one.severity = rule.severity;
    one.confidence = rule.confidence;
    one.state = rule.state;
    one.runs_in = runs_in(set_, rule);
    one.ports = rule.scope.ports;
    one.networks = rule.scope.networks;
    one.per_rule = rule.per_rule;
    one.per_source = rule.per_source;
    steps_of(rule.condition, one.steps);
    servers_of(rule.scope, rule.place, one.steps);
    if (one.steps.size() > kProgramStepsMax)
        problems_.add(rule.place, "rule `" + rule.id + "` is a condition of " +
                                      std::to_string(one.steps.size()) + " steps; " +
                                      std::to_string(kProgramStepsMax) + " at most: split it");
    out_.rules.push_back(std::move(one));
}

void Compiler::database_of(std::size_t slot) {
    const auto& expressions = expressions_[slot];
    if (expressions.empty()) return;
    const bool body = is_body(out_.slots[slot].field.field);
    std::vector<const char*> patterns;
    std::vector<unsigned> flags;
    std::vector<unsigned> ids;
    for (const Expression& one : expressions) {
        patterns.push_back(one.pattern.c_str());
        flags.push_back(one.flags);
        ids.push_back(one.fact);
    }
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    const unsigned mode = body ? HS_MODE_STREAM : HS_MODE_BLOCK;
    if (hs_compile_multi(patterns.data(), flags.data(), ids.data(),
                         static_cast<unsigned>(patterns.size()), mode, &platform_, &database,
                         &error) != HS_SUCCESS) {
        const bool known = error != nullptr && error->expression >= 0;
        const Place place =
            known ? expressions[static_cast<std::size_t>(error->expression)].place : Place{};
        problems_.add(place, "the pattern cannot be compiled for field " +
                                 name_of(out_.slots[slot].field) + ": " +
                                 (error != nullptr ? error->message : "no memory") +
                                 "; write it shorter, or as a list");
        hs_free_compile_error(error);
        return;
    }
    char* bytes = nullptr;
    std::size_t count = 0;
    if (hs_serialize_database(database, &bytes, &count) == HS_SUCCESS) {
        const ByteView view = as_bytes({bytes, count});
        out_.slots[slot].database.assign(view.begin(), view.end());
    } else {
        problems_.add({}, "no memory for the database of " + name_of(out_.slots[slot].field));
    }
    std::free(bytes);
    hs_free_database(database);
}

}  // namespace

std::string engine_version() { return hs_version(); }

std::uint64_t engine_cpu_features() {
    hs_platform_info_t platform{};
    hs_populate_platform(&platform);
    return platform.cpu_features;
}

bool needs_confirmation(const Leaf& leaf) {
    if (leaf.kind == MatchKind::list || info(leaf.field.field).kind == FieldKind::address)
        return false;
    return std::any_of(leaf.values.begin(), leaf.values.end(), [&](const std::string& value) {
        return !objection(pattern_of(leaf.kind, value), flags_of(nocase_of(leaf), false)).empty();
    });
}

CompiledRules compile(const RuleSet& set, Problems& problems, const CompileOptions& options) {
    return Compiler(set, problems, options).run();
}

}  // namespace seine::signature
