// Hours as files.
#include "control/store/flow_files.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <unistd.h>

#include "control/store/schema.h"

namespace seine::store {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::size_t kScanMax = 500'000;  // rows that one question may look at

std::uint32_t hour_of(Nanos at) { return static_cast<std::uint32_t>(at.count / kHour); }

// The hour of a file's name, 0 when it is none of ours.
std::uint32_t hour_in(const std::string& name) {
    unsigned hour = 0;
    int end = 0;
    if (std::sscanf(name.c_str(), "flows-%10u.db%n", &hour, &end) != 1) return 0;
    return static_cast<std::size_t>(end) == name.size() ? hour : 0;
}

std::string_view view(const model::Address& address) {
    return as_text(ByteView(address.data(), address.size()));
}

model::Address address_of(std::string_view bytes) {
    model::Address out{};
    if (bytes.size() == out.size()) std::memcpy(out.data(), bytes.data(), out.size());
    return out;
}

std::string joined(const std::vector<model::AccountTag>& tags) {
    std::string out;
    for (const auto& tag : tags) out.append(as_text(ByteView(tag.bytes.data(), tag.bytes.size())));
    return out;
}

constexpr char kInsert[] =
    "INSERT OR IGNORE INTO flow(dataplane, epoch, counter, opened, closed, client, server, client_port, server_port,"
    " proto, ja4, stands_for, accounts, frame) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
#define SEINE_FLOW_COLUMNS                                                                             \
    "SELECT row, dataplane, epoch, counter, opened, closed, client, server, client_port, server_port," \
    " proto, ja4, stands_for, accounts, frame FROM flow "
constexpr char kById[] = SEINE_FLOW_COLUMNS "WHERE counter=? AND epoch=? AND dataplane=?";
constexpr char kFollowing[] = SEINE_FLOW_COLUMNS "WHERE row>? ORDER BY row";
constexpr char kNewest[] = SEINE_FLOW_COLUMNS "ORDER BY row DESC";
#undef SEINE_FLOW_COLUMNS

FlowRow row_of(const Statement& statement, std::uint32_t hour) {
    FlowRow row;
    row.row = std::uint64_t{hour} << 32 | statement.number(0);
    row.id = {static_cast<std::uint16_t>(statement.number(1)), static_cast<std::uint32_t>(statement.number(2)),
              statement.number(3)};
    row.t_open = {statement.integer(4)};
    row.t_close = {statement.integer(5)};
    row.tuple.client = address_of(statement.bytes(6));
    row.tuple.server = address_of(statement.bytes(7));
    row.tuple.client_port = static_cast<std::uint16_t>(statement.number(8));
    row.tuple.server_port = static_cast<std::uint16_t>(statement.number(9));
    row.tuple.proto = static_cast<contract::Proto>(statement.number(10));
    row.ja4 = statement.number(11);
    row.stands_for = static_cast<std::uint32_t>(statement.number(12));
    const std::string_view tags = statement.bytes(13);
    for (std::size_t at = 0; at + 16 <= tags.size(); at += 16) {
        model::AccountTag tag;
        std::memcpy(tag.bytes.data(), tags.data() + at, 16);
        row.accounts.push_back(tag);
    }
    const ByteView frame = as_bytes(statement.bytes(14));
    row.frame.assign(frame.begin(), frame.end());
    return row;
}

bool fits(const FlowRow& row, const FlowQuery& query) {
    if (row.t_close < query.from || row.t_close > query.to) return false;
    if (query.client && model::prefix_of(row.tuple.client, query.client_bits) !=
                            model::prefix_of(*query.client, query.client_bits))
        return false;
    if (query.server && row.tuple.server != *query.server) return false;
    if (query.server_port != 0 && row.tuple.server_port != query.server_port) return false;
    if (query.ja4 != 0 && row.ja4 != query.ja4) return false;
    if (query.id && !(row.id == *query.id)) return false;
    return !query.account ||
           std::find(row.accounts.begin(), row.accounts.end(), *query.account) != row.accounts.end();
}

}  // namespace

