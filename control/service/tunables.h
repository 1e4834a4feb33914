// What operators tune while control runs: revisions, their sections, the exporter and the audit
// log.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "control/config/audit.h"
#include "control/config/revisions.h"
#include "control/export/exporter.h"

namespace seine::service {

class Tunables {
  public:
    struct Options {
        std::string state_folder;
        std::string sensor = "seine";
        std::vector<config::Section*> sections;  // of other parts; they outlive this
    };
    // Opens audit log and outboxes below the state folder and applies the running revision.
    static Result<std::unique_ptr<Tunables>> open(const Options& options, Nanos now);
    ~Tunables();
    Tunables(const Tunables&) = delete;
    Tunables& operator=(const Tunables&) = delete;

    // Every second: takes back a commit that nobody confirmed, and logs it.
    void tick(Nanos now);
    // SIGHUP: certificates, keys and files of destinations anew.
    void reopen() { exporter_->reopen(); }
    // Any thread; see there.
    [[nodiscard]] siem::Exporter& exporter() noexcept { return *exporter_; }
    [[nodiscard]] config::Revisions& revisions() noexcept { return *revisions_; }
    [[nodiscard]] config::Audit& audit() noexcept { return *audit_; }
    [[nodiscard]] const std::vector<config::Section*>& sections() const noexcept {
        return sections_;
    }

  private:
    Tunables() = default;
    std::unique_ptr<config::Audit> audit_;
    std::unique_ptr<siem::Exporter> exporter_;
    std::unique_ptr<config::Section> export_section_;
    std::vector<config::Section*> sections_;
    std::unique_ptr<config::Revisions> revisions_;
    void log_left_out();
    std::string rollback_fault_;  // as it was logged
    std::string left_out_;        // likewise
};

// One line of what Revisions::left_out() tells.
std::string not_in_effect(const config::Fault& fault);

}  // namespace seine::service
