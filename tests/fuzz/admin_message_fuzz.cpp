// Any bytes as an admin packet, as a reload request, and as the document that seinectl shows.
#include <cstdlib>
#include <vector>

#include "control/cli/dataplane_view.h"
#include "dataplane/contract/admin.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace seine;
    const ByteView bytes(data, size);
    contract::AdminMessage message;
    if (contract::decode_admin(bytes, message) == Parse::ok) {
        std::vector<std::uint8_t> again(size);
        if (contract::encode_admin(again, message) != size) std::abort();
        if (as_text(again) != as_text(bytes)) std::abort();
        contract::ReloadRequest reload;
        if (contract::decode_reload(message.body, reload) == Parse::ok) {
            std::vector<std::uint8_t> body(message.body.size());
            if (contract::encode_reload(body, reload) != body.size()) std::abort();
        }
    }
    const auto document = command::JsonValue::parse(as_text(bytes));
    if (document.has_value()) {
        for (const char c : cli::dataplane_screen(*document)) {
            // Nothing of a document may command the terminal.
            if (static_cast<unsigned char>(c) < 0x20 && c != '\n') std::abort();
        }
    }
    return 0;
}
