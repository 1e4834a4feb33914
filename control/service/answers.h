// Which function answers which noun and verb of seinectl.
#pragma once
#include <functional>
#include <map>
#include <string>

#include "control/command/request.h"
#include "dataplane/base/status.h"

namespace seine::service {

struct Parts;

class Answers {
  public:
    // Called by several threads at once. One JSON document, or a failure whose line names the
    // argument and what to do.
    using Handler = std::function<Result<std::string>(const command::Request&)>;

    // Once per noun and verb. An operator's verb is refused to readers before it is called.
    void add(const std::string& noun, const std::string& verb, command::Role needed, Handler handler);
    [[nodiscard]] Result<std::string> answer(const command::Request& request) const;
    // Told of every operator's verb before it is done, and again with words where it failed. A failure
    // of the first refuses the verb: what cannot be written down is not done.
    using Witness = std::function<Status(const command::Request&, const std::string& failure)>;
    void watch(Witness witness) { witness_ = std::move(witness); }

  private:
    struct Entry {
        command::Role needed;
        Handler handler;
    };
    std::map<std::pair<std::string, std::string>, Entry> entries_;
    Witness witness_;
};

// Each noun in a file of its own, answers_NOUN.cpp; add_all() in answers.cpp calls them. `parts`
// outlives the answers.
void add_account_source_answers(Answers& answers, Parts& parts);
void add_status_answers(Answers& answers, Parts& parts);
void add_flow_answers(Answers& answers, Parts& parts);
void add_account_answers(Answers& answers, Parts& parts);
void add_fingerprint_answers(Answers& answers, Parts& parts);
void add_farm_answers(Answers& answers, Parts& parts);
void add_farm_view_answers(Answers& answers, Parts& parts);
void add_signature_answers(Answers& answers, Parts& parts);
void add_alert_answers(Answers& answers, Parts& parts);
void add_export_answers(Answers& answers, Parts& parts);
void add_config_answers(Answers& answers, Parts& parts);
void add_audit_answers(Answers& answers, Parts& parts);
void add_doctor_answers(Answers& answers, Parts& parts);
void add_all(Answers& answers, Parts& parts);

}  // namespace seine::service
