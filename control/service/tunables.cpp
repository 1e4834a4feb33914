// Order matters: sections are made before revisions apply to them, and go after.
#include "control/service/tunables.h"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>

#include "control/export/export_section.h"
#include "control/service/log.h"

namespace seine::service {

Result<std::unique_ptr<Tunables>> Tunables::open(const Options& options, Nanos now) {
    std::unique_ptr<Tunables> made(new Tunables);
    if (::mkdir(options.state_folder.c_str(), 0700) != 0 && errno != EEXIST)
        return failed(options.state_folder + ": cannot be made: " + std::strerror(errno));
    auto audit = config::Audit::open(options.state_folder + "/audit.jsonl");
    if (!audit) return audit.error();
    made->audit_ = std::move(*audit);
    auto exporter = siem::Exporter::open({options.state_folder + "/export", options.sensor});
    if (!exporter) return exporter.error();
    made->exporter_ = std::move(*exporter);
    made->export_section_ = std::make_unique<siem::ExportSection>(made->exporter_.get());
    made->sections_ = options.sections;
    made->sections_.push_back(made->export_section_.get());
    auto revisions =
        config::Revisions::open(options.state_folder + "/config", made->sections_, now);
    if (!revisions) return revisions.error();
    made->revisions_ = std::move(*revisions);
    made->log_left_out();
    return made;
}

Tunables::~Tunables() = default;

void Tunables::tick(Nanos now) {
    const auto number = revisions_->tick(now);
    if (const std::string fault = revisions_->rollback_fault(); fault != rollback_fault_) {
        rollback_fault_ = fault;
        if (!fault.empty()) log(Level::error, fault);
    }
    log_left_out();
    if (!number) return;
    const std::string line = "a commit was not confirmed in time and is taken back, as revision " +
                             std::to_string(*number);
    log(Level::warning, line);
    const Status status = audit_->append(now, "seine", "config rollback", line);
    if (!status.ok()) log(Level::error, status.message());
}

void Tunables::log_left_out() {
    std::string now;
    for (const config::Fault& fault : revisions_->left_out()) now += not_in_effect(fault) + "\n";
    if (now == left_out_) return;
    for (const config::Fault& fault : revisions_->left_out())
        log(Level::error, "configuration: " + not_in_effect(fault));
    if (now.empty()) log(Level::info, "configuration: all of the running revision is in effect");
    left_out_ = now;
}

std::string not_in_effect(const config::Fault& fault) {
    return fault.path + " is not in effect: " + fault.message;
}

}  // namespace seine::service
