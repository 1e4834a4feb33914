// Rule files: any text is read or refused with a place; what is read evaluates the same twice.
#include <cstdint>
#include <cstdlib>

#include "dataplane/base/bytes.h"
#include "dataplane/signature/check.h"
#include "dataplane/signature/rule_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace seine;
    signature::LoadedRules loaded =
        signature::read_rules_text("fuzz.toml", as_text({data, size}), "");
    for (const signature::Problem& problem : loaded.problems.kept())
        if (problem.text.empty() || problem.place.file != "fuzz.toml") std::abort();
    if (!loaded.problems.empty()) return 0;
    const auto evaluator = signature::Evaluator::make(loaded.set);
    if (!evaluator) std::abort();  // every pattern compiled when it was read
    signature::Problems first;
    signature::Problems second;
    check_examples(*evaluator, first);
    check_examples(*evaluator, second);
    if (first.lines() != second.lines()) std::abort();
    return 0;
}
