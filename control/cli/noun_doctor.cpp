// `seinectl doctor`: what this machine needs.
#include "control/cli/ask.h"
#include "control/cli/doctor.h"
#include "control/cli/invocation.h"
#include "control/cli/nic.h"
#include "control/cli/nouns.h"
#include "control/cli/table.h"
#include "control/command/client.h"
#include "control/command/json_builder.h"

namespace seine::cli {
namespace {

using command::JsonBuilder;
using command::JsonValue;

std::string show(const JsonValue& document, const Invocation&) {
    std::string out;
    for (const JsonValue& at : document["findings"].items()) {
        std::string level = shown(at["level"].text());
        level.resize(5, ' ');
        out += level + shown(at["group"].text()) + ": " + shown(at["text"].text()) + "\n";
        if (!at["remedy"].text().empty()) out += "     -> " + shown(at["remedy"].text()) + "\n";
    }
    return out;
}

void add(JsonBuilder& json, std::string_view group, std::string_view level, std::string_view text,
         std::string_view remedy) {
    json.object()
        .field("group", group)
        .field("level", level)
        .field("text", text)
        .field("remedy", remedy)
        .end();
}

// What control says of itself, appended; how many of it are failures.
std::size_t add_control(JsonBuilder& json, const Invocation& invocation) {
    auto client = command::Client::connect(invocation.socket, invocation.timeout_ms);
    if (!client) {
        add(json, "control", "fail", client.error().message(), "systemctl start seine-control");
        return 1;
    }
    command::Request request;
    request.noun = "doctor";
    request.verb = "control";
    const auto answer = client->ask(request);
    const auto document = answer ? JsonValue::parse(*answer) : Result<JsonValue>(answer.error());
    if (!document) {
        add(json, "control", "fail", document.error().message(), "is it of the same release?");
        return 1;
    }
    std::size_t failures = 0;
    for (const JsonValue& at : document->items()) {
        failures += at["level"].text() == "fail" ? 1 : 0;
        add(json, at["group"].text(), at["level"].text(), at["text"].text(), at["remedy"].text());
    }
    return failures;
}

constexpr char kNicState[] = "/var/lib/seine/nic";

// One line of what was done.
Status told(const Invocation& invocation, const Result<std::string>& done, const Write& write) {
    if (!done) return done.error();
    JsonBuilder json;
    json.object().field("done", *done).end();
    return show_document(invocation, json.take(), write);
}
std::string show_done(const JsonValue& document, const Invocation&) { return shown(document["done"].text()) + "\n"; }

Status bind(const Invocation& invocation, const Write& write) {
    const bool force = invocation.arguments.has("force");
    return told(invocation, bind_nic({}, invocation.arguments.text("address"), kNicState, force), write);
}
Status restore(const Invocation& invocation, const Write& write) {
    return told(invocation, restore_nic({}, invocation.arguments.text("address"), kNicState), write);
}

Status run(const Invocation& invocation, const Write& write) {
    std::vector<Finding> findings;
    const bool nic = invocation.arguments.has("nic");
    for (const DoctorGroup group : doctor_groups()) group({}, findings);
    if (nic) look_at_nics({}, findings);
    JsonBuilder json;
    json.object().key("findings").array();
    std::size_t failures = 0;
    for (const Finding& at : findings) {
        failures += at.level == Finding::Level::fail ? 1 : 0;
        add(json, at.group, name_of(at.level), at.text, at.remedy);
    }
    // Cards are set up before there is a daemon to ask.
    if (!nic) failures += add_control(json, invocation);
    json.end().field("failures", static_cast<std::uint64_t>(failures)).end();
    const Status shown_status = show_document(invocation, json.take(), write);
    if (!shown_status.ok()) return shown_status;
    return failures == 0
               ? Status()
               : failed(std::to_string(failures) +
                        (failures == 1 ? " finding needs" : " findings need") + " your attention");
}

constexpr Option kShowOptions[] = {
    {"nic", "", "network cards instead of the daemon: drivers, IOMMU, queues and cores, offloads, the RSS key"}};
constexpr Positional kAddress[] = {{"address", "PCI address, such as 0000:03:00.0"}};
constexpr Option kBindOptions[] = {{"force", "", "also a card whose interface is up, or that DPDK is not known to drive"}};

constexpr Verb kVerbs[] = {
    {.name = "show",
     .meaning = "hugepages, interfaces, clocks, access, disk, joins, destinations, certificates, and what to do about each",
     .options = kShowOptions,
     .show = show,
     .run = run},
    {.name = "bind",
     .meaning = "give a network card to vfio-pci, for --port, and remember its driver",
     .positionals = kAddress,
     .options = kBindOptions,
     .show = show_done,
     .run = bind},
    {.name = "restore",
     .meaning = "give a network card back to the driver that it had",
     .positionals = kAddress,
     .show = show_done,
     .run = restore}};

}  // namespace

constexpr Noun kDoctorNoun = {
    .name = "doctor", .meaning = "what this machine needs", .verbs = kVerbs};

}  // namespace seine::cli
