// Any bytes as TOML: what reads is written canonically, reads again to the same, and its check
// ends.
#include <cstdlib>

#include "control/config/section.h"
#include "control/config/toml.h"
#include "dataplane/base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace seine;
    const auto tree = config::read_toml(as_text(ByteView(data, size)), "fuzz");
    if (!tree.has_value()) return 0;
    const std::string text = config::write_toml(*tree);
    const auto again = config::read_toml(text, "fuzz");
    if (!again.has_value() || !(*again == *tree) || config::write_toml(*again) != text)
        std::abort();
    std::vector<config::Fault> faults;
    config::check_all(*tree, {}, faults);
    if (faults.size() != tree->members.size()) std::abort();
    return 0;
}