std::string FlowFiles::path_of(std::uint32_t hour) const {
    char name[32];
    std::snprintf(name, sizeof name, "/flows-%u.db", hour);
    return folder_ + name;
}

Status FlowFiles::open() {
    std::error_code error;
    const std::lock_guard lock(mutex_);
    for (const auto& entry : fs::directory_iterator(folder_, error)) {
        const std::uint32_t hour = hour_in(entry.path().filename().string());
        if (hour != 0) hours_.push_back(hour);
    }
    if (error) return failed(folder_ + ": cannot be read: " + error.message());
    std::sort(hours_.begin(), hours_.end());
    if (!hours_.empty()) recheck_ = hours_.back();
    return {};
}

std::vector<std::uint32_t> FlowFiles::hours() const {
    const std::lock_guard lock(mutex_);
    return hours_;
}

Status FlowFiles::turn_to(std::uint32_t hour) {
    if (current_ == hour && writer_.is_open()) return {};
    writer_ = Connection();
    auto opened = Connection::open(path_of(hour), true);
    if (!opened) return opened.error();
    Status status = prepare_flows(*opened);
    if (status.code() == Code::corrupt) {
        // One damaged hour is set aside; the others and everything else go on.
        static_cast<void>(std::rename(path_of(hour).c_str(), (path_of(hour) + ".damaged").c_str()));
        return status;
    }
    if (!status.ok()) return status;
    writer_ = std::move(*opened);
    current_ = hour;
    const std::lock_guard lock(mutex_);
    if (std::find(hours_.begin(), hours_.end(), hour) == hours_.end()) {
        hours_.push_back(hour);
        std::sort(hours_.begin(), hours_.end());
    }
    return {};
}

Status FlowFiles::insert(const FlowRow& flow) {
    const std::string accounts = joined(flow.accounts);
    Statement put = writer_.prepare(kInsert);
    put.bind(std::uint32_t{flow.id.dataplane}).bind(flow.id.epoch).bind(flow.id.counter);
    put.bind(flow.t_open.count).bind(flow.t_close.count);
    put.bind_blob(view(flow.tuple.client)).bind_blob(view(flow.tuple.server));
    put.bind(std::uint32_t{flow.tuple.client_port}).bind(std::uint32_t{flow.tuple.server_port});
    put.bind(static_cast<int>(flow.tuple.proto)).bind(flow.ja4).bind(flow.stands_for);
    return put.bind_blob(accounts).bind_blob(as_text(flow.frame)).run();
}

Status FlowFiles::set_accounts(const FlowAccounts& accounts) {
    const std::string tags = joined(accounts.accounts);
    const auto put = [&](Connection& in) {
        Statement set = in.prepare("UPDATE flow SET accounts=? WHERE counter=? AND epoch=? AND dataplane=?");
        set.bind_blob(tags).bind(accounts.id.counter).bind(accounts.id.epoch);
        return set.bind(std::uint32_t{accounts.id.dataplane}).run();
    };
    Status status = put(writer_);
    if (!status.ok() || writer_.changes() > 0) return status;
    const auto all = hours();
    const auto here = std::find(all.begin(), all.end(), current_);
    if (here == all.begin()) return {};
    auto before = Connection::open(path_of(*std::prev(here)), true);
    return before ? put(*before) : Status();
}

