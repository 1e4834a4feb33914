// The grammar of rule files over what toml++ parsed; one reader, kept whole.
#include "dataplane/signature/rule_reader.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <map>

#include <toml++/toml.h>

#include "dataplane/signature/leaf_pattern.h"
#include "dataplane/signature/regex.h"
#include "dataplane/signature/rule_words.h"

namespace seine::signature {
namespace {

namespace fs = std::filesystem;
using Keys = std::initializer_list<std::string_view>;

constexpr std::string_view kStates[] = {"enabled", "shadow", "disabled"};
constexpr std::string_view kMatchers[] = {"pattern", "equals", "prefix", "suffix", "contains", "glob", "list", "present"};
constexpr std::string_view kConditionKeys[] = {"all",    "any",   "not",     "field",  "nocase", "claims",   "shows",
                                               "mismatch", "pattern", "equals", "prefix", "suffix", "contains",
                                               "glob",   "list",  "present"};

bool is_id(std::string_view text) noexcept {
    if (text.empty() || text.size() > kIdBytesMax) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    });
}

template <typename List>
std::string joined(const List& names) {
    std::string out;
    for (const auto& name : names) out.append(out.empty() ? "" : ", ").append(name);
    return out;
}

// A file's text and what it was parsed to; kept until stacks and rules of all files are read.
struct Document {
    std::string path;
    std::string folder;
    toml::table table;
};

class Reader {
  public:
    Reader(LoadedRules& out, std::string root) : out_(out), root_(std::move(root)) {}

    void parse(const std::string& path, std::string_view text);
    // Stacks of all files before rules of any: a rule may name a stack of another pack.
    void read_all();

  private:
    void wrong(const toml::node& node, std::string text) {
        const toml::source_region& at = node.source();
        out_.problems.add({document_->path, at.begin.line, at.begin.column}, std::move(text));
    }
    [[nodiscard]] Place place_of(const toml::node& node) const {
        return {document_->path, node.source().begin.line, node.source().begin.column};
    }
    void known_keys(const toml::table& table, Keys keys, bool condition_too);
    bool text(const toml::table& table, const char* key, std::string& out, bool required);
    void number(const toml::table& table, const char* key, std::uint32_t most, std::uint32_t& out);
    template <typename Choice, std::size_t Count>
    void choice(const toml::table& table, const char* key, const std::string_view (&names)[Count], Choice& out);
    void texts(const toml::node& node, const char* what, std::vector<std::string>& out);
    std::vector<const toml::table*> tables(const toml::node* node, const char* what);

    void read_pack(const Document& document);
    void read_stack(const toml::table& table);
    void read_rule(const toml::table& table);
    void read_override(const toml::table& table);
    void read_scope(const toml::table& table, Scope& out);
    void read_ports(const toml::node& node, Scope& out);
    void read_limit(const toml::table& table, const char* key, Rate& out);
    void read_examples(const toml::table& rule, const char* key, bool must_match, Rule& out);
    void flatten(const toml::table& table, const std::string& prefix, Example& out);

    Condition condition(const toml::table& table, std::size_t depth);
    void several(const toml::table& table, const char* key, Op op, std::size_t depth, Condition& out);
    void comparison(const toml::table& table, Condition& out);
    void stacks_named(const toml::table& table, const char* key, Condition& out);
    std::uint32_t intern(Leaf leaf);
    bool list_of(const toml::node& node, FieldKind kind, std::uint32_t& out);
    void check_pattern(const toml::node& node, const Leaf& leaf);

    LoadedRules& out_;
    std::string root_;
    const Document* document_ = nullptr;
    std::vector<std::unique_ptr<Document>> documents_;
    std::map<std::string, std::uint32_t> leaf_index_;
    std::map<std::string, std::uint32_t> list_index_;
    std::map<std::string, std::size_t> stack_index_;
    std::map<std::string, Place> rule_places_;
    std::string pack_name_;
    std::size_t leaves_in_rule_ = 0;
};

void Reader::parse(const std::string& path, std::string_view text) {
    auto document = std::make_unique<Document>();
    document->path = path;
    document->folder = fs::path(path).parent_path().string();
    auto parsed = toml::parse(text, path);
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        out_.problems.add({path, error.source().begin.line, error.source().begin.column},
                          std::string(error.description()) + "; this is not TOML (toml.io)");
        return;
    }
    document->table = std::move(parsed).table();
    documents_.push_back(std::move(document));
}

