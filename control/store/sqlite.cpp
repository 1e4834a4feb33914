// The calls of SQLite that we need, with its results as Status.
#include "control/store/sqlite.h"

#include <sqlite3.h>
#include <utility>

namespace seine::store {

Statement::~Statement() { reset(); }

void Statement::reset() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    place_ = 0;
    result_ = 0;
}

Statement& Statement::bind(std::int64_t value) {
    if (statement_ != nullptr) sqlite3_bind_int64(statement_, ++place_, value);
    return *this;
}

Statement& Statement::bind_text(std::string_view value) {
    if (statement_ != nullptr)
        sqlite3_bind_text(statement_, ++place_, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
    return *this;
}

Statement& Statement::bind_blob(std::string_view value) {
    if (statement_ != nullptr)
        sqlite3_bind_blob(statement_, ++place_, value.empty() ? "" : value.data(), static_cast<int>(value.size()),
                          SQLITE_STATIC);
    return *this;
}

bool Statement::step() {
    result_ = statement_ == nullptr ? SQLITE_ERROR : sqlite3_step(statement_);
    return result_ == SQLITE_ROW;
}

Status Statement::run() {
    while (step()) {
    }
    const Status out = status();
    reset();
    return out;
}

Status Statement::status() const {
    return result_ == SQLITE_DONE || result_ == SQLITE_ROW ? Status() : connection_.failure(result_);
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    if (data == nullptr) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Connection::Connection(Connection&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)),
      path_(std::move(other.path_)),
      statements_(std::move(other.statements_)) {
    other.statements_.clear();
}

Connection& Connection::operator=(Connection&& other) noexcept {
    if (this == &other) return *this;
    close();
    database_ = std::exchange(other.database_, nullptr);
    path_ = std::move(other.path_);
    statements_ = std::move(other.statements_);
    other.statements_.clear();
    return *this;
}

Connection::~Connection() { close(); }

void Connection::close() noexcept {
    for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    statements_.clear();
    if (database_ != nullptr) sqlite3_close(database_);
    database_ = nullptr;
}

Result<Connection> Connection::open(const std::string& path, bool may_write) {
    Connection connection;
    connection.path_ = path;
    const int flags = SQLITE_OPEN_NOMUTEX | (may_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    const int result = sqlite3_open_v2(path.c_str(), &connection.database_, flags, nullptr);
    if (result != SQLITE_OK) return connection.failure(result);
    sqlite3_extended_result_codes(connection.database_, 0);
    sqlite3_busy_timeout(connection.database_, 10'000);
    return connection;
}

Status Connection::run(const char* sql) {
    const int result = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
    return result == SQLITE_OK ? Status() : failure(result);
}

Statement Connection::prepare(const char* sql) {
    sqlite3_stmt*& statement = statements_[sql];
    if (statement == nullptr) sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    return {*this, statement};
}

std::int64_t Connection::last_row() const { return sqlite3_last_insert_rowid(database_); }

std::uint64_t Connection::changes() const { return static_cast<std::uint64_t>(sqlite3_changes64(database_)); }

Status Connection::failure(int result) const {
    const std::string why = database_ == nullptr ? sqlite3_errstr(result) : sqlite3_errmsg(database_);
    switch (result & 0xff) {
        case SQLITE_FULL:
            return {Code::full, path_ + ": the disk is full; make room"};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return {Code::corrupt, path_ + ": damaged (" + why + "); move it away and start again, or put a copy back"};
        case SQLITE_IOERR:
            // A full disk shows so too, where the log of changes cannot grow.
            return {Code::full, path_ + ": cannot be written or read (" + why + "); look at the disk"};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return failed(path_ + ": another process has it; stop that one");
        default:
            return failed(path_ + ": " + why);
    }
}

Transaction::~Transaction() {
    if (status_.ok() && !done_) static_cast<void>(connection_.run("ROLLBACK"));
}

Status Transaction::commit() {
    if (!status_.ok()) return status_;
    Status status = connection_.run("COMMIT");
    if (status.ok()) done_ = true;
    return status;
}

}  // namespace seine::store
