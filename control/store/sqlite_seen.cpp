// Questions about what was seen: by key alone, or over a day's values of one field.
#include <algorithm>
#include <cstring>

#include "control/store/account_values.h"
#include "control/store/columns.h"
#include "control/store/sqlite_store.h"

namespace seine::store {
namespace {

template <typename Of>
void take_tag(std::string_view bytes, model::Tag<Of>& out) {
    if (bytes.size() == 16) std::memcpy(out.bytes.data(), bytes.data(), 16);
}

#define SEINE_ACCOUNT_COLUMNS                                                                              \
    "SELECT tag, org, first, last, flows, requests, limited, errors, modes, flags, first_seen_day, tier," \
    " trust, closed, closed_at FROM account "

// The tag that ?1 is now (SqliteStore::name_now).
#define SEINE_TAG_NOW                                                                                     \
    "(WITH RECURSIVE step(tag, n) AS (SELECT ?1, 0 UNION ALL SELECT new, n + 1 FROM step JOIN renamed ON" \
    " old = step.tag WHERE n < 8) SELECT tag FROM step ORDER BY n DESC LIMIT 1)"

AccountRow account_of(const Statement& statement) {
    AccountRow row;
    take_tag(statement.bytes(0), row.account);
    take_tag(statement.bytes(1), row.org);
    row.first_seen = {statement.integer(2)};
    row.last_seen = {statement.integer(3)};
    row.flows = statement.number(4);
    row.requests = statement.number(5);
    row.limited = statement.number(6);
    row.errors = statement.number(7);
    row.modes = static_cast<std::uint32_t>(statement.number(8));
    row.flags = static_cast<std::uint16_t>(statement.number(9));
    row.first_seen_day = static_cast<std::uint32_t>(statement.number(10));
    row.tier = static_cast<std::uint8_t>(statement.number(11));
    row.trust = static_cast<std::uint8_t>(statement.number(12));
    row.closed = statement.integer(13) != 0;
    row.closed_at = {statement.integer(14)};
    return row;
}

// A value summed over days.
struct Sum {
    ValueRow row;
    Distinct accounts;
    Distinct organisations;
    Distinct networks;

    // Columns: day, value, first, last, flows, accounts, organisations, networks, some.
    void add(const Statement& statement) {
        row.day = std::max(row.day, static_cast<std::uint32_t>(statement.number(0)));
        row.value = statement.number(1);
        const Nanos first{statement.integer(2)};
        row.first_seen = row.first_seen.count == 0 ? first : std::min(row.first_seen, first);
        row.last_seen = std::max(row.last_seen, Nanos{statement.integer(3)});
        row.flows += statement.number(4);
        merge(statement.bytes(5), accounts);
        merge(statement.bytes(6), organisations);
        merge(statement.bytes(7), networks);
        const std::string_view some = statement.bytes(8);
        for (std::size_t at = 0; at + 16 <= some.size(); at += 16) {
            model::AccountTag tag;
            take_tag(some.substr(at, 16), tag);
            auto& list = row.some_accounts;
            if (list.size() < kAccountsPerValueMax && std::find(list.begin(), list.end(), tag) == list.end())
                list.push_back(tag);
        }
    }
    ValueRow take() {
        row.accounts = accounts.count();
        row.organisations = organisations.count();
        row.networks = networks.count();
        return std::move(row);
    }

