// Any bytes as frame, title and rule value: every format gives one message that its reader accepts.
#include <cstdlib>

#include "control/export/render.h"
#include "tests/siem/readers.h"
#include "tests/siem/sample_events.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace seine;
    if (size < 2) return 0;
    const model::EventKind kind = tests::kEventKinds[data[0] % std::size(tests::kEventKinds)];
    model::Event event = tests::sample_event(kind);
    const std::string text(as_text(ByteView(data + 2, size - 2)));
    event.message = text;
    if ((data[1] & 1) != 0) event.title = text;
    if ((data[1] & 2) != 0) event.rule = {text, 1, text, text, text, text};
    if ((data[1] & 4) != 0) event.flow.assign(data + 2, data + size);
    if ((data[1] & 8) != 0) event.farm.reason = text;
    siem::RenderOptions options;
    if ((data[1] & 16) != 0) options.items.v4_bits = 24;
    if ((data[1] & 32) != 0) options.bytes_max = siem::kMessageBytesMin;
    for (const siem::Format* format : siem::formats()) {
        siem::Renderer renderer(*format, siem::Envelope::none, options);
        const std::string_view message = renderer.render(event);
        if (message.empty() || message.size() > options.bytes_max) std::abort();
        bool sound = true;
        if (format->is_json()) sound = tests::is_json(message);
        if (format->name() == "cef") sound = tests::read_cef(message).has_value();
        if (format->name() == "leef") sound = tests::read_leef(message).has_value();
        if (format->name() == "sd") sound = tests::read_structured_data(message).has_value();
        if (format->is_binary()) sound = load_be16(as_bytes(message).data() + 2) == message.size();
        if (!sound) std::abort();
    }
    return 0;
}
