// SQL of the tables. Days and minutes are those of taking in, since 1970.
#include "control/store/schema.h"

namespace seine::store {
namespace {

// An account is one row with all that was seen of it, a value one row a day: both are found by
// their key alone, however many there are.
constexpr char kMain[] = R"(
CREATE TABLE text(id INTEGER PRIMARY KEY, field INTEGER NOT NULL, text BLOB NOT NULL);
CREATE INDEX text_by_text ON text(field, text);
CREATE TABLE value_day(day INTEGER, field INTEGER, value INTEGER, first INTEGER, last INTEGER, flows INTEGER,
    n_accounts INTEGER, accounts BLOB, organisations BLOB, networks BLOB, some BLOB,
    PRIMARY KEY(day, field, value)) WITHOUT ROWID;
CREATE TABLE value_count(day INTEGER, field INTEGER, n INTEGER, PRIMARY KEY(day, field)) WITHOUT ROWID;
CREATE TABLE day(day INTEGER PRIMARY KEY, flows INTEGER, accounts BLOB, organisations BLOB);
CREATE TABLE account(tag BLOB PRIMARY KEY, org BLOB, first INTEGER, last INTEGER, taken INTEGER, flows INTEGER,
    requests INTEGER, limited INTEGER, errors INTEGER, modes INTEGER, flags INTEGER, first_seen_day INTEGER,
    tier INTEGER, trust INTEGER, closed INTEGER, closed_at INTEGER, seen BLOB) WITHOUT ROWID;
CREATE TABLE minute(minute INTEGER, dataplane INTEGER, opened INTEGER, closed INTEGER, requests INTEGER,
    lost INTEGER, joined INTEGER, payload INTEGER, PRIMARY KEY(minute, dataplane)) WITHOUT ROWID;
CREATE TABLE finding(number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER, taken INTEGER, kind INTEGER,
    severity INTEGER, rule TEXT, title TEXT, account BLOB, farm INTEGER, document TEXT);
CREATE INDEX finding_by_account ON finding(account) WHERE account <> x'';
CREATE INDEX finding_by_farm ON finding(farm) WHERE farm <> 0;
CREATE TABLE document(room TEXT, key TEXT, value BLOB, PRIMARY KEY(room, key)) WITHOUT ROWID;
CREATE TABLE revision(number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER, author TEXT, comment TEXT, document TEXT);
)";

// Tags of accounts that have another now; in stores made before it too.
constexpr char kRenamed[] =
    "CREATE TABLE IF NOT EXISTS renamed(old BLOB PRIMARY KEY, new BLOB, at INTEGER) WITHOUT ROWID;";

constexpr char kFlows[] = R"(
CREATE TABLE IF NOT EXISTS flow(row INTEGER PRIMARY KEY, dataplane INTEGER, epoch INTEGER, counter INTEGER,
    opened INTEGER, closed INTEGER, client BLOB, server BLOB, client_port INTEGER, server_port INTEGER,
    proto INTEGER, ja4 INTEGER, stands_for INTEGER, accounts BLOB, frame BLOB,
    UNIQUE(counter, epoch, dataplane));
)";

}  // namespace

Status prepare_main(Connection& connection, const std::string& path) {
    Status status = connection.run(
        "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
        "PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;");
    if (!status.ok()) return status;
    std::int64_t version = 0;
    {
        Statement asked = connection.prepare("PRAGMA user_version");
        if (asked.step()) version = asked.integer(0);
        status = asked.status();
    }
    if (!status.ok()) return status;
    if (version == kSchemaVersion) return connection.run(kRenamed);
    if (version != 0) {
        return {Code::corrupt, path + ": a store of version " + std::to_string(version) + ", this program reads " +
                                   std::to_string(kSchemaVersion) +
                                   "; start the release that made it, or name another folder in [store]"};
    }
    Transaction transaction(connection);
    if (!transaction.status().ok()) return transaction.status();
    status = connection.run(kMain);
    if (status.ok()) status = connection.run(kRenamed);
    if (status.ok()) status = connection.run("PRAGMA user_version=1");
    return status.ok() ? transaction.commit() : status;
}

Status prepare_flows(Connection& connection) {
    const Status status = connection.run("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-8192;");
    return status.ok() ? connection.run(kFlows) : status;
}

}  // namespace seine::store
