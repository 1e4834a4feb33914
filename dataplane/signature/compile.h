// From rules to what runs: Hyperscan databases, one per field, and programs over the facts they find.
#pragma once
#include "dataplane/signature/compiled.h"
#include "dataplane/signature/loaded_rules.h"

namespace seine::signature {

struct CompileOptions {
    bool portable = false;  // for any x86-64 that Hyperscan runs on, not for this machine's instructions
};

// Off the packet path: takes seconds for thousands of patterns. A pattern that Hyperscan cannot take even as
// a prefilter is a problem at its place; the result is for use only when there was none.
CompiledRules compile(const RuleSet& set, Problems& problems, const CompileOptions& options = {});

// What this machine runs: to compare with a blob before it is loaded.
std::string engine_version();
std::uint64_t engine_cpu_features();

// Whether the pattern of a leaf needs PCRE2's confirmation.
bool needs_confirmation(const Leaf& leaf);

}  // namespace seine::signature