void Reader::read_all() {
    for (const auto& document : documents_) {
        document_ = document.get();
        known_keys(document->table, {"pack", "stack", "rule", "override"}, false);
        read_pack(*document);
        for (const toml::table* stack : tables(document->table.get("stack"), "[[stack]]")) read_stack(*stack);
    }
    std::size_t pack = 0;
    for (const auto& document : documents_) {
        document_ = document.get();
        pack_name_ = out_.set.packs[pack++].name;
        for (const toml::table* rule : tables(document->table.get("rule"), "[[rule]]")) read_rule(*rule);
    }
    for (const auto& document : documents_) {
        document_ = document.get();
        for (const toml::table* one : tables(document->table.get("override"), "[[override]]")) read_override(*one);
    }
}

// What an operator says of a rule without touching its file; the last word counts.
void Reader::read_override(const toml::table& table) {
    known_keys(table, {"rule", "state", "reason"}, false);
    std::string id;
    if (!text(table, "rule", id, true)) return;
    const auto rule = std::find_if(out_.set.rules.begin(), out_.set.rules.end(), [&](const Rule& one) { return one.id == id; });
    if (rule == out_.set.rules.end())
        return wrong(*table.get("rule"), "`" + id.substr(0, 64) + "` is no rule of this set; take the override away");
    choice(table, "state", kStates, rule->state);
}

void Reader::known_keys(const toml::table& table, Keys keys, bool condition_too) {
    for (const auto& [key, node] : table) {
        const std::string_view name = key.str();
        if (std::find(keys.begin(), keys.end(), name) != keys.end()) continue;
        if (condition_too &&
            std::find(std::begin(kConditionKeys), std::end(kConditionKeys), name) != std::end(kConditionKeys))
            continue;
        std::string known = joined(keys);
        if (condition_too) known += (known.empty() ? "" : ", ") + joined(kConditionKeys);
        out_.problems.add({document_->path, key.source().begin.line, key.source().begin.column},
                          "`" + std::string(name.substr(0, 64)) + "` means nothing here; there is: " + known);
    }
}

bool Reader::text(const toml::table& table, const char* key, std::string& out, bool required) {
    const toml::node* node = table.get(key);
    if (node == nullptr) {
        if (required) wrong(table, std::string("no `") + key + "`; write " + key + " = \"..\"");
        return false;
    }
    const auto value = node->value_exact<std::string>();
    if (!value) {
        wrong(*node, std::string(key) + " is a text; write it in quotes");
        return false;
    }
    if (required && value->empty()) wrong(*node, std::string(key) + " is empty; say something");
    out = *value;
    return true;
}

void Reader::number(const toml::table& table, const char* key, std::uint32_t most, std::uint32_t& out) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < 0 || *value > static_cast<std::int64_t>(most)) {
        wrong(*node, std::string(key) + " is a whole number from 0 to " + std::to_string(most));
        return;
    }
    out = static_cast<std::uint32_t>(*value);
}

template <typename Choice, std::size_t Count>
void Reader::choice(const toml::table& table, const char* key, const std::string_view (&names)[Count], Choice& out) {
    std::string word;
    if (!text(table, key, word, false)) return;
    for (std::size_t i = 0; i < Count; ++i) {
        if (names[i] != word) continue;
        out = static_cast<Choice>(i);
        return;
    }
    wrong(*table.get(key), std::string(key) + " `" + word.substr(0, 64) + "` is not known; there is: " + joined(names));
}

void Reader::texts(const toml::node& node, const char* what, std::vector<std::string>& out) {
    const auto take = [&](const toml::node& one) {
        if (const auto value = one.value_exact<std::string>()) out.push_back(*value);
        else if (const auto whole = one.value_exact<std::int64_t>()) out.push_back(std::to_string(*whole));
        else wrong(one, std::string(what) + " takes a text in quotes, or several: [\"..\", \"..\"]");
    };
    if (!node.is_array()) return take(node);
    if (node.as_array()->empty()) wrong(node, std::string(what) + " is empty; an empty list matches nothing");
    for (const toml::node& one : *node.as_array()) take(one);
}

std::vector<const toml::table*> Reader::tables(const toml::node* node, const char* what) {
    std::vector<const toml::table*> out;
    if (node == nullptr) return out;
    if (const toml::array* array = node->as_array()) {
        for (const toml::node& one : *array) {
            if (const toml::table* table = one.as_table()) out.push_back(table);
            else wrong(one, std::string(what) + " is a table");
        }
    } else {
        wrong(*node, std::string(what) + " is written with two brackets: there may be several");
    }
    return out;
}

