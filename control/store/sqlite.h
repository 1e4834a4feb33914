// SQLite as two small types: a connection that remembers its statements, and a statement in use.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "dataplane/base/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace seine::store {

class Connection;

// A prepared statement while it is used; reset when it goes. Values are bound by place, from 1;
// texts and blobs must outlive the run.
class Statement {
  public:
    Statement(Connection& connection, sqlite3_stmt* statement) : connection_(connection), statement_(statement) {}
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    Statement& bind(std::int64_t value);
    Statement& bind(std::uint64_t value) { return bind(static_cast<std::int64_t>(value)); }
    Statement& bind(std::uint32_t value) { return bind(static_cast<std::int64_t>(value)); }
    Statement& bind(int value) { return bind(static_cast<std::int64_t>(value)); }
    Statement& bind_text(std::string_view value);
    Statement& bind_blob(std::string_view value);
    // True when there is a row.
    bool step();
    // Runs it to its end; ok, or why not.
    Status run();
    // Of the run so far: step() said false because it ended, or because of a failure.
    [[nodiscard]] Status status() const;
    void reset();

    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
    [[nodiscard]] std::string_view bytes(int column) const;  // borrowed until the next step

  private:
    Connection& connection_;
    sqlite3_stmt* statement_;
    int place_ = 0;
    int result_ = 0;
};

// One thread at a time.
class Connection {
  public:
    Connection() = default;
    ~Connection();
    Connection(Connection&& other) noexcept;
    Connection& operator=(Connection&& other) noexcept;

    // Code::corrupt for a file that is no database.
    static Result<Connection> open(const std::string& path, bool may_write);
    Status run(const char* sql);
    // `sql` must be a literal: statements are kept by its address. A statement that does not
    // prepare fails when it is run.
    [[nodiscard]] Statement prepare(const char* sql);
    [[nodiscard]] std::int64_t last_row() const;
    [[nodiscard]] std::uint64_t changes() const;
    [[nodiscard]] Status failure(int result) const;
    [[nodiscard]] bool is_open() const noexcept { return database_ != nullptr; }

  private:
    void close() noexcept;
    sqlite3* database_ = nullptr;
    std::string path_;
    std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

// BEGIN IMMEDIATE .. COMMIT; rolled back unless commit() was called and went well.
class Transaction {
  public:
    explicit Transaction(Connection& connection) : connection_(connection), status_(connection.run("BEGIN IMMEDIATE")) {}
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    [[nodiscard]] const Status& status() const noexcept { return status_; }
    Status commit();

  private:
    Connection& connection_;
    Status status_;
    bool done_ = false;
};

}  // namespace seine::store
