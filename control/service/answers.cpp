// The registry, and the list of nouns that are built.
#include "control/service/answers.h"

#include <exception>

#include "control/service/parts.h"
#include "dataplane/base/assert.h"

namespace seine::service {

void add_all(Answers& answers, Parts& parts) {
    add_status_answers(answers, parts);
    add_flow_answers(answers, parts);
    add_account_answers(answers, parts);
    add_account_source_answers(answers, parts);
    add_fingerprint_answers(answers, parts);
    add_alert_answers(answers, parts);
    add_signature_answers(answers, parts);
    add_export_answers(answers, parts);
    add_config_answers(answers, parts);
    add_audit_answers(answers, parts);
    add_doctor_answers(answers, parts);
    if (parts.farms != nullptr) add_farm_answers(answers, parts);
    if (parts.farms != nullptr) add_farm_view_answers(answers, parts);
}

void Answers::add(const std::string& noun, const std::string& verb, command::Role needed, Handler handler) {
    const bool fresh = entries_.emplace(std::pair(noun, verb), Entry{needed, std::move(handler)}).second;
    SEINE_CHECK(fresh);
}

Result<std::string> Answers::answer(const command::Request& request) const {
    const auto found = entries_.find({request.noun, request.verb});
    if (found == entries_.end()) {
        return Status(Code::usage, request.noun + " " + request.verb +
                                       ": not known to this seine-control; are seinectl and it of one release?");
    }
    if (found->second.needed == command::Role::operating && request.peer.role != command::Role::operating) {
        return failed(request.noun + " " + request.verb +
                      ": changes something, and you may only ask; become a member of the operator group");
    }
    const bool witnessed = witness_ && found->second.needed == command::Role::operating;
    if (witnessed) {
        const Status written = witness_(request, {});
        if (!written.ok()) return written;
    }
    try {
        auto answer = found->second.handler(request);
        if (witnessed && !answer) static_cast<void>(witness_(request, answer.error().message()));
        return answer;
    } catch (const std::exception& error) {
        return failed(request.noun + " " + request.verb + ": " + error.what() +
                      "; this is a mistake of ours, please report it");
    }
}

}  // namespace seine::service
