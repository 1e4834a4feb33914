// `seinectl account`: accounts as tags, what they were seen with, where that was learned.
#include <algorithm>

#include "control/cli/account_offline.h"
#include "control/cli/nouns.h"
#include "control/cli/table.h"

namespace seine::cli {
namespace {

using command::JsonValue;

constexpr std::int64_t kDayNs = std::int64_t{86'400} * 1'000'000'000;

std::string words(const JsonValue& list) {
    std::string out;
    for (const JsonValue& item : list.items()) out += (out.empty() ? "" : " ") + shown(item.text());
    return out;
}

std::string show_list(const JsonValue& document, const Invocation&) {
    if (document["accounts"].items().empty()) return "no account that fits was seen\n";
    Table table("lrrllll");
    table.row({"account", "flows", "requests", "first seen", "last seen", "sources", "flags"});
    for (const JsonValue& account : document["accounts"].items()) {
        table.row({account["account"].text(), grouped(account["flows"].number()), grouped(account["requests"].number()),
                   utc_time(account["first_seen_ns"].whole()), utc_time(account["last_seen_ns"].whole()),
                   words(account["sources"]), words(account["flags"]) + (account["closed"].boolean() ? " closed" : "")});
    }
    return table.text() + grouped(document["accounts_kept"].number()) + " accounts in all\n";
}

std::string show_one(const JsonValue& account, const Invocation&) {
    Table head("ll");
    head.row({"account", account["account"].text()});
    // Of an account of which no organisation is known its own tag stands for one.
    const std::string& org = account["organisation"].text();
    head.row({"organisation", org.empty() || org == account["account"].text() ? "not known" : org});
    if (account["signup_day"].number() > 0)
        head.row({"signed up", utc_time(account["signup_day"].whole() * kDayNs).substr(0, 10)});
    if (account["tier"].number() > 0) head.row({"tier", std::to_string(account["tier"].number())});
    if (account["trust"].number() > 0) head.row({"trust", std::to_string(account["trust"].number())});
    head.row({"seen", utc_time(account["first_seen_ns"].whole()) + " to " + utc_time(account["last_seen_ns"].whole())});
    head.row({"flows", grouped(account["flows"].number())});
    head.row({"requests", grouped(account["requests"].number()) + ", of them limited " +
                              grouped(account["limited"].number()) + ", errors " + grouped(account["errors"].number())});
    head.row({"sources", words(account["sources"])});
    if (!account["flags"].items().empty()) head.row({"flags", words(account["flags"])});
    if (account["closed"].boolean()) head.row({"closed", utc_time(account["closed_ns"].whole())});
    Table seen("llrlll");
    seen.row({"seen with", "", "flows", "first seen", "last seen", "known as"});
    std::string before;
    for (const JsonValue& value : account["seen_with"].items()) {
        const std::string& field = value["field"].text();
        seen.row({field == before ? "" : "  " + shown(field), shown(value["value"].text()), grouped(value["flows"].number()),
                  utc_time(value["first_seen_ns"].whole()), utc_time(value["last_seen_ns"].whole()),
                  shown(value["known_as"].text())});
        before = field;
    }
    return head.text() + "\n" + seen.text();
}

std::string show_forgotten(const JsonValue& document, const Invocation&) {
    return "forgotten: " + grouped(document["rows"].number()) + " rows; the audit log says that and when, not whom\n";
}

constexpr std::uint64_t kFarBehindBytes = std::uint64_t{64} << 20;

std::string show_sources(const JsonValue& document, const Invocation&) {
    if (document["sources"].items().empty()) {
        return "no account source is configured; name one in account-sources of seine-control's file\n";
    }
    Table table("lllrrrrrl");
    table.row({"source", "kind", "place", "records", "not understood", "without account", "refused", "dropped", "last record"});
    std::string problems;
    for (const JsonValue& source : document["sources"].items()) {
        const std::uint64_t refused = source["forged"].number() + source["unsigned_refused"].number() +
                                      source["oversized"].number() + source["other_version"].number();
        table.row({shown(source["name"].text()), source["kind"].text(), shown(source["place"].text()),
                   grouped(source["records"].number()), grouped(source["malformed"].number()),
                   grouped(source["nameless"].number()), grouped(refused), grouped(source["dropped"].number()),
                   utc_time(source["last_record_ns"].whole())});
        const std::string name = shown(source["name"].text());
        if (!source["problem"].text().empty()) problems += name + ": " + shown(source["problem"].text()) + "\n";
        if (source["missed"].number() > 0)
            problems += name + ": lines of " + grouped(source["missed"].number()) +
                        " rotated or cut logs went away unread; keep one more rotation, uncompressed, and rotate by renaming\n";
        if (source["unread_bytes"].number() > kFarBehindBytes)
            problems += name + ": " + bytes_text(source["unread_bytes"].number()) +
                        " of it are not read yet; does seine-control keep up (seinectl status)?\n";
        if (source["dropped"].number() > 0)
            problems += name + ": the kernel had no room for " + grouped(source["dropped"].number()) +
                        " datagrams; raise net.core.rmem_max, or see in seinectl status whether seine-control keeps up\n";
        if (source["held"].boolean())
            problems += name + ": is not read on now: a ring is behind, and enough lines wait for its flows\n";
        // Requests that bear no key are no fault; a log of which most lines name nobody is one.
        const bool faulty = source["malformed"].number() + source["oversized"].number() > 0 ||
                            source["nameless"].number() > source["records"].number();
        if (faulty && !source["last_fault"].text().empty()) {
            problems += name + ": the newest line that was not taken " + shown(source["last_fault"].text()) + "\n";
        }
    }
    if (const std::uint64_t lost = document["records_unstored"].number(); lost > 0)
        problems += grouped(lost) + " records of sockets were lost before they were stored: kills, or a store that took nothing\n";
    if (!document["tag_keys"]["problem"].text().empty()) problems += shown(document["tag_keys"]["problem"].text()) + "\n";
    const JsonValue& directory = document["directory"];
    return table.text() + problems + "directory: " + grouped(directory["accounts"].number()) + " accounts, " +
           grouped(directory["keys"].number()) + " keys; tag epoch " +
           std::to_string(document["tag_keys"]["epoch"].number()) + "\n";
}

constexpr Positional kBeginning[] = {
    {.name = "beginning", .meaning = "first hex digits of tags", .optional = true}};
constexpr Positional kAccount[] = {{.name = "account", .meaning = "tag, or its first 4 or more hex digits"}};
constexpr Positional kWhole[] = {{.name = "account", .meaning = "the whole tag, 32 hex digits"}};
constexpr Option kList[] = {
    {"recent", "", "last seen first, instead of in order of tags"},
    {"organisation", "TAG", "of this organisation"},
    {"after", "TAG", "past this tag: the next page"},
    {"limit", "NUMBER", "at most so many (default 50)"},
};

constexpr Positional kImportFile[] = {{.name = "file", .meaning = "JSON lines; - is stdin", .complete = kFile}};
constexpr Positional kLogFile[] = {{.name = "file", .meaning = "a log", .complete = kFile}};
constexpr Positional kOutFile[] = {{.name = "file", .meaning = "where the key goes, mode 0600", .complete = kFile}};
constexpr Positional kMac[] = {{.name = "number", .meaning = "1 to 255, the record's mac_key_id"},
                               {.name = "file", .meaning = "where the key goes, mode 0600", .complete = kFile}};
constexpr Option kKeys[] = {{"keys", "FILE", "the file of tag keys (default /etc/seine/tag.keys)", kFile}};
constexpr Option kRotate[] = {{"keys", "FILE", "the file of tag keys (default /etc/seine/tag.keys)", kFile},
                              {"in-days", "NUMBER", "the new epoch begins so many days from now (default 0)"}};
constexpr Option kRetire[] = {{"keys", "FILE", "the file of tag keys (default /etc/seine/tag.keys)", kFile},
                              {"at-once", "", "before the two weeks of overlap are over"}};
constexpr Option kTag[] = {{"keys", "FILE", "the file of tag keys (default /etc/seine/tag.keys)", kFile},
                           {"key", "", "stdin holds an API key, not an account's name"}};
constexpr Option kTest[] = {
    {"keys", "FILE", "the file of tag keys (default /etc/seine/tag.keys)", kFile},
    {"setting", "KEY=VALUE", "as in account-sources: format=nginx, pattern=.., client=FIELD, time=start", {}, true},
    {"lines", "NUMBER", "at most so many (default 20)"}};

constexpr Verb kVerbs[] = {
    {.name = "list", .meaning = "accounts that were seen", .positionals = kBeginning, .options = kList, .show = show_list},
    {.name = "show",
     .meaning = "an account: its stacks, networks, sessions, sources and flags",
     .positionals = kAccount,
     .show = show_one},
    {.name = "source list", .meaning = "where accounts are learned from, and how that goes", .show = show_sources},
    {.name = "source test",
     .meaning = "what is understood of the first lines of a log",
     .positionals = kLogFile,
     .options = kTest,
     .run = account_source_test},
    {.name = "import",
     .meaning = "what is known of accounts: organisation, tier, sign-up, closure, keys",
     .positionals = kImportFile,
     .options = kKeys,
     .run = account_import,
     .more = "One JSON object a line: account or key (or keys, a list), org, created, tier, closed_at, "
             "declared_intermediary. Names and keys become tags here, before anything leaves this process. Importing "
             "again replaces what was said before; what a line does not say stays."},
    {.name = "close", .meaning = "tells that an account is closed", .positionals = kWhole, .run = account_close},
    {.name = "tag", .meaning = "the tag of the account whose name stands on stdin", .options = kTag, .run = account_tag},
    {.name = "key new", .meaning = "makes the file of tag keys", .options = kKeys, .run = account_key_new},
    {.name = "key rotate",
     .meaning = "adds a new epoch of tag keys; the one before stays for the overlap",
     .options = kRotate,
     .run = account_key_rotate},
    {.name = "key retire", .meaning = "destroys the keys of older epochs", .options = kRetire, .run = account_key_retire},
    {.name = "key mac",
     .meaning = "makes a MAC key for a gateway that sends binary records",
     .positionals = kMac,
     .options = kKeys,
     .run = account_key_mac},
    {.name = "key export",
     .meaning = "the hash key for seine-dataplane --hash-key-file, for inline sources",
     .positionals = kOutFile,
     .options = kKeys,
     .run = account_key_export},
    {.name = "forget",
     .meaning = "erases everything of an account and leaves an audit line",
     .positionals = kWhole,
     .show = show_forgotten},
};

}  // namespace

constexpr Noun kAccountNoun = {
    .name = "account",
    .meaning = "accounts, their sources and their directory",
    .verbs = kVerbs,
    .more = "Accounts are keyed tags; names are never kept, so nothing prints them."};

}  // namespace seine::cli
