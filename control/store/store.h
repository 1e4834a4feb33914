// What control keeps, whatever keeps it: the one interface that a backend implements.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/store/records.h"
#include "dataplane/base/status.h"

namespace seine::store {

// Threads: write(), sweep() and the setters of documents, revisions, findings and audit lines may
// be called from any thread (one at a time gets through); reads run beside them and see whole
// transactions only. Failures: Code::full when the disk is (nothing was changed, the same call may
// be tried again), Code::corrupt when the store is damaged, Code::not_found, else Code::failed.
class Store {
  public:
    virtual ~Store() = default;

    // --- What was seen ---------------------------------------------------------------------------
    // All of a batch, in one transaction, or nothing of it. Flows are apart: where they find no
    // room they are dropped and counted (health()), and the rest of the batch is kept.
    virtual Status write(const Batch& batch) = 0;

    virtual Result<std::vector<FlowRow>> flows(const FlowQuery& query) const = 0;
    virtual Result<std::vector<AccountRow>> accounts(const AccountQuery& query) const = 0;
    // Also by a tag that it had before (Batch::renames).
    virtual Result<AccountRow> account(const model::AccountTag& tag) const = 0;
    // What the account was seen with, most used first: its stacks, networks, sessions.
    virtual Result<std::vector<AccountValueRow>> account_values(const model::AccountTag& tag) const = 0;
    // A value of a field over the days from `first_day` to `last_day`, summed up.
    virtual Result<ValueRow> value(std::uint16_t field, model::ValueId value, std::uint32_t first_day,
                                   std::uint32_t last_day) const = 0;
    virtual Result<std::vector<ValueRow>> values(const ValueQuery& query) const = 0;
    // Calls `each` for every value of the days, a field at a time (all fields: 0), until it says
    // false. For `signature try`: it runs on these, never on flows.
    virtual Status each_value(std::uint16_t field, std::uint32_t first_day, std::uint32_t last_day,
                              const std::function<bool(const ValueRow&)>& each) const = 0;
    // How many different accounts, flows and the like a day had: what shares are of.
    virtual Result<DayTotals> totals(std::uint32_t first_day, std::uint32_t last_day) const = 0;
    virtual Result<std::vector<MinuteRow>> minutes(Nanos from, Nanos to) const = 0;
    // The text of an id; empty when it is not known.
    virtual Result<std::string> text(model::ValueId id) const = 0;
    // Ids of texts of a field that begin with `beginning`, at most `limit`, in order of the text.
    virtual Result<std::vector<Text>> texts(std::uint16_t field, std::string_view beginning,
                                            std::size_t limit) const = 0;

    // --- Findings --------------------------------------------------------------------------------
    // Gives the number: 1, 2, 3.. in one store's life. Kept for finding-days.
    virtual Result<std::uint64_t> add_finding(const Finding& finding) = 0;
    virtual Result<std::vector<Finding>> findings(const FindingQuery& query) const = 0;
    virtual Result<Finding> finding(std::uint64_t number) const = 0;

    // --- Documents: state of other rooms, small and whole (farms, outbox ends, log positions) -----
    // Bytes under a room's name and a key. An empty value removes it. Batch::documents does the
    // same inside the transaction of what was seen.
    virtual Status keep(const Document& document) = 0;
    virtual Result<std::string> kept(std::string_view room, std::string_view key) const = 0;  // empty: none
    virtual Result<std::vector<Document>> kept_all(std::string_view room) const = 0;  // in order of keys

    // --- Configuration revisions -----------------------------------------------------------------
    // Numbers 1, 2, 3..; a revision never changes once it is there.
    virtual Result<std::uint64_t> add_revision(const Revision& revision) = 0;
    virtual Result<std::vector<Revision>> revisions(std::size_t limit) const = 0;  // newest first, without documents
    virtual Result<Revision> revision(std::uint64_t number) const = 0;  // 0: the newest

    // --- Housekeeping ----------------------------------------------------------------------------
    // Everything of an account: rows, its place in lists, its flows. Gives how many rows went. The
    // caller writes the audit line.
    virtual Result<std::uint64_t> forget(const model::AccountTag& tag) = 0;
    // Drops what is past its time or its room. Called every few seconds; bounded work a call.
    virtual Status sweep(Nanos now) = 0;
    // Counters and sizes, from memory: cheap, never a query.
    virtual Health health() const = 0;
};

struct Keeping {
    std::string folder;
    std::uint64_t flow_hours = 24;
    std::uint64_t flow_bytes = 20'000'000'000;
    std::uint64_t connection_days = 7;
    std::uint64_t token_days = 28;
    std::uint64_t finding_days = 400;
    std::uint64_t free_bytes = 256'000'000;
};

// The embedded backend (SQLite), made at the first start. Refused with what to do: a store of a
// newer version, a damaged one, one that another process has.
Result<std::unique_ptr<Store>> open_sqlite(const Keeping& keeping);

}  // namespace seine::store
