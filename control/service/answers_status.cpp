// `status`: everything at a glance, from counters alone.
#include <unistd.h>

#include "control/command/json_builder.h"
#include "control/service/answers.h"
#include "control/service/parts.h"

namespace seine::service {

void add_status_answers(Answers& answers, Parts& parts) {
    answers.add("status", "show", command::Role::reader, [&parts](const command::Request&) -> Result<std::string> {
        command::JsonBuilder json;
        json.object()
            .field("program", "seine-control")
            .field("version", SEINE_VERSION)
            .field("state", "running")
            .field("pid", static_cast<std::uint64_t>(::getpid()))
            .field("started_ns", parts.started.count)
            .field("uptime_ns", parts.now() - parts.started);
        json.key("questions")
            .object()
            .field("asked", parts.questions->requests.load())
            .field("failed", parts.questions->failures.load())
            .field("refused_peers", parts.questions->refused_peers.load())
            .field("bad_packets", parts.questions->bad_packets.load())
            .end();
        json.end();
        return json.take();
    });
}

}  // namespace seine::service
