// Rule blobs: damaged ones are refused; one whose checksums are right is sound in itself or
// refused, and what is read is written again as it was.
#include <cstdint>
#include <cstdlib>

#include "dataplane/signature/compiled.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace seine;
    const ByteView bytes(data, size);
    static_cast<void>(signature::decode(bytes));
    const auto rules = signature::decode(signature::seal(bytes));
    if (!rules) return 0;
    const auto again = signature::encode(*rules);
    const auto second = signature::decode(again);
    if (!second || signature::encode(*second) != again) std::abort();
    // Whatever a program says, running it stays within its stack.
    for (const auto& rule : second->rules)
        static_cast<void>(signature::run(rule.steps, ~signature::Groups{0},
                                         [](std::uint32_t fact) { return (fact & 1) != 0; }));
    return 0;
}