void Reader::read_pack(const Document& document) {
    Pack pack;
    pack.name = fs::path(document.path).parent_path().filename().string();
    if (pack.name.empty()) pack.name = fs::path(document.path).stem().string();
    pack.place = {document.path, 1, 1};
    if (const toml::node* node = document.table.get("pack")) {
        if (const toml::table* table = node->as_table()) {
            known_keys(*table, {"name", "title", "version"}, false);
            text(*table, "name", pack.name, false);
            text(*table, "title", pack.title, false);
            number(*table, "version", 1'000'000'000, pack.version);
            if (!is_id(pack.name)) wrong(*node, "pack.name is made of a-z, 0-9, `-`, `_` and `.`");
        } else {
            wrong(*node, "[pack] is a table");
        }
    }
    out_.set.packs.push_back(std::move(pack));
}

void Reader::read_stack(const toml::table& table) {
    known_keys(table, {"id", "title", "source", "claims", "shows"}, false);
    Stack stack;
    stack.place = place_of(table);
    text(table, "id", stack.id, true);
    text(table, "title", stack.title, true);
    text(table, "source", stack.source, true);
    if (!is_id(stack.id)) return wrong(table, "the stack's id is made of a-z, 0-9, `-`, `_` and `.`");
    leaves_in_rule_ = 0;
    for (const char* key : {"claims", "shows"}) {
        const toml::node* node = table.get(key);
        const toml::table* given = node == nullptr ? nullptr : node->as_table();
        if (given == nullptr) {
            wrong(node == nullptr ? table : *node, "stack `" + stack.id + "` says in [stack." + key + "] " +
                  (std::string_view(key) == "claims" ? "by what an agent claims to be it" : "what its wire shows"));
            return;
        }
        known_keys(*given, {}, true);
        (std::string_view(key) == "claims" ? stack.claims : stack.shows) = condition(*given, 0);
    }
    const auto [at, fresh] = stack_index_.emplace(stack.id, out_.set.stacks.size());
    if (!fresh) {
        return wrong(table, "stack `" + stack.id + "` is there already, at " +
                                text_of(out_.set.stacks[at->second].place) + "; give one of them another id");
    }
    out_.set.stacks.push_back(std::move(stack));
}

void Reader::read_rule(const toml::table& table) {
    known_keys(table, {"id", "version", "title", "source", "severity", "confidence", "class", "state", "references",
                       "scope", "limit", "match", "no_match"}, true);
    static constexpr std::string_view kSeverities[] = {"info", "low", "medium", "high", "critical"};
    Rule rule;
    rule.place = place_of(table);
    rule.pack = pack_name_;
    if (text(table, "id", rule.id, true) && !is_id(rule.id))
        wrong(*table.get("id"), "an id is made of a-z, 0-9, `-`, `_` and `.`, " + std::to_string(kIdBytesMax) + " at most");
    text(table, "title", rule.title, true);
    text(table, "source", rule.source, false);
    text(table, "class", rule.rule_class, true);
    if (!rule.rule_class.empty() &&
        std::find(std::begin(kClasses), std::end(kClasses), rule.rule_class) == std::end(kClasses))
        wrong(*table.get("class"), "class `" + rule.rule_class.substr(0, 64) + "` is not known; there is: " + joined(kClasses));
    choice(table, "severity", kSeverities, rule.severity);
    choice(table, "state", kStates, rule.state);
    number(table, "version", 1'000'000'000, rule.version);
    std::uint32_t confidence = rule.confidence;
    number(table, "confidence", 100, confidence);
    rule.confidence = static_cast<std::uint8_t>(confidence);
    if (const toml::node* node = table.get("references")) texts(*node, "references", rule.references);
    if (const toml::node* node = table.get("scope")) {
        node->is_table() ? read_scope(*node->as_table(), rule.scope)
                         : wrong(*node, "scope is a table: scope = { ports = [443] }");
    }
    if (const toml::node* node = table.get("limit")) {
        if (const toml::table* limit = node->as_table()) {
            known_keys(*limit, {"per_rule", "per_source"}, false);
            read_limit(*limit, "per_rule", rule.per_rule);
            read_limit(*limit, "per_source", rule.per_source);
        } else {
            wrong(*node, "limit is a table: limit = { per_rule = \"600/min\" }");
        }
    }
    leaves_in_rule_ = 0;
    const std::size_t problems_before = out_.problems.kept().size();
    rule.condition = condition(table, 0);
    if (rule.condition.parts.empty() && rule.condition.op == Op::all && out_.problems.kept().size() == problems_before)
        wrong(table,
              "a rule that says nothing to look for; write field = \"..\" with pattern = \"..\", or all, any, not, mismatch");
    read_examples(table, "match", true, rule);
    read_examples(table, "no_match", false, rule);
    for (const bool wanted : {true, false}) {
        const bool there = std::any_of(rule.examples.begin(), rule.examples.end(),
                                       [&](const Example& example) { return example.must_match == wanted; });
        const char* key = wanted ? "match" : "no_match";
        if (!there) wrong(table, "rule `" + rule.id + "` has no [[rule." + key + "]]: every rule shows what it must " +
                                 (wanted ? "match" : "leave alone"));
    }
    const auto [at, fresh] = rule_places_.emplace(rule.id, rule.place);
    if (!fresh && !rule.id.empty())
        wrong(table, "rule `" + rule.id + "` is there already, at " + text_of(at->second) + "; give one of them another id");
    if (out_.set.rules.size() == kRulesMax)
        return wrong(table, "more than " + std::to_string(kRulesMax) + " rules; what is long belongs into a list");
    out_.set.rules.push_back(std::move(rule));
}

void Reader::read_scope(const toml::table& table, Scope& out) {
    known_keys(table, {"ports", "networks", "servers"}, false);
    if (const toml::node* node = table.get("ports")) read_ports(*node, out);
    if (const toml::node* node = table.get("networks")) {
        std::vector<std::string> words;
        texts(*node, "networks", words);
        for (const std::string& word : words) {
            Network network;
            if (parse_network(word, network)) out.networks.push_back(network);
            else wrong(*node, "`" + word.substr(0, 64) + "` is no network; write \"203.0.113.0/24\" with zero host bits");
        }
    }
    if (const toml::node* node = table.get("servers")) {
        std::vector<std::string> words;
        texts(*node, "servers", words);
        for (const std::string& word : words) {
            const bool sound = !word.empty() && word.find('*', word.substr(0, 2) == "*." ? 1 : 0) == std::string::npos;
            if (sound) out.servers.push_back(lower(word));
            else wrong(*node, "`" + word.substr(0, 64) + "` is no server name; write \"api.example.com\" or \"*.example.com\"");
        }
    }
}

void Reader::read_ports(const toml::node& node, Scope& out) {
    std::vector<std::string> words;
    texts(node, "ports", words);
    for (const std::string& word : words) {
        PortRange range;
        if (parse_ports(word, range)) out.ports.push_back(range);
        else wrong(node, "`" + word.substr(0, 32) + "` is no port; write 443 or \"8000-8100\"");
    }
}

void Reader::read_limit(const toml::table& table, const char* key, Rate& out) {
    std::string word;
    if (!text(table, key, word, false)) return;
    if (!parse_rate(word, out))
        wrong(*table.get(key), std::string(key) + " `" + word.substr(0, 32) +
                                   "`: write \"10/s\", \"600/min\", \"100/h\", \"20/day\" or \"off\"");
}

void Reader::read_examples(const toml::table& rule, const char* key, bool must_match, Rule& out) {
    const std::string what = std::string("[[rule.") + key + "]]";
    for (const toml::table* table : tables(rule.get(key), what.c_str())) {
        Example example;
        example.must_match = must_match;
        example.place = place_of(*table);
        flatten(*table, "", example);
        if (example.values.empty()) wrong(*table, "an example without a field; write http.user_agent = \"..\" and the like");
        out.examples.push_back(std::move(example));
    }
}

// http.header.accept = ".." is a table in a table: names are put together again.
void Reader::flatten(const toml::table& table, const std::string& prefix, Example& out) {
    for (const auto& [key, node] : table) {
        const std::string name = prefix + std::string(key.str());
        if (name == "note") continue;
        if (const toml::table* inner = node.as_table()) {
            if (prefix.size() > 32) wrong(node, "`" + name + "` is no field");
            else flatten(*inner, name + ".", out);
            continue;
        }
        FieldRef field;
        if (!find_field(name, field)) {
            const std::string near = nearest_field(name);
            wrong(node, "`" + name + "` is no field" +
                    (near.empty() ? "; signatures/README.md lists them" : "; did you mean " + near + "?"));
            continue;
        }
        std::vector<std::string> values;
        texts(node, name.c_str(), values);
        for (std::string& value : values) out.values.push_back({field, std::move(value)});
    }
}

void Reader::several(const toml::table& table, const char* key, Op op, std::size_t depth, Condition& out) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    const toml::array* array = node->as_array();
    if (array == nullptr || array->empty())
        return wrong(*node, std::string(key) + " takes conditions: " + key + " = [{ field = \"..\", contains = \"..\" }, ..]");
    Condition group;
    group.op = op;
    for (const toml::node& one : *array) {
        const toml::table* part = one.as_table();
        if (part == nullptr) {
            wrong(one, "a condition is a table: { field = \"..\", contains = \"..\" }");
            continue;
        }
        known_keys(*part, {}, true);
        group.parts.push_back(condition(*part, depth + 1));
    }
    out.parts.push_back(std::move(group));
}

// All that stands in one table must hold.
Condition Reader::condition(const toml::table& table, std::size_t depth) {
    Condition out;
    if (depth > kDepthMax) {
        wrong(table, "conditions nested deeper than " + std::to_string(kDepthMax) + "; write them flatter");
        return out;
    }
    comparison(table, out);
    several(table, "all", Op::all, depth, out);
    several(table, "any", Op::any, depth, out);
    if (const toml::node* node = table.get("not")) {
        if (const toml::table* part = node->as_table()) {
            known_keys(*part, {}, true);
            Condition negated;
            negated.op = Op::not_;
            negated.parts.push_back(condition(*part, depth + 1));
            out.parts.push_back(std::move(negated));
        } else {
            wrong(*node, "not takes one condition: not = { field = \"..\", contains = \"..\" }");
        }
    }
    for (const char* key : {"claims", "shows", "mismatch"}) stacks_named(table, key, out);
    if (out.parts.size() == 1) {
        Condition only = std::move(out.parts[0]);
        return only;
    }
    return out;
}

void Reader::stacks_named(const toml::table& table, const char* key, Condition& out) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    std::vector<std::string> names;
    texts(*node, key, names);
    Condition any;
    any.op = Op::any;
    for (const std::string& name : names) {
        const auto found = stack_index_.find(name);
        if (found == stack_index_.end()) {
            wrong(*node, "`" + name.substr(0, 64) + "` is no stack; a [[stack]] with this id says what it claims and shows");
            continue;
        }
        const Stack& stack = out_.set.stacks[found->second];
        if (std::string_view(key) == "claims") any.parts.push_back(stack.claims);
        if (std::string_view(key) == "shows") any.parts.push_back(stack.shows);
        if (std::string_view(key) != "mismatch") continue;
        Condition differs;
        differs.op = Op::not_;
        differs.parts.push_back(stack.shows);
        Condition both;
        both.parts = {stack.claims, std::move(differs)};
        any.parts.push_back(std::move(both));
    }
    if (!any.parts.empty()) out.parts.push_back(std::move(any));
}

