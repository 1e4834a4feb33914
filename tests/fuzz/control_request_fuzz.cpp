// Any bytes as a request to control and as a failure from it; what is read is written back alike.
#include <cstdlib>

#include "control/command/request.h"
#include "dataplane/base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace seine;
    const std::string_view text = as_text(ByteView(data, size));
    const auto request = command::read_request(text);
    if (request.has_value()) {
        const std::string again = command::to_json(*request);
        const auto second = command::read_request(again);
        if (!second.has_value() || command::to_json(*second) != again) std::abort();
    }
    const Status status = command::decode_failure(text);
    if (status.ok() || command::encode_failure(status).find('\n') != std::string::npos) std::abort();
    return 0;
}