  private:
    static void merge(std::string_view bytes, Distinct& into) {
        Distinct had;
        if (!bytes.empty() && Distinct::decode(bytes, had)) into.merge(had);
    }
};

}  // namespace

Result<std::vector<AccountRow>> SqliteStore::accounts(const AccountQuery& query) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    std::vector<AccountRow> out;
    Statement rows = (**reader)->prepare(query.newest ? SEINE_ACCOUNT_COLUMNS "ORDER BY last DESC, tag LIMIT 10000"
                                                     : SEINE_ACCOUNT_COLUMNS "WHERE tag > ? ORDER BY tag");
    // A beginning of hex digits bounds the tags from below.
    std::string from(view(query.after));
    if (!query.beginning.empty()) {
        model::AccountTag least;
        std::string padded = query.beginning.substr(0, 32);
        padded.resize(32, '0');
        if (!model::from_text(padded, least)) return out;
        for (std::size_t i = least.bytes.size(); i-- > 0;) {
            if (least.bytes[i]-- != 0) break;  // the tag right before it
        }
        if (padded.find_first_not_of('0') == std::string::npos) least = {};
        from = std::max(from, std::string(view(least)));
    }
    if (!query.newest) rows.bind_blob(from);
    while (out.size() < query.limit && rows.step()) {
        AccountRow row = account_of(rows);
        const std::string text = model::to_text(row.account);
        if (text.compare(0, query.beginning.size(), query.beginning) != 0) {
            if (query.newest) continue;
            break;
        }
        if (query.org && row.org != *query.org) continue;
        out.push_back(row);
    }
    if (!rows.status().ok()) return rows.status();
    return out;
}

Result<AccountRow> SqliteStore::account(const model::AccountTag& tag) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    Statement row = (**reader)->prepare(SEINE_ACCOUNT_COLUMNS "WHERE tag=" SEINE_TAG_NOW);
    row.bind_blob(view(tag));
    if (row.step()) return account_of(row);
    if (!row.status().ok()) return row.status();
    return Status(Code::not_found, "no account " + model::to_text(tag) + " was seen");
}

Result<std::vector<AccountValueRow>> SqliteStore::account_values(const model::AccountTag& tag) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    Statement row = (**reader)->prepare("SELECT seen FROM account WHERE tag=" SEINE_TAG_NOW);
    row.bind_blob(view(tag));
    std::vector<AccountValueRow> out;
    if (row.step()) out = read_account_values(row.bytes(0));
    if (!row.status().ok()) return row.status();
    std::stable_sort(out.begin(), out.end(), [](const AccountValueRow& a, const AccountValueRow& b) {
        return a.field != b.field ? a.field < b.field : a.flows > b.flows;
    });
    return out;
}

Result<ValueRow> SqliteStore::value(std::uint16_t field, model::ValueId value, std::uint32_t first_day,
                                    std::uint32_t last_day) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    Sum sum;
    sum.row.field = field;
    bool any = false;
    // Only days that have values of the field, each by its key, in one snapshot.
    Statement rows = (**reader)->prepare(
        "SELECT v.day, v.value, first, last, flows, accounts, organisations, networks, some FROM value_count d CROSS JOIN"
        " value_day v ON v.day=d.day AND v.field=d.field AND v.value=?1 WHERE d.day BETWEEN ?2 AND ?3 AND d.field=?4"
        " ORDER BY d.day");
    rows.bind(value).bind(first_day).bind(last_day).bind(std::uint32_t{field});
    while (rows.step()) {
        sum.add(rows);
        any = true;
    }
    if (!rows.status().ok()) return rows.status();
    if (!any) return Status(Code::not_found, "it was not seen in these days");
    return sum.take();
}

Result<std::vector<ValueRow>> SqliteStore::values(const ValueQuery& query) const {
    std::vector<ValueRow> out;
    const auto better = [&query](const ValueRow& a, const ValueRow& b) {
        const auto left = query.by_accounts ? std::pair(a.accounts, a.flows) : std::pair(a.flows, a.accounts);
        const auto right = query.by_accounts ? std::pair(b.accounts, b.flows) : std::pair(b.flows, b.accounts);
        return left != right ? left > right : a.value < b.value;
    };
    const Status status = each_value(query.field, query.first_day, query.last_day, [&](const ValueRow& row) {
        if (out.size() < query.limit) {
            out.push_back(row);
            std::push_heap(out.begin(), out.end(), better);
        } else if (!out.empty() && better(row, out.front())) {
            std::pop_heap(out.begin(), out.end(), better);
            out.back() = row;
            std::push_heap(out.begin(), out.end(), better);
        }
        return true;
    });
    if (!status.ok()) return status;
    std::sort(out.begin(), out.end(), better);
    return out;
}

