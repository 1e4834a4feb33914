// A batch into the tables: rows are read, added to, and put back, changed ones alone.
#include <algorithm>
#include <cstring>

#include "control/store/account_values.h"
#include "control/store/columns.h"
#include "control/store/sqlite_store.h"

namespace seine::store {
namespace {

// Different values of a field and day. Past it new ones are counted and not kept: what is sent may
// not make the store grow without end.
constexpr std::uint64_t kValuesADayMax = 4'000'000;

std::int64_t earlier(std::int64_t a, std::int64_t b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

void add_sketch(std::string_view bytes, Distinct& into) {
    Distinct had;
    if (!bytes.empty() && Distinct::decode(bytes, had)) into.merge(had);
}

}  // namespace

Status SqliteStore::write_counts(const Batch& batch) {
    Status status;
    for (const Text& text : batch.texts) {
        Statement put = writer_.prepare("INSERT OR IGNORE INTO text(id, field, text) VALUES(?,?,?)");
        status = put.bind(text.id).bind(std::uint32_t{text.field}).bind_blob(text.text).run();
        if (!status.ok()) return status;
    }
    const auto day = static_cast<std::uint32_t>(batch.at.count / kDay);
    for (const ValueUse& use : batch.values) {
        status = write_value(use, day);
        if (!status.ok()) return status;
    }
    for (const Rename& rename : batch.renames) {
        status = write_rename(rename, batch.at);
        if (!status.ok()) return status;
    }
    for (const AccountUse& use : batch.accounts) {
        status = write_account(use, batch.at);
        if (!status.ok()) return status;
    }
    for (const MinuteRow& minute : batch.minutes) {
        status = write_minute(minute);
        if (!status.ok()) return status;
    }
    for (const Document& document : batch.documents) {
        status = keep_one(document);
        if (!status.ok()) return status;
    }
    for (const Finding& finding : batch.findings) {
        status = write_finding(finding);
        if (!status.ok()) return status;
    }
    return write_day(batch, day);
}

Status SqliteStore::write_value(const ValueUse& use, std::uint32_t day) {
    std::int64_t first = use.first_seen.count;
    std::int64_t last = use.last_seen.count;
    std::uint64_t flows = use.flows;
    Distinct accounts = use.accounts;
    Distinct organisations = use.organisations;
    Distinct networks = use.networks;
    std::string some;
    bool had = false;
    {
        Statement row = writer_.prepare(
            "SELECT first, last, flows, accounts, organisations, networks, some FROM value_day"
            " WHERE day=? AND field=? AND value=?");
        row.bind(day).bind(std::uint32_t{use.field}).bind(use.value);
        if (row.step()) {
            had = true;
            first = earlier(first, row.integer(0));
            last = std::max(last, row.integer(1));
            flows += row.number(2);
            add_sketch(row.bytes(3), accounts);
            add_sketch(row.bytes(4), organisations);
            add_sketch(row.bytes(5), networks);
            some = row.bytes(6);
        } else if (!row.status().ok()) {
            return row.status();
        }
    }
    if (!had) {
        std::uint64_t& count = value_counts_[{day, use.field}];
        if (count >= kValuesADayMax) {
            const std::lock_guard lock(health_mutex_);
            health_.values_shed += 1;
            return {};
        }
        ++count;
        Statement counted = writer_.prepare(
            "INSERT INTO value_count(day, field, n) VALUES(?,?,1) ON CONFLICT(day, field) DO UPDATE SET n=n+1");
        const Status status = counted.bind(day).bind(std::uint32_t{use.field}).run();
        if (!status.ok()) return status;
    }
    for (const model::AccountTag& was : use.some_accounts) {
        const model::AccountTag& tag = name_now(was);
        bool there = some.size() >= 16 * kAccountsPerValueMax;
        for (std::size_t at = 0; at + 16 <= some.size() && !there; at += 16) there = some.compare(at, 16, view(tag)) == 0;
        if (!there) some.append(view(tag));
    }
    const std::string sketches[] = {accounts.encode(), organisations.encode(), networks.encode()};
    Statement put = writer_.prepare(
        "INSERT OR REPLACE INTO value_day(day, field, value, first, last, flows, n_accounts, accounts, organisations,"
        " networks, some) VALUES(?,?,?,?,?,?,?,?,?,?,?)");
    put.bind(day).bind(std::uint32_t{use.field}).bind(use.value).bind(first).bind(last).bind(flows);
    put.bind(accounts.count()).bind_blob(sketches[0]).bind_blob(sketches[1]).bind_blob(sketches[2]).bind_blob(some);
    return put.run();
}

// What the old tag has is put to the new one.
Status SqliteStore::write_rename(const Rename& rename, Nanos at) {
    const model::AccountTag to = name_now(rename.to);
    if (rename.from == to || !rename.from.known() || !to.known()) return {};
    {
        Statement put = writer_.prepare("INSERT OR REPLACE INTO renamed(old, new, at) VALUES(?,?,?)");
        const Status status = put.bind_blob(view(rename.from)).bind_blob(view(to)).bind(at.count).run();
        if (!status.ok()) return status;
    }
    AccountUse use;
    {
        Statement old = writer_.prepare(
            "SELECT first, last, flows, requests, limited, errors, modes, flags, first_seen_day, tier, trust, closed,"
            " closed_at, seen FROM account WHERE tag=?");
        old.bind_blob(view(rename.from));
        const bool had = old.step();
        if (!old.status().ok()) return old.status();
        if (had) {
            use.row.first_seen = {old.integer(0)};
            use.row.last_seen = {old.integer(1)};
            use.row.flows = old.number(2);
            use.row.requests = old.number(3);
            use.row.limited = old.number(4);
            use.row.errors = old.number(5);
            use.row.modes = static_cast<std::uint32_t>(old.number(6));
            use.row.flags = static_cast<std::uint16_t>(old.number(7));
            use.row.first_seen_day = static_cast<std::uint32_t>(old.number(8));
            use.row.tier = static_cast<std::uint8_t>(old.number(9));
            use.row.trust = static_cast<std::uint8_t>(old.number(10));
            use.row.closed = old.integer(11) != 0;
            use.row.closed_at = {old.integer(12)};
            use.values = read_account_values(old.bytes(13));
            use.row.account = to;  // its organisation has another tag now
        }
    }
    renamed_[rename.from] = to;
    if (!use.row.account.known()) return {};
    Statement gone = writer_.prepare("DELETE FROM account WHERE tag=?");
    const Status status = gone.bind_blob(view(rename.from)).run();
    if (!status.ok()) return status;
    {
        const std::lock_guard lock(health_mutex_);
        health_.accounts -= std::min<std::uint64_t>(health_.accounts, 1);
    }
    return write_account(use, at);
}

Status SqliteStore::write_account(const AccountUse& use, Nanos at) {
    AccountRow row = use.row;
    row.account = name_now(row.account);
    std::string seen;
    bool had = false;
    {
        Statement old = writer_.prepare(
            "SELECT org, first, last, flows, requests, limited, errors, modes, flags, first_seen_day, tier, trust,"
            " closed, closed_at, seen FROM account WHERE tag=?");
        old.bind_blob(view(row.account));
        if (old.step()) {
            had = true;
            if (!row.org.known() && old.bytes(0).size() == 16) std::memcpy(row.org.bytes.data(), old.bytes(0).data(), 16);
            row.first_seen = {earlier(row.first_seen.count, old.integer(1))};
            row.last_seen = {std::max(row.last_seen.count, old.integer(2))};
            row.flows += old.number(3);
            row.requests += old.number(4);
            row.limited += old.number(5);
            row.errors += old.number(6);
            row.modes |= static_cast<std::uint32_t>(old.number(7));
            row.flags = static_cast<std::uint16_t>(row.flags | old.number(8));
            if (row.first_seen_day == 0) row.first_seen_day = static_cast<std::uint32_t>(old.number(9));
            if (row.tier == 0) row.tier = static_cast<std::uint8_t>(old.number(10));
            if (row.trust == 0) row.trust = static_cast<std::uint8_t>(old.number(11));
            if (!row.closed && old.integer(12) != 0) {
                row.closed = true;
                row.closed_at = {old.integer(13)};
            }
            seen = old.bytes(14);
        } else if (!old.status().ok()) {
            return old.status();
        }
    }
    seen = merge_account_values(seen, use.values);
    Statement put = writer_.prepare(
        "INSERT OR REPLACE INTO account(tag, org, first, last, taken, flows, requests, limited, errors, modes, flags,"
        " first_seen_day, tier, trust, closed, closed_at, seen) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    put.bind_blob(view(row.account)).bind_blob(row.org.known() ? view(row.org) : std::string_view());
    put.bind(row.first_seen.count).bind(row.last_seen.count).bind(at.count).bind(row.flows).bind(row.requests);
    put.bind(row.limited).bind(row.errors).bind(row.modes).bind(std::uint32_t{row.flags}).bind(row.first_seen_day);
    put.bind(std::uint32_t{row.tier}).bind(std::uint32_t{row.trust}).bind(row.closed ? 1 : 0).bind(row.closed_at.count);
    put.bind_blob(seen);
    const Status status = put.run();
    if (status.ok() && !had) {
        const std::lock_guard lock(health_mutex_);
        health_.accounts += 1;
    }
    return status;
}

Status SqliteStore::write_day(const Batch& batch, std::uint32_t day) {
    if (batch.all_flows == 0 && batch.all_accounts.empty()) return {};
    std::uint64_t flows = batch.all_flows;
    Distinct accounts = batch.all_accounts;
    Distinct organisations = batch.all_organisations;
    {
        Statement old = writer_.prepare("SELECT flows, accounts, organisations FROM day WHERE day=?");
        old.bind(day);
        if (old.step()) {
            flows += old.number(0);
            add_sketch(old.bytes(1), accounts);
            add_sketch(old.bytes(2), organisations);
        }
        if (!old.status().ok()) return old.status();
    }
    const std::string sketches[] = {accounts.encode(), organisations.encode()};
    Statement put = writer_.prepare("INSERT OR REPLACE INTO day(day, flows, accounts, organisations) VALUES(?,?,?,?)");
    return put.bind(day).bind(flows).bind_blob(sketches[0]).bind_blob(sketches[1]).run();
}

Status SqliteStore::write_minute(const MinuteRow& minute) {
    Statement put = writer_.prepare(
        "INSERT INTO minute(minute, dataplane, opened, closed, requests, lost, joined, payload) VALUES(?,?,?,?,?,?,?,?)"
        " ON CONFLICT(minute, dataplane) DO UPDATE SET opened=opened+excluded.opened, closed=closed+excluded.closed,"
        " requests=requests+excluded.requests, lost=lost+excluded.lost, joined=joined+excluded.joined,"
        " payload=payload+excluded.payload");
    put.bind(minute.minute.count / kMinute).bind(std::uint32_t{minute.dataplane}).bind(minute.opened);
    put.bind(minute.closed).bind(minute.requests).bind(minute.records_lost).bind(minute.joined);
    return put.bind(minute.payload_bytes).run();
}

Status SqliteStore::keep_one(const Document& document) {
    if (document.value.empty()) {
        Statement gone = writer_.prepare("DELETE FROM document WHERE room=? AND key=?");
        return gone.bind_text(document.room).bind_text(document.key).run();
    }
    Statement put = writer_.prepare("INSERT OR REPLACE INTO document(room, key, value) VALUES(?,?,?)");
    return put.bind_text(document.room).bind_text(document.key).bind_blob(document.value).run();
}

}  // namespace seine::store
