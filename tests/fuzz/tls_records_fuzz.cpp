// One direction of a TLS stream, fed whole and in pieces: both must tell the same story.
//
//   byte 0    how long the pieces are: 1 + (byte modulo 64)
//   the rest  the stream
#include <cstdlib>
#include <vector>

#include "dataplane/tls/record_layer.h"

namespace {

using namespace seine;

void require(bool holds) {
    if (!holds) std::abort();
}

struct Told {
    std::vector<std::uint8_t> text;  // every event, put behind each other
    Parse last = Parse::need_more;
};

void tell(const tls::RecordEvent& event, std::vector<std::uint8_t>& text) {
    text.push_back(static_cast<std::uint8_t>(event.kind));
    text.push_back(event.type);
    text.push_back(event.alert_level);
    text.push_back(event.alert_description);
    text.push_back(static_cast<std::uint8_t>(event.record_version & 0xff));
    text.push_back(static_cast<std::uint8_t>(event.record_bytes & 0xff));
    text.insert(text.end(), event.body.begin(), event.body.end());
}

Told walk(ByteView stream, std::size_t step) {
    static std::vector<std::uint8_t> scratch(tls::kHandshakeBytesMax);
    tls::RecordReader reader;
    Told told;
    std::size_t start = 0;
    for (std::size_t end = 0; end < stream.size() && told.last == Parse::need_more;) {
        end = std::min(stream.size(), end + step);
        do {
            // Memory of exact size for each call, so that a read past the held bytes is seen.
            const std::vector<std::uint8_t> held(stream.begin() + static_cast<std::ptrdiff_t>(start),
                                                 stream.begin() + static_cast<std::ptrdiff_t>(end));
            tls::RecordEvent event;
            std::size_t used = 0;
            told.last = reader.next(held, scratch, used, event);
            require(used <= held.size());
            if (told.last == Parse::ok) tell(event, told.text);
            start += used;
        } while (told.last == Parse::ok);
    }
    return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2 || size > 4096) return 0;
    const ByteView stream(data + 1, size - 1);
    const Told whole = walk(stream, stream.size());
    const Told pieces = walk(stream, 1 + data[0] % 64u);
    require(whole.text == pieces.text);
    require(whole.last == pieces.last);
    require(whole.last != Parse::not_this && whole.last != Parse::ok);

    // An opening once refused or taken stays so, whatever follows.
    Parse before = Parse::need_more;
    for (std::size_t count = 0; count <= stream.size() && count < 80; ++count) {
        tls::Opening opening{};
        const std::vector<std::uint8_t> exact(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(count));
        const Parse now = tls::looks_like_tls(exact, opening);
        require(before == Parse::need_more || now == before);
        require((now == Parse::ok) ==
                (opening == tls::Opening::client_hello || opening == tls::Opening::server_hello ||
                 opening == tls::Opening::alert));
        before = now;
    }
    return 0;
}
