#include "control/signature/prepare.h"

#include "dataplane/signature/rule_file.h"

namespace seine::control_signature {

Prepared prepare(const std::string& folder, const signature::CompileOptions& options) {
    Prepared out;
    out.loaded = signature::read_rules(folder);
    signature::Problems& problems = out.loaded.problems;
    if (!problems.empty()) return out;
    const auto evaluator = signature::Evaluator::make(out.loaded.set);
    if (!evaluator) {
        problems.add({folder, 0, 0}, evaluator.error().message());
        return out;
    }
    out.counts = check_examples(*evaluator, problems);
    check_explosions(out.loaded.set, problems);
    if (problems.empty()) out.compiled = compile(out.loaded.set, problems, options);
    return out;
}

}  // namespace seine::control_signature
