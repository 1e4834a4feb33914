#include "control/service/guarded_thread.h"

#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

#include "control/service/log.h"

namespace seine::service {
namespace {

[[noreturn]] void end_with(const char* what, const char* why) noexcept {
    try {
        log(Level::error, std::string("the thread that ") + what + " failed (" + why +
                              "); seine-control ends. What rings and logs hold is read again at the next start");
    } catch (...) {  // NOLINT: without memory for the line it ends all the same
    }
    std::_Exit(1);
}

}  // namespace

std::thread guarded_thread(const char* what, std::function<void()> work) {
    return std::thread([what, work = std::move(work)] {
        try {
            work();
        } catch (const std::exception& error) {
            end_with(what, error.what());
        } catch (...) {
            end_with(what, "for no reason that it names");
        }
    });
}

}  // namespace seine::service