void Reader::comparison(const toml::table& table, Condition& out) {
    const toml::node* field_node = table.get("field");
    std::vector<std::string_view> given;
    for (const std::string_view matcher : kMatchers)
        if (table.get(matcher) != nullptr) given.push_back(matcher);
    if (field_node == nullptr) {
        if (!given.empty()) wrong(*table.get(given[0]), std::string(given[0]) + " of what? Write field = \"..\" beside it");
        return;
    }
    std::string name;
    if (!text(table, "field", name, true)) return;
    Leaf leaf;
    leaf.place = place_of(*field_node);
    if (!find_field(name, leaf.field)) {
        const std::string near = nearest_field(name);
        return wrong(*field_node, "`" + name.substr(0, 64) + "` is no field" +
                     (near.empty() ? "; signatures/README.md lists them" : "; did you mean " + near + "?"));
    }
    if (given.size() != 1) {
        return wrong(*field_node, "field `" + name + "` wants exactly one of " + joined(kMatchers) +
                     (given.empty() ? "" : "; there is " + joined(given)));
    }
    const toml::node& node = *table.get(given[0]);
    if (++leaves_in_rule_ > kLeavesPerRuleMax)
        return wrong(node, "more than " + std::to_string(kLeavesPerRuleMax) +
                " comparisons; use a list, or several values in one");
    if (given[0] == "present") {
        const auto there = node.value_exact<bool>();
        if (!there) return wrong(node, "present is true or false");
        Condition one;
        one.op = *there ? Op::present : Op::absent;
        one.field = leaf.field;
        out.parts.push_back(std::move(one));
        return;
    }
    if (const toml::node* flag = table.get("nocase")) {
        if (!flag->value_exact<bool>()) return wrong(*flag, "nocase is true or false");
        leaf.nocase = *flag->value_exact<bool>();
    }
    leaf.kind = static_cast<MatchKind>(std::find(std::begin(kMatchers), std::end(kMatchers), given[0]) - std::begin(kMatchers));
    if (info(leaf.field.field).kind == FieldKind::address && leaf.kind != MatchKind::list && leaf.kind != MatchKind::equals)
        return wrong(node, "`" + name + "` is an address: compare it with list = \"FILE\" (networks, one a line) or equals");
    if (leaf.kind == MatchKind::list) {
        if (!list_of(node, info(leaf.field.field).kind, leaf.list)) return;
    } else {
        texts(node, std::string(given[0]).c_str(), leaf.values);
        check_pattern(node, leaf);
    }
    Condition one;
    one.op = Op::leaf;
    one.leaf = intern(std::move(leaf));
    out.parts.push_back(std::move(one));
}

