// Help and version are answered here, everything else by the verb.
#include "control/cli/commands.h"

#include <poll.h>

#include "control/cli/ask.h"
#include "control/cli/help.h"

namespace seine::cli {
namespace {

Status print(const std::string& text, const Write& write) {
    return write(text) ? Status() : failed("the output cannot be written");
}

}  // namespace

Status run(const Invocation& invocation, const Write& write) {
    switch (invocation.action) {
        case Invocation::Action::help:
            return print(help_text(invocation.noun, invocation.verb), write);
        case Invocation::Action::version:
            return print(version_text(), write);
        case Invocation::Action::man:
            return print(man_page(invocation.noun), write);
        case Invocation::Action::run:
            break;
    }
    if (invocation.verb == nullptr)
        return failed(std::string(invocation.noun->name) + ": not built yet in this release; see seinectl --help");
    if (invocation.verb->run != nullptr) return invocation.verb->run(invocation, write);
    const auto document = ask(invocation);
    return document ? show_document(invocation, *document, write) : document.error();
}

Status watch(const Invocation& invocation, const Write& write, bool terminal) {
    while (true) {
        // A picture is fetched whole before the one before it goes.
        std::string picture;
        const Status status = run(invocation, [&picture](std::string_view text) {
            picture.append(text);
            return true;
        });
        if (!status.ok()) return status;
        if (terminal) picture.insert(0, "\x1b[H\x1b[2J");
        else if (!invocation.json) picture.push_back('\n');
        if (!write(picture)) return failed("the output cannot be written");
        static_cast<void>(::poll(nullptr, 0, static_cast<int>(invocation.watch_seconds) * 1000));
    }
}

}  // namespace seine::cli
