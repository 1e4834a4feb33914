// The configuration section [[account_source]]: one table a source of accounts.
#pragma once
#include "control/account/source_config.h"
#include "control/config/section.h"

namespace seine::service {

class AccountPart;

// Of one table whose types are checked.
Result<account::SourceConfig> account_source(const config::Node& table);

class AccountSourceSection final : public config::Section {
  public:
    // Without a part it checks and describes, and cannot prepare.
    explicit AccountSourceSection(AccountPart* part) : part_(part) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "account_source"; }
    [[nodiscard]] std::string_view meaning() const noexcept override {
        return "One place that says whose requests they were: a gateway's log, its syslog, or its records.";
    }
    [[nodiscard]] bool is_list() const noexcept override { return true; }
    [[nodiscard]] std::span<const config::Setting> settings() const noexcept override;
    void check(const config::Node& table, const std::string& path,
               std::vector<config::Fault>& faults) const override;
    Result<std::unique_ptr<config::Change>> prepare(const config::Node& wanted) override;

  private:
    AccountPart* part_;
};

}  // namespace seine::service