Status FlowFiles::write(const std::vector<FlowRow>& flows, const std::vector<FlowAccounts>& accounts, Nanos at) {
    const std::uint32_t hour = hour_of(at);
    Status status = turn_to(hour);
    if (!status.ok()) return status;
    Connection before;
    if (recheck_ != 0 && recheck_ != hour) {
        auto opened = Connection::open(path_of(recheck_), false);
        if (opened) before = std::move(*opened);
    }
    Transaction transaction(writer_);
    if (!transaction.status().ok()) return transaction.status();
    for (const FlowRow& flow : flows) {
        if (before.is_open()) {
            Statement had = before.prepare("SELECT 1 FROM flow WHERE counter=? AND epoch=? AND dataplane=?");
            had.bind(flow.id.counter).bind(flow.id.epoch).bind(std::uint32_t{flow.id.dataplane});
            if (had.step()) continue;
        }
        status = insert(flow);
        if (!status.ok()) return status;
    }
    for (const FlowAccounts& each : accounts) {
        status = set_accounts(each);
        if (!status.ok()) return status;
    }
    status = transaction.commit();
    if (status.ok()) recheck_ = 0;
    return status;
}

Result<std::vector<FlowRow>> FlowFiles::read(const FlowQuery& query) const {
    std::vector<FlowRow> out;
    std::vector<std::uint32_t> order = hours();
    const bool following = query.after_row != 0;
    if (following) {
        std::erase_if(order, [&](std::uint32_t hour) { return hour < query.after_row >> 32; });
    } else {
        std::reverse(order.begin(), order.end());
    }
    std::size_t looked_at = 0;
    for (const std::uint32_t hour : order) {
        auto connection = Connection::open(path_of(hour), false);
        if (!connection) continue;  // dropped meanwhile
        Statement rows = connection->prepare(query.id ? kById : following ? kFollowing : kNewest);
        if (query.id) {
            rows.bind(query.id->counter).bind(query.id->epoch).bind(std::uint32_t{query.id->dataplane});
        } else if (following) {
            rows.bind(hour == query.after_row >> 32 ? query.after_row & 0xffffffff : 0);
        }
        while (out.size() < query.limit && looked_at < kScanMax && rows.step()) {
            ++looked_at;
            FlowRow row = row_of(rows, hour);
            if (fits(row, query)) out.push_back(std::move(row));
        }
        if (rows.status().code() == Code::corrupt) return rows.status();
        if (out.size() >= query.limit || looked_at >= kScanMax) break;
    }
    return out;
}

Result<std::uint64_t> FlowFiles::forget(const model::AccountTag& tag) {
    std::uint64_t count = 0;
    const std::string_view mine = as_text(ByteView(tag.bytes.data(), tag.bytes.size()));
    for (const std::uint32_t hour : hours()) {
        auto connection = Connection::open(path_of(hour), true);
        if (!connection) return connection.error();
        // Its flows go whole: an address and a time beside other flows would still point at it.
        Statement gone = connection->prepare("DELETE FROM flow WHERE instr(accounts, ?) > 0");
        gone.bind_blob(mine);
        const Status status = gone.run();
        if (!status.ok()) return status;
        count += connection->changes();
    }
    return count;
}

void FlowFiles::drop(std::uint32_t hour) {
    if (hour == current_) writer_ = Connection();
    for (const char* end : {"", "-wal", "-shm"})
        static_cast<void>(::unlink((path_of(hour) + end).c_str()));
    const std::lock_guard lock(mutex_);
    std::erase(hours_, hour);
}

std::size_t FlowFiles::drop_before(Nanos oldest) {
    std::size_t count = 0;
    for (const std::uint32_t hour : hours()) {
        if (hour >= hour_of(oldest)) continue;
        drop(hour);
        ++count;
    }
    return count;
}

bool FlowFiles::drop_oldest() {
    const auto all = hours();
    if (all.empty() || (all.front() == current_ && writer_.is_open())) return false;
    drop(all.front());
    return true;
}

std::uint64_t FlowFiles::bytes() const {
    std::uint64_t sum = 0;
    for (const std::uint32_t hour : hours()) {
        for (const char* end : {"", "-wal"}) {
            std::error_code none;
            const auto size = fs::file_size(path_of(hour) + end, none);
            if (!none) sum += size;
        }
    }
    return sum;
}

std::size_t FlowFiles::files() const { return hours().size(); }

}  // namespace seine::store
