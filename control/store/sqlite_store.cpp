// Opening, transactions, room on the disk, and what is past its time.
#include "control/store/sqlite_store.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/store/columns.h"
#include "control/store/schema.h"

namespace seine::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kIdleMax = 8;
constexpr std::uint64_t kReserveBytes = 16'000'000;
constexpr std::uint64_t kCheckedWholeBytes = 64'000'000;
constexpr int kRowsASweep = 20'000;

std::uint64_t size_of(const std::string& path) {
    std::error_code none;
    const auto size = fs::file_size(path, none);
    return none ? 0 : size;
}

}  // namespace

Readers::Lent::~Lent() {
    if (connection_ == nullptr) return;
    const std::lock_guard lock(of_.mutex_);
    if (of_.idle_.size() < kIdleMax) of_.idle_.push_back(std::move(connection_));
}

Result<std::unique_ptr<Readers::Lent>> Readers::lend() {
    std::unique_ptr<Connection> connection;
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            connection = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (connection == nullptr) {
        auto opened = Connection::open(path_, false);
        if (!opened) return opened.error();
        connection = std::make_unique<Connection>(std::move(*opened));
        static_cast<void>(connection->run("PRAGMA query_only=1; PRAGMA cache_size=-16384; PRAGMA mmap_size=1073741824;"));
    }
    return std::make_unique<Lent>(*this, std::move(connection));
}

Result<std::unique_ptr<Store>> open_sqlite(const Keeping& keeping) {
    auto store = std::make_unique<SqliteStore>(keeping);
    const Status status = store->open();
    if (!status.ok()) return status;
    return std::unique_ptr<Store>(std::move(store));
}

SqliteStore::SqliteStore(const Keeping& keeping) : keeping_(keeping), flow_files_(keeping.folder) {}

SqliteStore::~SqliteStore() {
    if (folder_lock_ >= 0) ::close(folder_lock_);
}

Status SqliteStore::take_folder() {
    std::error_code error;
    fs::create_directories(keeping_.folder, error);
    if (error)
        return failed(keeping_.folder + ": cannot be made (" + error.message() + "); name another folder in [store]");
    static_cast<void>(::chmod(keeping_.folder.c_str(), 0700));
    const std::string path = keeping_.folder + "/lock";
    folder_lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (folder_lock_ < 0)
        return failed(path + ": cannot be made (" + std::strerror(errno) + "); look at the folder's permissions");
    if (::flock(folder_lock_, LOCK_EX | LOCK_NB) != 0)
        return failed(keeping_.folder + ": another seine-control has this store; stop it or name another folder");
    return {};
}

Status SqliteStore::open() {
    Status status = take_folder();
    if (!status.ok()) return status;
    const std::string path = keeping_.folder + "/seine.db";
    keep_reserve();
    auto opened = Connection::open(path, true);
    if (!opened) return opened.error();
    writer_ = std::move(*opened);
    status = prepare_main(writer_, path);
    if (!status.ok()) return status;
    if (size_of(path) <= kCheckedWholeBytes) {
        Statement check = writer_.prepare("PRAGMA quick_check(1)");
        const bool sound = check.step() && check.bytes(0) == "ok";
        if (!sound && check.status().ok()) {
            return {Code::corrupt, path + ": damaged (" + std::string(check.bytes(0)) +
                                       "); move it away and start again, or put a copy back"};
        }
        if (!check.status().ok()) return check.status();
    }
    readers_.set_path(path);
    {
        Statement counts = writer_.prepare("SELECT day, field, n FROM value_count");
        while (counts.step()) {
            value_counts_[{static_cast<std::uint32_t>(counts.number(0)), static_cast<std::uint16_t>(counts.number(1))}] =
                counts.number(2);
        }
    }
    {
        Statement count = writer_.prepare("SELECT count(*) FROM account");
        if (count.step()) health_.accounts = count.number(0);
    }
    status = read_renames();
    if (!status.ok()) return status;
    return flow_files_.open();
}

std::uint64_t SqliteStore::free_bytes() const {
    std::error_code error;
    const auto space = fs::space(keeping_.folder, error);
    return error ? UINT64_MAX : space.available;
}

// Bytes that stand for what must still be written on a full disk: given up then, taken again later.
void SqliteStore::keep_reserve() {
    const std::string path = keeping_.folder + "/reserve";
    if (size_of(path) >= kReserveBytes) return;
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return;
    const bool kept = ::posix_fallocate(fd, 0, static_cast<off_t>(kReserveBytes)) == 0;
    ::close(fd);
    if (!kept) static_cast<void>(::unlink(path.c_str()));
}

bool SqliteStore::make_room() {
    bool made = flow_files_.drop_oldest();
    made = (::unlink((keeping_.folder + "/reserve").c_str()) == 0) || made;
    const std::lock_guard lock(health_mutex_);
    health_.full = true;
    if (made) health_.flow_files_dropped += 1;
    return made;
}

