// Suricata rules: every line is converted or refused with a reason, and what is written reads
// without a mistake.
#include <cstdint>
#include <cstdlib>

#include "control/signature/import_suricata.h"
#include "dataplane/base/bytes.h"
#include "dataplane/signature/rule_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace seine;
    const auto imported = control_signature::import_suricata("fuzz.rules", as_text({data, size}));
    std::size_t converted = 0;
    for (const auto& line : imported.lines) {
        if (!line.converted && line.reason.empty()) std::abort();
        converted += line.converted ? 1 : 0;
    }
    if (converted != imported.converted || imported.toml.empty() != (converted == 0)) std::abort();
    if (converted > 0 &&
        !signature::read_rules_text("out.toml", imported.toml, "").problems.empty())
        std::abort();
    return 0;
}
