// `export`: destinations, what waits for them, tests, pauses, replays and estimates.
#include <charconv>

#include "control/command/json_builder.h"
#include "control/config/toml.h"
#include "control/export/export_section.h"
#include "control/service/answers.h"
#include "control/service/destination_words.h"
#include "control/service/parts.h"
#include "control/service/tunables.h"

namespace seine::service {
namespace {

using command::JsonBuilder;
using command::Request;
using command::Role;

// "90s", "15m", "2h", "3d" in nanoseconds.
Result<std::int64_t> duration_ns(const std::string& text) {
    std::int64_t count = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
    const std::string_view unit(read.ptr,
                                static_cast<std::size_t>(text.data() + text.size() - read.ptr));
    const std::int64_t seconds = unit == "s"   ? 1
                                 : unit == "m" ? 60
                                 : unit == "h" ? 3600
                                 : unit == "d" ? 86400
                                               : 0;
    if (read.ec != std::errc() || seconds == 0 || count < 0 || count > 1'000'000)
        return Status(Code::usage, "`" + text + "` is no time span: 90s, 15m, 2h or 3d");
    return count * seconds * kSecond;
}

Result<std::string> list_destinations(Tunables& tunables, const std::string& only) {
    JsonBuilder json;
    bool found = only.empty();
    if (only.empty()) json.array();
    for (const siem::DestinationStatus& at : tunables.exporter().status()) {
        if (!only.empty() && at.name != only) continue;
        found = true;
        if (only.empty()) {
            describe_destination(json, at);
            continue;
        }
        json.object().key("status");
        describe_destination(json, at);
        const siem::CarrierInfo* carrier = siem::find_carrier(at.carrier);
        json.field("may_be_lost", carrier == nullptr ? std::string_view{} : carrier->loss).end();
    }
    if (!found)
        return Status(Code::not_found,
                      "there is no destination `" + only + "`; see seinectl export list");
    if (only.empty()) json.end();
    return json.take();
}

// Settings of a destination of the candidate, which need not be in effect.
Result<siem::DestinationSettings> candidate_settings(Tunables& tunables, const std::string& name) {
    for (const std::string& text :
         {tunables.revisions().candidate_text(), tunables.revisions().running_text()}) {
        const auto tree = config::read_toml(text, "candidate");
        const config::Node* all = tree ? tree->find("export") : nullptr;
        if (all == nullptr) continue;
        for (const config::Node& table : all->items) {
            if (table.text_of("name") == name) return siem::destination_settings(table);
        }
    }
    return Status(Code::not_found,
                  "neither candidate nor running configuration has a destination `" + name + "`");
}

Result<std::string> estimate(Tunables& tunables, const std::string& name) {
    const auto settings = candidate_settings(tunables, name);
    if (!settings) return settings.error();
    const auto found = tunables.exporter().estimate(*settings);
    if (!found) return found.error();
    JsonBuilder json;
    json.object()
        .field("name", name)
        .field("observed_seconds", found->observed_seconds)
        .field("events_per_day", found->events_per_day)
        .field("bytes_per_day", found->bytes_per_day)
        .key("events_per_day_by_kind")
        .object();
    for (std::size_t i = 0; i < found->events_per_day_by_kind.size(); ++i)
        json.field(siem::name_of(static_cast<model::EventKind>(i + 1)),
                   found->events_per_day_by_kind[i]);
    json.end().end();
    return json.take();
}

std::string done(const std::string& name, const std::string& what) {
    JsonBuilder json;
    json.object().field("name", name).field("done", what).end();
    return json.take();
}

}  // namespace

void add_export_answers(Answers& answers, Parts& parts) {
    Tunables& tunables = *parts.tunables;
    answers.add("export", "list", Role::reader,
                [&tunables](const Request&) { return list_destinations(tunables, ""); });
    answers.add("export", "show", Role::reader, [&tunables](const Request& request) {
        return list_destinations(tunables, request.arguments.text("name"));
    });
    answers.add("export", "estimate", Role::reader, [&tunables](const Request& request) {
        return estimate(tunables, request.arguments.text("name"));
    });
    answers.add("export", "test", Role::operating,
                [&tunables](const Request& request) -> Result<std::string> {
                    const std::string& name = request.arguments.text("name");
                    const Status status = tunables.exporter().probe(name);
                    // The receiver is away, not control: Code::unreachable would say the latter.
            if (!status.ok()) return status.code() == Code::not_found ? status : failed(status.message());
                    return done(name, "the receiver took a test event");
                });
    for (const bool pause : {true, false}) {
        answers.add("export", pause ? "pause" : "resume", Role::operating,
                    [&tunables, pause](const Request& request) -> Result<std::string> {
                        const std::string& name = request.arguments.text("name");
                        const Status status = tunables.exporter().pause(name, pause);
                        if (!status.ok()) return status;
                        return done(name, pause ? "paused until resume or restart; events wait"
                                                : "resumed");
                    });
    }
    answers.add("export", "replay", Role::operating,
                [&parts, &tunables](const Request& request) -> Result<std::string> {
                    const std::string& name = request.arguments.text("name");
                    const auto span = duration_ns(request.arguments.text("since"));
                    if (!span) return span.error();
                    const auto again = tunables.exporter().replay(name, parts.now().count - *span);
                    if (!again) return again.error();
                    return done(name, std::to_string(*again) + " events are sent again");
                });
}

}  // namespace seine::service