Status SqliteStore::change(const std::function<Status()>& work) {
    for (bool again = false;; again = true) {
        Status status;
        {
            Transaction transaction(writer_);
            status = transaction.status();
            if (status.ok()) status = work();
            if (status.ok()) status = transaction.commit();
        }
        if (status.code() != Code::full || again || !make_room()) return status;
    }
}

// Flows first: what is written twice, because the counts could not be, is left out by its flow id,
// but what is missing would not come again.
Status SqliteStore::write(const Batch& batch) {
    const std::lock_guard lock(write_mutex_);
    now_ = std::max(now_, batch.at);
    const bool kept = write_flows(batch);
    const Status status = change([&] { return write_counts(batch); });
    const std::lock_guard health(health_mutex_);
    (status.ok() ? health_.batches : health_.batches_failed) += 1;
    health_.state = status.ok() ? "ok" : status.message();
    if (!status.ok()) return status;
    health_.last_write = batch.at;
    (kept ? health_.flows_kept : health_.flows_shed) += batch.flows.size();
    return {};
}

bool SqliteStore::write_flows(const Batch& batch) {
    if (batch.flows.empty() && batch.flow_accounts.empty()) return true;
    if (keeping_.flow_hours == 0) return false;
    Status status(Code::full, "");
    if (free_bytes() >= keeping_.free_bytes) {
        status = flow_files_.write(batch.flows, batch.flow_accounts, batch.at);
        if (status.code() == Code::full && flow_files_.drop_oldest())
            status = flow_files_.write(batch.flows, batch.flow_accounts, batch.at);
    }
    const std::lock_guard lock(health_mutex_);
    health_.full = status.code() == Code::full;
    return status.ok();
}

Status SqliteStore::keep(const Document& document) {
    const std::lock_guard lock(write_mutex_);
    return change([&] { return keep_one(document); });
}

Result<std::vector<FlowRow>> SqliteStore::flows(const FlowQuery& query) const { return flow_files_.read(query); }

// Under all its tags: that of now, and those it had before.
Result<std::uint64_t> SqliteStore::forget(const model::AccountTag& tag) {
    const std::lock_guard lock(write_mutex_);
    std::vector<model::AccountTag> tags = {name_now(tag)};
    for (const auto& [old, now] : renamed_) {
        if (name_now(old) == tags.front()) tags.push_back(old);
    }
    std::uint64_t count = 0;
    for (const model::AccountTag& one : tags) {
        const auto rows = forget_tag(one);
        if (!rows) return rows.error();
        count += *rows;
    }
    const Status status = read_renames();
    if (!status.ok()) return status;
    return count;
}

Result<std::uint64_t> SqliteStore::forget_tag(const model::AccountTag& tag) {
    const std::string_view mine = as_text(ByteView(tag.bytes.data(), tag.bytes.size()));
    std::uint64_t count = 0;
    const Status status = change([&]() -> Status {
        count = 0;
        for (const char* sql : {"DELETE FROM renamed WHERE old=?", "DELETE FROM renamed WHERE new=?"}) {
            Statement gone = writer_.prepare(sql);
            gone.bind_blob(mine);
            const Status done = gone.run();
            if (!done.ok()) return done;
        }
        for (const char* sql : {"DELETE FROM account WHERE tag=?", "DELETE FROM finding WHERE account=?"}) {
            Statement gone = writer_.prepare(sql);
            gone.bind_blob(mine);
            const Status done = gone.run();
            if (!done.ok()) return done;
            count += writer_.changes();
        }
        // Its place in lists of 32; what was counted of it stays a number.
        std::vector<std::string> lists;
        std::vector<std::array<std::int64_t, 3>> keys;
        {
            Statement rows = writer_.prepare("SELECT day, field, value, some FROM value_day WHERE instr(some, ?) > 0");
            rows.bind_blob(mine);
            while (rows.step()) {
                std::string list;
                const std::string_view some = rows.bytes(3);
                for (std::size_t at = 0; at + 16 <= some.size(); at += 16) {
                    if (some.substr(at, 16) != mine) list.append(some.substr(at, 16));
                }
                keys.push_back({rows.integer(0), rows.integer(1), rows.integer(2)});
                lists.push_back(std::move(list));
            }
            if (!rows.status().ok()) return rows.status();
        }
        for (std::size_t i = 0; i < keys.size(); ++i) {
            Statement put = writer_.prepare("UPDATE value_day SET some=? WHERE day=? AND field=? AND value=?");
            put.bind_blob(lists[i]).bind(keys[i][0]).bind(keys[i][1]).bind(keys[i][2]);
            const Status done = put.run();
            if (!done.ok()) return done;
        }
        count += keys.size();
        return {};
    });
    if (!status.ok()) return status;
    const auto flows = flow_files_.forget(tag);
    if (!flows) return flows.error();
    return count + *flows;
}

