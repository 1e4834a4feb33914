// What an audit line says of a request.
#include "control/service/witness.h"

#include <unistd.h>

#include "control/service/author.h"

namespace seine::service {

Answers::Witness audit_witness(config::Audit& audit, std::function<Nanos()> now) {
    return [&audit, now = std::move(now)](const command::Request& request,
                                          const std::string& failure) {
        // Parts of a file that is being sent are one act: its last.
        if (request.arguments.has("more")) return Status();
        std::string detail;
        for (const auto& [name, values] : request.arguments.all()) {
            // Values that were learned are many; and what is forgotten is not named again.
            if (name == "text" || name == "part" || name == "value") continue;
            if (name == "account" && request.verb == "forget") continue;
            if (!detail.empty()) detail.push_back(' ');
            detail += name;
            for (const std::string& value : values) detail.append("=").append(value.substr(0, 256));
        }
        if (!failure.empty())
            detail.append(detail.empty() ? "" : " ").append("failed: ").append(failure);
        return audit.append(now(), author_of(request.peer), request.noun + " " + request.verb,
                            detail);
    };
}

std::string host_name() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 && name[0] != 0 ? name : "seine";
}

}  // namespace seine::service
