#include "control/cli/signature_place.h"

#include <algorithm>

#include "control/cli/invocation.h"
#include "control/command/dataplane.h"
#include "dataplane/contract/json.h"

namespace seine::cli {

std::string json_text(std::string_view text) {
    std::string out;
    contract::append_json_text(out, text);
    return out;
}

std::string dataplane_socket_of(const Invocation& invocation) {
    // Rules are a dataplane's: --socket may name it too.
    if (!invocation.dataplane_socket.empty()) return invocation.dataplane_socket;
    return invocation.socket_given ? invocation.socket : kDataplaneSocket;
}

Result<RunningRules> running_rules(const Invocation& invocation) {
    RunningRules out;
    out.socket = dataplane_socket_of(invocation);
    const auto document =
        command::ask_dataplane(out.socket, invocation.timeout_ms, contract::AdminKind::stats);
    if (!document) return document.error();
    const auto stats = command::JsonValue::parse(*document);
    if (!stats)
        return Status(Code::corrupt, out.socket + ": the answer is " + stats.error().message());
    const command::JsonValue& about = (*stats)["signatures"];
    if (about.members().empty())
        return failed(out.socket +
                      ": this dataplane says nothing of signatures; is it of this release?");
    out.folder = about["folder"].text();
    out.generation = about["generation"].number();
    out.highest = about["highest"].number();
    out.confirmed = about["confirmed"].number();
    out.pending = about["pending"].boolean();
    out.origin = about["origin"].text();
    if (invocation.arguments.has("store")) out.folder = invocation.arguments.text("store");
    return out;
}

Result<std::string> rules_named(const Invocation& invocation, const std::string& typed) {
    const bool number = !typed.empty() && std::all_of(typed.begin(), typed.end(),
                                                      [](char c) { return c >= '0' && c <= '9'; });
    if (!typed.empty() && !number) return typed;
    auto running = running_rules(invocation);
    if (!running) return running.error();
    if (number) {
        const control_signature::VersionStore store(running->folder);
        const auto version = store.get(std::strtoull(typed.c_str(), nullptr, 10));
        if (!version) return version.error();
        return store.rules_of(version->number);
    }
    const control_signature::VersionStore store(running->folder);
    if (store.get(running->generation)) return store.rules_of(running->generation);
    if (running->generation == 0)
        return failed("no rules run; seinectl signature push DIR ships some");
    if (running->origin.empty() || running->origin.find(".blob") != std::string::npos)
        return failed("generation " + std::to_string(running->generation) +
                      " runs, but its rules are not in " + running->folder +
                      "/versions; name a folder");
    return running->origin;
}

}  // namespace seine::cli