Status SqliteStore::read_renames() {
    renamed_.clear();
    Statement rows = writer_.prepare("SELECT old, new FROM renamed");
    while (rows.step()) {
        model::AccountTag old;
        model::AccountTag now;
        if (rows.bytes(0).size() != old.bytes.size() || rows.bytes(1).size() != now.bytes.size()) continue;
        std::memcpy(old.bytes.data(), rows.bytes(0).data(), old.bytes.size());
        std::memcpy(now.bytes.data(), rows.bytes(1).data(), now.bytes.size());
        renamed_[old] = now;
    }
    return rows.status();
}

// Keys are changed every quarter, and renames kept for weeks: more steps than that are none.
const model::AccountTag& SqliteStore::name_now(const model::AccountTag& tag) const {
    const model::AccountTag* now = &tag;
    for (unsigned step = 0; step < kRenameStepsMax; ++step) {
        const auto found = renamed_.find(*now);
        if (found == renamed_.end()) break;
        now = &found->second;
    }
    return *now;
}

Status SqliteStore::sweep(Nanos now) {
    const std::lock_guard lock(write_mutex_);
    now_ = std::max(now_, now);
    std::size_t dropped = flow_files_.drop_before(now_ + -static_cast<std::int64_t>(keeping_.flow_hours) * 3600 * kSecond);
    if (flow_files_.bytes() > keeping_.flow_bytes || free_bytes() < keeping_.free_bytes)
        dropped += flow_files_.drop_oldest() ? 1 : 0;
    const bool enough = free_bytes() >= keeping_.free_bytes;
    if (enough) keep_reserve();
    const auto today = now_.count / kDay;
    const auto days = [](std::uint64_t count) { return static_cast<std::int64_t>(count); };
    const Status status = change([&]() -> Status {
        const std::int64_t token_day = today - days(keeping_.token_days);
        const std::pair<const char*, std::int64_t> bounds[] = {
            {"DELETE FROM value_day WHERE (day, field, value) IN (SELECT day, field, value FROM value_day WHERE day < ?"
             " LIMIT 20000)",
             token_day},
            {"DELETE FROM value_count WHERE day < ?", token_day},
            {"DELETE FROM day WHERE day < ?", token_day},
            {"DELETE FROM renamed WHERE at < ?", now_.count - days(keeping_.token_days) * kDay},
            {"DELETE FROM minute WHERE minute < ?", (today - days(keeping_.connection_days)) * 1440},
            {"DELETE FROM finding WHERE number IN (SELECT number FROM finding WHERE taken < ? LIMIT 20000)",
             now_.count - days(keeping_.finding_days) * kDay},
        };
        for (const auto& [sql, bound] : bounds) {
            Statement gone = writer_.prepare(sql);
            gone.bind(bound);
            const Status done = gone.run();
            if (!done.ok()) return done;
        }
        return sweep_accounts(now_.count - days(keeping_.token_days) * kDay);
    });
    std::erase_if(value_counts_, [&](const auto& entry) {
        return entry.first.first + keeping_.token_days < static_cast<std::uint64_t>(today);
    });
    const std::uint64_t flow_bytes = flow_files_.bytes();
    const std::string path = keeping_.folder + "/seine.db";
    const std::lock_guard health(health_mutex_);
    health_.flow_files_dropped += dropped;
    health_.flow_bytes = flow_bytes;
    health_.flow_files = flow_files_.files();
    health_.bytes = size_of(path) + size_of(path + "-wal") + flow_bytes;
    if (enough && status.ok()) health_.full = false;
    return status;
}

// A part of the accounts a call, in order of tags, going round.
Status SqliteStore::sweep_accounts(std::int64_t oldest) {
    std::vector<std::string> old;
    int seen = 0;
    std::string last;
    {
        Statement rows = writer_.prepare("SELECT tag, taken FROM account WHERE tag > ? ORDER BY tag LIMIT 20000");
        rows.bind_blob(sweep_at_);
        while (rows.step()) {
            ++seen;
            last = rows.bytes(0);
            if (rows.integer(1) < oldest) old.push_back(last);
        }
        if (!rows.status().ok()) return rows.status();
    }
    for (const std::string& tag : old) {
        Statement gone = writer_.prepare("DELETE FROM account WHERE tag=?");
        gone.bind_blob(tag);
        const Status status = gone.run();
        if (!status.ok()) return status;
    }
    sweep_at_ = seen < kRowsASweep ? std::string() : last;
    const std::lock_guard lock(health_mutex_);
    health_.accounts -= std::min<std::uint64_t>(health_.accounts, old.size());
    return {};
}

Health SqliteStore::health() const {
    const std::lock_guard lock(health_mutex_);
    return health_;
}

}  // namespace seine::store
