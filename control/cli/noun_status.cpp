// `seinectl status`: how it goes, of control or of a dataplane alone, on one screen.
#include "control/cli/ask.h"
#include "control/cli/dataplane_view.h"
#include "control/cli/invocation.h"
#include "control/cli/nouns.h"
#include "control/cli/status_view.h"
#include "control/command/dataplane.h"
#include "control/command/client.h"

namespace seine::cli {
namespace {

// Of either daemon: the document says whose it is.
std::string screen(const command::JsonValue& document, const Invocation& invocation) {
    return document["program"].text() == "seine-control" ? status_screen(document, invocation)
                                                         : dataplane_screen(document);
}

Status show_dataplane(const Invocation& invocation, const std::string& socket, const Write& write) {
    const auto document = command::ask_dataplane(socket, invocation.timeout_ms, contract::AdminKind::stats);
    return document ? show_document(invocation, *document, write) : document.error();
}

// --socket may name either daemon: a dataplane says that it is one. Without it a dataplane that
// runs alone is found too.
Status run_status(const Invocation& invocation, const Write& write) {
    if (!invocation.dataplane_socket.empty())
        return show_dataplane(invocation, invocation.dataplane_socket, write);
    auto client = command::Client::connect(invocation.socket, invocation.timeout_ms);
    if (!client) {
        if (invocation.socket_given) return client.error();
        const Status alone = show_dataplane(invocation, kDataplaneSocket, write);
        return alone.code() == Code::unreachable ? client.error() : alone;
    }
    command::Request request;
    request.noun = "status";
    request.verb = "show";
    const auto document = client->ask(request);
    if (document) return show_document(invocation, *document, write);
    if (document.error().message() == command::Client::kNotControl)
        return show_dataplane(invocation, invocation.socket, write);
    return document.error();
}

constexpr Verb kVerbs[] = {
    {.name = "show",
     .meaning = "dataplanes, rates, losses and their reasons, join, store, farms",
     .show = screen,
     .run = run_status},
};

}  // namespace

constexpr Noun kStatusNoun = {
    .name = "status",
    .meaning = "how it goes: rates, joins, and what was dropped or given up and why",
    .verbs = kVerbs,
    .more = "Asks seine-control; where none answers and no socket is named, a dataplane that runs alone."};

}  // namespace seine::cli
