// `account source list` and `account import`: where accounts are learned from.
#include "control/command/json_builder.h"
#include "control/service/account_part.h"
#include "control/service/answers.h"
#include "control/service/parts.h"

namespace seine::service {
namespace {

Status no_sources() {
    return failed(
        "no account source is configured; commit one as [[account_source]] (seinectl config keys) or "
        "name it in account-sources of seine-control's file");
}

Result<std::string> list_sources(const command::Request&, const Parts& parts) {
    command::JsonBuilder json;
    json.object().key("sources").array();
    const AccountStatus status =
        parts.accounts == nullptr ? AccountStatus() : parts.accounts->status();
    for (const account::SourceStatus& source : status.sources) {
        json.object()
            .field("name", source.name)
            .field("kind", source.kind)
            .field("place", source.place)
            .field("gateway", source.gateway)
            .field("problem", source.problem)
            .field("records", source.records)
            .field("lines", source.lines)
            .field("malformed", source.malformed)
            .field("nameless", source.nameless)
            .field("oversized", source.oversized)
            .field("forged", source.forged)
            .field("unsigned_refused", source.unsigned_refused)
            .field("other_version", source.other_version)
            .field("dropped", source.dropped)
            .field("rotated", source.rotated)
            .field("truncated", source.truncated)
            .field("missed", source.missed)
            .field("unread_bytes", source.unread_bytes)
            .field("held", source.held)
            .field("held_ms", source.held_ms)
            .field("last_fault", source.last_fault)
            .field("last_record_ns", source.last_record.count);
        json.end();
    }
    json.end();
    json.field("records_unstored", status.unstored);
    json.key("directory").object();
    json.field("accounts", status.directory_accounts)
        .field("keys", status.directory_keys)
        .field("refused", status.directory_refused)
        .field("imports_stored", parts.accounts == nullptr ? 0 : parts.accounts->imports_stored());
    json.end();
    json.key("tag_keys").object();
    json.field("epoch", std::uint32_t{status.tag_epoch})
        .field("locked", status.keys_locked)
        .field("problem", status.keys_problem);
    json.end();
    json.end();
    return json.take();
}

Result<std::string> import(const command::Request& request, const Parts& parts) {
    if (parts.accounts == nullptr || !parts.accounts->any()) return no_sources();
    const auto& lines = request.arguments.texts("entry");
    const auto number = parts.accounts->import(lines);
    if (!number) return number.error();
    command::JsonBuilder json;
    json.object().field("taken", lines.size()).field("number", *number);
    json.end();
    return json.take();
}

}  // namespace

void add_account_source_answers(Answers& answers, Parts& parts) {
    answers.add("account", "source list", command::Role::reader,
                [&parts](const command::Request& request) { return list_sources(request, parts); });
    for (const char* verb : {"import", "close"}) {
        answers.add("account", verb, command::Role::operating,
                    [&parts](const command::Request& request) { return import(request, parts); });
    }
}

}  // namespace seine::service
