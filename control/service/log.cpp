// spdlog with one sink.
#include "control/service/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace seine::service {
namespace {

struct Log {
    std::string path;
    spdlog::level::level_enum level = spdlog::level::info;
};
Log& state() {
    static Log log;
    return log;
}

spdlog::level::level_enum level_of(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warning:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

}  // namespace

Status open_log(const std::string& path, const std::string& level) {
    state().path = path;
    state().level = spdlog::level::from_str(level);
    return reopen_log();
}

Status reopen_log() {
    try {
        std::shared_ptr<spdlog::logger> logger;
        if (state().path.empty()) {
            logger = std::make_shared<spdlog::logger>("control", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        } else {
            logger = std::make_shared<spdlog::logger>(
                "control", std::make_shared<spdlog::sinks::basic_file_sink_mt>(state().path));
        }
        logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
        logger->set_level(state().level);
        logger->flush_on(spdlog::level::info);
        spdlog::set_default_logger(std::move(logger));
    } catch (const spdlog::spdlog_ex& error) {
        return failed(state().path + ": the log cannot be opened (" + error.what() +
                      "); name another with log-file");
    }
    return {};
}

// Held for the line: another thread may open the log anew meanwhile.
void log(Level level, const std::string& line) { spdlog::default_logger()->log(level_of(level), line); }

}  // namespace seine::service
