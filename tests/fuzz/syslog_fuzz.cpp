// Any bytes as syslog: one datagram, and a TCP stream whose frames do not depend on how it is cut.
#include <cstdlib>
#include <string>
#include <vector>

#include "control/account/syslog.h"

namespace {

using namespace seine;
using namespace seine::account;

void require(bool holds) {
    if (!holds) std::abort();
}

bool run(std::string_view stream, std::size_t piece, std::vector<std::string>& frames) {
    SyslogFrames framing;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
        if (!framing.feed(stream.substr(at, piece),
                          [&frames](std::string_view frame) { frames.emplace_back(frame); })) {
            return false;
        }
    }
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::string_view text = as_text({data + 1, size - 1});
    std::string_view message;
    if (syslog_message(text, message) == Parse::ok && !message.empty()) {
        require(message.data() >= text.data() &&
                message.data() + message.size() <= text.data() + text.size());
    }
    std::vector<std::string> whole;
    std::vector<std::string> cut;
    const bool sound = run(text, text.size() + 1, whole);
    require(run(text, 1 + data[0] % 31, cut) == sound);
    require(!sound || whole == cut);
    for (const std::string& frame : whole) require(frame.size() <= SyslogFrames::kFrameBytesMax);
    return 0;
}
