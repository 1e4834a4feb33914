// Findings, documents of other rooms, revisions, and the audit chain.
#include <cstring>

#include "control/store/sqlite_store.h"
#include "dataplane/crypto/digest.h"

namespace seine::store {
namespace {

std::string_view view(const model::AccountTag& tag) {
    return tag.known() ? as_text(ByteView(tag.bytes.data(), tag.bytes.size())) : std::string_view();
}

#define SEINE_FINDING_COLUMNS "SELECT number, at, kind, severity, rule, title, account, farm, document FROM finding "

Finding finding_of(const Statement& statement) {
    Finding out;
    out.number = statement.number(0);
    out.at = {statement.integer(1)};
    out.kind = static_cast<std::uint8_t>(statement.number(2));
    out.severity = static_cast<std::uint8_t>(statement.number(3));
    out.rule = statement.bytes(4);
    out.title = statement.bytes(5);
    const std::string_view tag = statement.bytes(6);
    if (tag.size() == 16) std::memcpy(out.account.bytes.data(), tag.data(), 16);
    out.farm = statement.number(7);
    out.document = statement.bytes(8);
    return out;
}

bool fits(const Finding& finding, const FindingQuery& query) {
    return finding.at >= query.from && finding.at <= query.to && (query.kind == 0 || finding.kind == query.kind) &&
           finding.severity >= query.severity_least && (query.rule.empty() || finding.rule == query.rule) &&
           (!query.account || finding.account == *query.account) && (query.farm == 0 || finding.farm == query.farm);
}

}  // namespace

Status SqliteStore::write_finding(const Finding& finding) {
    Statement put = writer_.prepare(
        "INSERT INTO finding(at, taken, kind, severity, rule, title, account, farm, document)"
        " VALUES(?,?,?,?,?,?,?,?,?)");
    put.bind(finding.at.count).bind(std::max(now_, finding.at).count).bind(std::uint32_t{finding.kind});
    put.bind(std::uint32_t{finding.severity}).bind_text(finding.rule).bind_text(finding.title);
    return put.bind_blob(view(finding.account)).bind(finding.farm).bind_text(finding.document).run();
}

Result<std::uint64_t> SqliteStore::add_finding(const Finding& finding) {
    const std::lock_guard lock(write_mutex_);
    const Status status = change([&] { return write_finding(finding); });
    if (!status.ok()) return status;
    return static_cast<std::uint64_t>(writer_.last_row());
}

Result<std::vector<Finding>> SqliteStore::findings(const FindingQuery& query) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    std::vector<Finding> out;
    Statement rows = (**reader)->prepare(
        query.after != 0 ? SEINE_FINDING_COLUMNS "WHERE number>? ORDER BY number"
        : query.account  ? SEINE_FINDING_COLUMNS "WHERE account=? ORDER BY number DESC"
        : query.farm != 0 ? SEINE_FINDING_COLUMNS "WHERE farm=? AND farm<>0 ORDER BY number DESC"
                          : SEINE_FINDING_COLUMNS "ORDER BY number DESC");
    if (query.after != 0) rows.bind(query.after);
    else if (query.account) rows.bind_blob(view(*query.account));
    else if (query.farm != 0) rows.bind(query.farm);
    while (out.size() < query.limit && rows.step()) {
        Finding finding = finding_of(rows);
        if (fits(finding, query)) out.push_back(std::move(finding));
    }
    if (!rows.status().ok()) return rows.status();
    return out;
}

Result<Finding> SqliteStore::finding(std::uint64_t number) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    Statement row = (**reader)->prepare(SEINE_FINDING_COLUMNS "WHERE number=?");
    row.bind(number);
    if (row.step()) return finding_of(row);
    if (!row.status().ok()) return row.status();
    return Status(Code::not_found, "no finding " + std::to_string(number));
}

Result<std::string> SqliteStore::kept(std::string_view room, std::string_view key) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    Statement row = (**reader)->prepare("SELECT value FROM document WHERE room=? AND key=?");
    row.bind_text(room).bind_text(key);
    std::string out;
    if (row.step()) out = row.bytes(0);
    if (!row.status().ok()) return row.status();
    return out;
}

Result<std::vector<Document>> SqliteStore::kept_all(std::string_view room) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    std::vector<Document> out;
    Statement rows = (**reader)->prepare("SELECT key, value FROM document WHERE room=? ORDER BY key");
    rows.bind_text(room);
    while (rows.step()) out.push_back({std::string(room), std::string(rows.bytes(0)), std::string(rows.bytes(1))});
    if (!rows.status().ok()) return rows.status();
    return out;
}

Result<std::uint64_t> SqliteStore::add_revision(const Revision& revision) {
    const std::lock_guard lock(write_mutex_);
    const Status status = change([&] {
        Statement put = writer_.prepare("INSERT INTO revision(at, author, comment, document) VALUES(?,?,?,?)");
        put.bind(revision.at.count).bind_text(revision.author).bind_text(revision.comment);
        return put.bind_text(revision.document).run();
    });
    if (!status.ok()) return status;
    return static_cast<std::uint64_t>(writer_.last_row());
}

Result<std::vector<Revision>> SqliteStore::revisions(std::size_t limit) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    std::vector<Revision> out;
    Statement rows = (**reader)->prepare("SELECT number, at, author, comment FROM revision ORDER BY number DESC");
    while (out.size() < limit && rows.step()) {
        out.push_back({rows.number(0), {rows.integer(1)}, std::string(rows.bytes(2)), std::string(rows.bytes(3)), {}});
    }
    if (!rows.status().ok()) return rows.status();
    return out;
}

Result<Revision> SqliteStore::revision(std::uint64_t number) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    Statement row = (**reader)->prepare(
        "SELECT number, at, author, comment, document FROM revision WHERE ?=0 OR number=? ORDER BY number DESC LIMIT 1");
    row.bind(number).bind(number);
    if (row.step()) {
        return Revision{row.number(0), {row.integer(1)}, std::string(row.bytes(2)), std::string(row.bytes(3)),
                        std::string(row.bytes(4))};
    }
    if (!row.status().ok()) return row.status();
    return Status(Code::not_found, number == 0 ? "no revision yet" : "no revision " + std::to_string(number));
}

}  // namespace seine::store
