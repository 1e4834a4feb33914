// A rule set ready to run, and its form as bytes: the blob that is pushed, kept and loaded.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"
#include "dataplane/signature/program.h"
#include "dataplane/signature/rule.h"

namespace seine::signature {

inline constexpr std::size_t kFactsMax = 65535;
inline constexpr std::size_t kSlotsMax = 1024;  // fields that rules look at, each header one
inline constexpr std::size_t kBlobBytesMax = std::size_t{1} << 30;
inline constexpr std::uint32_t kBlobVersion = 1;

// One thing that may be found out about a flow or request.
struct Fact {
    enum class Kind : std::uint8_t { pattern, list, present };
    Kind kind{};
    std::uint16_t slot = 0;
    std::uint32_t list = 0;             // of Kind::list
    bool nocase = false;
    std::vector<std::string> confirms;  // PCRE2 patterns, one must hold too; empty: Hyperscan's word suffices
};

struct Slot {
    FieldRef field;
    std::vector<std::uint8_t> database;  // serialised; of a body in streaming mode; empty: no pattern
};

struct CompiledRule {
    std::string id;
    std::string pack;
    std::string title;
    std::string rule_class;
    std::uint32_t version = 1;
    Severity severity{};
    std::uint8_t confidence = 0;
    State state{};
    RunsIn runs_in{};
    std::vector<PortRange> ports;
    std::vector<Network> networks;
    Rate per_rule;
    Rate per_source;
    std::vector<Step> steps;  // scope's server names are in here
};

struct CompiledRules {
    std::uint64_t generation = 0;  // given when pushed
    std::string engine;            // Hyperscan's version: a database is for that one alone
    std::uint64_t cpu_features = 0;
    std::vector<Slot> slots;
    std::vector<Fact> facts;
    std::vector<std::shared_ptr<const ListFile>> lists;
    std::vector<CompiledRule> rules;
};

// The blob: magic, version, length, two 64-bit checksums, then the set. Little endian.
std::vector<std::uint8_t> encode(const CompiledRules& rules);
// A blob of this body: its header with length and checksums. For encode(), and for tests of damaged bodies.
std::vector<std::uint8_t> seal(ByteView body);
// corrupt: cut, altered, of another version, or not sound in itself; says which.
Result<CompiledRules> decode(ByteView blob);

}  // namespace seine::signature