Status SqliteStore::each_value(std::uint16_t field, std::uint32_t first_day, std::uint32_t last_day,
                               const std::function<bool(const ValueRow&)>& each) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    std::vector<std::uint16_t> fields;
    {
        Statement named = (**reader)->prepare(
            "SELECT DISTINCT field FROM value_count WHERE day BETWEEN ? AND ? AND (?=0 OR field=?) ORDER BY field");
        named.bind(first_day).bind(last_day).bind(std::uint32_t{field}).bind(std::uint32_t{field});
        while (named.step()) fields.push_back(static_cast<std::uint16_t>(named.number(0)));
        if (!named.status().ok()) return named.status();
    }
    // The days of a field are walked side by side, each in order of values: a merge, so the sums
    // need no table however many values there are.
    for (const std::uint16_t one : fields) {
        Statement rows = (**reader)->prepare(
            "SELECT day, value, first, last, flows, accounts, organisations, networks, some FROM value_day"
            " WHERE day BETWEEN ? AND ? AND field=? ORDER BY value, day");
        rows.bind(first_day).bind(last_day).bind(std::uint32_t{one});
        Sum sum;
        sum.row.field = one;
        bool any = false;
        while (rows.step()) {
            if (any && rows.number(1) != sum.row.value) {
                if (!each(sum.take())) return {};
                sum = {};
                sum.row.field = one;
            }
            sum.add(rows);
            any = true;
        }
        if (!rows.status().ok()) return rows.status();
        if (any && !each(sum.take())) return {};
    }
    return {};
}

Result<DayTotals> SqliteStore::totals(std::uint32_t first_day, std::uint32_t last_day) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    DayTotals out;
    Distinct accounts;
    Distinct organisations;
    Statement rows = (**reader)->prepare("SELECT flows, accounts, organisations FROM day WHERE day BETWEEN ? AND ?");
    rows.bind(first_day).bind(last_day);
    while (rows.step()) {
        out.flows += rows.number(0);
        Distinct had;
        if (Distinct::decode(rows.bytes(1), had)) accounts.merge(had);
        if (Distinct::decode(rows.bytes(2), had)) organisations.merge(had);
    }
    if (!rows.status().ok()) return rows.status();
    out.accounts = accounts.count();
    out.organisations = organisations.count();
    return out;
}

Result<std::vector<MinuteRow>> SqliteStore::minutes(Nanos from, Nanos to) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    std::vector<MinuteRow> out;
    Statement rows = (**reader)->prepare(
        "SELECT minute, dataplane, opened, closed, requests, lost, joined, payload FROM minute WHERE minute BETWEEN ? AND ?"
        " ORDER BY minute, dataplane");
    rows.bind(from.count / kMinute).bind(to.count / kMinute);
    while (rows.step()) {
        out.push_back({{rows.integer(0) * kMinute}, static_cast<std::uint16_t>(rows.number(1)), rows.number(2),
                       rows.number(3), rows.number(4), rows.number(5), rows.number(6), rows.number(7)});
    }
    if (!rows.status().ok()) return rows.status();
    return out;
}

Result<std::string> SqliteStore::text(model::ValueId id) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    Statement row = (**reader)->prepare("SELECT text FROM text WHERE id=?");
    row.bind(id);
    std::string out;
    if (row.step()) out = row.bytes(0);
    if (!row.status().ok()) return row.status();
    return out;
}

Result<std::vector<Text>> SqliteStore::texts(std::uint16_t field, std::string_view beginning, std::size_t limit) const {
    const auto reader = readers_.lend();
    if (!reader) return reader.error();
    std::vector<Text> out;
    Statement rows = (**reader)->prepare("SELECT id, text FROM text WHERE field=? AND text>=? ORDER BY text");
    rows.bind(std::uint32_t{field}).bind_blob(beginning);
    while (out.size() < limit && rows.step()) {
        const std::string_view text = rows.bytes(1);
        if (text.substr(0, beginning.size()) != beginning) break;
        out.push_back({field, rows.number(0), std::string(text)});
    }
    if (!rows.status().ok()) return rows.status();
    return out;
}

}  // namespace seine::store
