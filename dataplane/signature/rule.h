// What a rule is once its file is read: conditions over fields, scope, limits and examples.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/signature/field.h"
#include "dataplane/signature/list_file.h"
#include "dataplane/signature/place.h"

namespace seine::signature {

// Bounds of what is read. Each is an error with file, line and column when exceeded.
inline constexpr std::size_t kRuleFileBytesMax = std::size_t{8} << 20;
inline constexpr std::size_t kRulesMax = 65535;
inline constexpr std::size_t kPatternBytesMax = 4096;
inline constexpr std::size_t kLeavesPerRuleMax = 128;
inline constexpr std::size_t kDepthMax = 8;
inline constexpr std::size_t kIdBytesMax = 96;

enum class Severity : std::uint8_t { info, low, medium, high, critical };
enum class State : std::uint8_t { enabled, shadow, disabled };
std::string_view name_of(Severity severity) noexcept;
std::string_view name_of(State state) noexcept;

enum class MatchKind : std::uint8_t { pattern, equals, prefix, suffix, contains, glob, list };
std::string_view name_of(MatchKind kind) noexcept;

// One comparison of one field. True when any value of the field satisfies any of `values`.
struct Leaf {
    FieldRef field;
    MatchKind kind{};
    bool nocase = false;
    std::vector<std::string> values;
    std::uint32_t list = 0;  // of MatchKind::list: index into RuleSet::lists
    Place place;
};

enum class Op : std::uint8_t { all, any, not_, leaf, present, absent };
struct Condition {
    Op op = Op::all;
    std::uint32_t leaf = 0;         // of Op::leaf: index into RuleSet::leaves
    FieldRef field;                 // of present and absent
    std::vector<Condition> parts;   // of all, any and not_ (one)
};

struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
};
// Where a rule applies; an empty part applies everywhere.
struct Scope {
    std::vector<PortRange> ports;         // of the server
    std::vector<Network> networks;        // of the client
    std::vector<std::string> servers;     // names of SNI or host; `*.example.com` takes what is below
    [[nodiscard]] bool empty() const noexcept {
        return ports.empty() && networks.empty() && servers.empty();
    }
};

// At most `count` alerts in `seconds`; 0: no limit.
struct Rate {
    std::uint32_t count = 0;
    std::uint32_t seconds = 60;
};

struct ExampleValue {
    FieldRef field;
    std::string value;
};
struct Example {
    std::vector<ExampleValue> values;
    bool must_match = false;
    Place place;
};

// Where a rule can be decided: by the dataplane, or once a request and its flow are joined.
enum class RunsIn : std::uint8_t { dataplane, control };

struct Rule {
    std::string id;
    std::uint32_t version = 1;
    std::string pack;
    std::string title;
    std::string source;  // where the knowledge comes from
    std::vector<std::string> references;
    std::string rule_class;
    Severity severity = Severity::medium;
    std::uint8_t confidence = 50;  // percent
    State state = State::enabled;
    Condition condition;
    Scope scope;
    Rate per_rule{600, 60};
    Rate per_source{10, 60};
    std::vector<Example> examples;
    Place place;
};

// What software is like: what an agent that names it claims, and what the wire of the real one shows.
struct Stack {
    std::string id;
    std::string title;
    std::string source;
    Condition claims;
    Condition shows;
    Place place;
};

struct Pack {
    std::string name;
    std::string title;
    std::uint32_t version = 1;
    Place place;
};

struct RuleSet {
    std::vector<Pack> packs;
    std::vector<Stack> stacks;
    std::vector<Rule> rules;
    std::vector<Leaf> leaves;                            // each comparison once
    std::vector<std::shared_ptr<const ListFile>> lists;  // each file once
};

// Groups whose fields the condition looks at.
Groups groups_of(const RuleSet& set, const Condition& condition);
RunsIn runs_in(const RuleSet& set, const Rule& rule);

// The classes a rule may have, for errors and help.
inline constexpr std::string_view kClasses[] = {
    "automation", "scripting", "headless",        "impersonation", "agent-mismatch", "relay",
    "scanner",    "tunnel",    "prompt-template", "harvest",       "evasion",        "policy"};

}  // namespace seine::signature