void Reader::check_pattern(const toml::node& node, const Leaf& leaf) {
    for (const std::string& value : leaf.values) {
        if (Network network; info(leaf.field.field).kind == FieldKind::address) {
            if (!parse_network(value, network))
                wrong(node, "`" + value.substr(0, 64) + "` is no network; write \"203.0.113.0/24\" or an address");
        } else if (value.empty()) {
            wrong(node, "an empty text; it would be found everywhere");
        } else if (value.size() > kPatternBytesMax) {
            wrong(node, "a pattern of more than " + std::to_string(kPatternBytesMax) + " bytes; what is long belongs into a list");
        } else {
            const auto regex = Regex::compile(pattern_of(leaf.kind, value), nocase_of(leaf));
            if (!regex) wrong(node, "the pattern does not compile: " + regex.error().message());
            else if (regex->matches_empty() && leaf.kind != MatchKind::glob)
                wrong(node, "the pattern also matches nothing at all, and so everywhere; use present = true, or "
                            "make it need a byte");
        }
    }
}

std::uint32_t Reader::intern(Leaf leaf) {
    std::string key = name_of(leaf.field) + '\n' + std::string(name_of(leaf.kind)) + (leaf.nocase ? "i" : "s");
    key += std::to_string(leaf.list);
    for (const std::string& value : leaf.values) key += '\n' + std::to_string(value.size()) + value;
    const auto [at, fresh] = leaf_index_.emplace(std::move(key), static_cast<std::uint32_t>(out_.set.leaves.size()));
    if (fresh) out_.set.leaves.push_back(std::move(leaf));
    return at->second;
}

