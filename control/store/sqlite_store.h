// The embedded backend: one database for everything that is counted or found, flow files beside it.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/store/flow_files.h"
#include "control/store/sqlite.h"
#include "control/store/store.h"

namespace seine::store {

// Connections for reading, lent one a question.
class Readers {
  public:
    class Lent {
      public:
        Lent(Readers& of, std::unique_ptr<Connection> connection) : of_(of), connection_(std::move(connection)) {}
        ~Lent();
        Lent(Lent&&) = default;
        Connection& operator*() const { return *connection_; }
        Connection* operator->() const { return connection_.get(); }

      private:
        Readers& of_;
        std::unique_ptr<Connection> connection_;
    };
    void set_path(std::string path) { path_ = std::move(path); }
    Result<std::unique_ptr<Lent>> lend();

  private:
    std::string path_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Connection>> idle_;
};

class SqliteStore final : public Store {
  public:
    explicit SqliteStore(const Keeping& keeping);
    ~SqliteStore() override;
    Status open();

    Status write(const Batch& batch) override;
    Result<std::vector<FlowRow>> flows(const FlowQuery& query) const override;
    Result<std::vector<AccountRow>> accounts(const AccountQuery& query) const override;
    Result<AccountRow> account(const model::AccountTag& tag) const override;
    Result<std::vector<AccountValueRow>> account_values(const model::AccountTag& tag) const override;
    Result<ValueRow> value(std::uint16_t field, model::ValueId value, std::uint32_t first_day,
                           std::uint32_t last_day) const override;
    Result<std::vector<ValueRow>> values(const ValueQuery& query) const override;
    Status each_value(std::uint16_t field, std::uint32_t first_day, std::uint32_t last_day,
                      const std::function<bool(const ValueRow&)>& each) const override;
    Result<DayTotals> totals(std::uint32_t first_day, std::uint32_t last_day) const override;
    Result<std::vector<MinuteRow>> minutes(Nanos from, Nanos to) const override;
    Result<std::string> text(model::ValueId id) const override;
    Result<std::vector<Text>> texts(std::uint16_t field, std::string_view beginning, std::size_t limit) const override;

    Result<std::uint64_t> add_finding(const Finding& finding) override;
    Result<std::vector<Finding>> findings(const FindingQuery& query) const override;
    Result<Finding> finding(std::uint64_t number) const override;

    Status keep(const Document& document) override;
    Result<std::string> kept(std::string_view room, std::string_view key) const override;
    Result<std::vector<Document>> kept_all(std::string_view room) const override;

    Result<std::uint64_t> add_revision(const Revision& revision) override;
    Result<std::vector<Revision>> revisions(std::size_t limit) const override;
    Result<Revision> revision(std::uint64_t number) const override;

    Result<std::uint64_t> forget(const model::AccountTag& tag) override;
    Status sweep(Nanos now) override;
    Health health() const override;

  private:
    Status take_folder();
    Result<std::uint64_t> forget_tag(const model::AccountTag& tag);
    // Runs `work` in a transaction; on a full disk makes room once and tries again.
    Status change(const std::function<Status()>& work);
    bool make_room();
    void keep_reserve();
    bool write_flows(const Batch& batch);
    Status write_counts(const Batch& batch);
    Status write_value(const ValueUse& use, std::uint32_t day);
    Status write_account(const AccountUse& use, Nanos at);
    Status write_rename(const Rename& rename, Nanos at);
    static constexpr unsigned kRenameStepsMax = 8;
    Status read_renames();
    [[nodiscard]] const model::AccountTag& name_now(const model::AccountTag& tag) const;
    Status write_day(const Batch& batch, std::uint32_t day);
    Status write_minute(const MinuteRow& minute);
    Status write_finding(const Finding& finding);
    Status keep_one(const Document& document);
    Status sweep_accounts(std::int64_t oldest);
    [[nodiscard]] std::uint64_t free_bytes() const;

    Keeping keeping_;
    int folder_lock_ = -1;
    std::mutex write_mutex_;
    Connection writer_;
    mutable Readers readers_;
    FlowFiles flow_files_;
    Nanos now_;  // of the last batch or sweep
    std::string sweep_at_;  // tag of the account that the last sweep ended with
    std::map<std::pair<std::uint32_t, std::uint16_t>, std::uint64_t> value_counts_;
    std::unordered_map<model::AccountTag, model::AccountTag> renamed_;  // of the writer

    mutable std::mutex health_mutex_;
    Health health_;
};

}  // namespace seine::store
