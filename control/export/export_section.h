// The configuration section [[export]]: one table a destination.
#pragma once
#include <vector>

#include "control/config/section.h"
#include "control/export/exporter.h"

namespace seine::siem {

// Of one checked table. A secret is read from its file here; failing that is an error.
Result<DestinationSettings> destination_settings(const config::Node& table);

class ExportSection final : public config::Section {
  public:
    // Without an exporter it checks and describes, and cannot prepare.
    explicit ExportSection(Exporter* exporter) : exporter_(exporter) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "export"; }
    [[nodiscard]] std::string_view meaning() const noexcept override {
        return "One destination that events are sent to.";
    }
    [[nodiscard]] bool is_list() const noexcept override { return true; }
    [[nodiscard]] std::span<const config::Setting> settings() const noexcept override;
    void check(const config::Node& table, const std::string& path,
               std::vector<config::Fault>& faults) const override;
    Result<std::unique_ptr<config::Change>> prepare(const config::Node& wanted) override;
    // A destination whose files are missing begins all the same: it is down, says why, and events
    // wait for it.
    Result<std::unique_ptr<config::Change>> prepare_at_start(const config::Node& wanted) override;

  private:
    Result<std::unique_ptr<config::Change>> prepare_all(const config::Node& wanted, bool at_start);
    Exporter* exporter_;
};

}  // namespace seine::siem