bool Reader::list_of(const toml::node& node, FieldKind kind, std::uint32_t& out) {
    const auto name = node.value_exact<std::string>();
    if (!name || name->empty()) {
        wrong(node, "list names a file beside this one, in quotes");
        return false;
    }
    const fs::path path = (fs::path(document_->folder) / *name).lexically_normal();
    const std::string inside = path.lexically_relative(fs::path(root_).lexically_normal()).string();
    if (root_.empty() || fs::path(*name).is_absolute() || inside.substr(0, 2) == "..") {
        wrong(node, "list `" + name->substr(0, 128) +
                "` lies outside the rules; put it beside them: a set is shipped as one folder");
        return false;
    }
    const std::string key = path.string() + '\n' + std::to_string(static_cast<int>(kind));
    const auto found = list_index_.find(key);
    if (found == list_index_.end()) {
        out = static_cast<std::uint32_t>(out_.set.lists.size());
        out_.set.lists.push_back(std::make_shared<const ListFile>(
            ListFile::read(path.string(), kind, place_of(node), out_.problems)));
        list_index_.emplace(key, out);
    } else {
        out = found->second;
    }
    return true;
}

}  // namespace
struct RuleReader::Rooms : Reader {
    using Reader::Reader;
};
RuleReader::RuleReader(LoadedRules& out, std::string root) : rooms_(std::make_unique<Rooms>(out, std::move(root))) {}
RuleReader::~RuleReader() = default;
void RuleReader::parse(const std::string& path, std::string_view text) { rooms_->parse(path, text); }
void RuleReader::read_all() { rooms_->read_all(); }

}  // namespace seine::signature
