// One branch per noun that is built; the rest say that they are not.
#include "control/cli/commands.h"

#include "control/cli/status_view.h"

namespace seine::cli {
namespace {

Status show_status(const Invocation& invocation, std::string& out) {
    const auto document = fetch_stats(invocation.socket, invocation.timeout_ms);
    if (!document) return document.error();
    if (invocation.json) {
        out = *document + "\n";
        return {};
    }
    const auto stats = JsonValue::parse(*document);
    if (!stats)
        return {Code::corrupt, invocation.socket + ": the answer is " + stats.error().message()};
    out = status_screen(*stats);
    return {};
}

}  // namespace

Status run(const Invocation& invocation, std::string& out) {
    if (invocation.action == Invocation::Action::help) {
        out = help_text();
    } else if (invocation.action == Invocation::Action::version) {
        out = version_text();
    } else if (invocation.noun->verbs.empty()) {
        return failed(std::string(invocation.noun->name) +
                      ": not built yet in this release; status is");
    } else if (invocation.noun->name == "completion") {
        out = bash_completion();
    } else {
        return show_status(invocation, out);
    }
    return {};
}

}  // namespace seine::cli
