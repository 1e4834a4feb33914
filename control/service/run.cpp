// The wiring: which part hands what to whom.
#include "control/service/run.h"

#include <chrono>
#include <poll.h>

#include "control/service/answers.h"
#include "control/service/log.h"
#include "control/service/parts.h"

namespace seine::service {
namespace {

Nanos wall_clock() {
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
}

}  // namespace

Status run(const Config& config, Signals& signals) {
    Status status = open_log(config.log_file, config.log_level);
    if (!status.ok()) return status;
    Parts parts;
    parts.config = config;
    parts.now = wall_clock;
    parts.started = wall_clock();
    Answers answers;
    add_all(answers, parts);
    command::ServerConfig server_config;
    server_config.path = config.socket;
    server_config.reader_group = config.reader_group;
    server_config.operator_group = config.operator_group;
    server_config.threads = static_cast<unsigned>(config.answer_threads);
    auto server = command::Server::start(
        server_config, [&answers](const command::Request& request) { return answers.answer(request); });
    if (!server) return server.error();
    parts.questions = &(*server)->counters();
    log(Level::info, "started; answers at " + config.socket);
    while (!signals.end) {
        static_cast<void>(::poll(nullptr, 0, 200));  // a signal ends the wait early
        if (signals.hang_up.exchange(false)) {
            const Status opened = reopen_log();
            log(opened.ok() ? Level::info : Level::error, opened.ok() ? "log opened again" : opened.message());
        }
    }
    log(Level::info, "ending");
    return {};
}

}  // namespace seine::service
