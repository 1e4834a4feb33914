// Any bytes as what comes before TLS: bounded, steps move on, and the tunnel begins where it begins
// whatever the split.
#include <algorithm>
#include <cstdlib>

#include "dataplane/preface/preface.h"

namespace {

using namespace seine;
using namespace seine::preface;

void require(bool holds) {
    if (!holds) std::abort();
}

struct End {
    Parse parse = Parse::need_more;
    bool tunnel = false;
    std::size_t consumed = 0;
};

End run(Preface& machine, bool client, ByteView stream, std::size_t piece) {
    End end;
    ProxyHeader header;
    for (std::size_t at = 0; at < stream.size();) {
        at = std::min(stream.size(), at + piece);
        while (true) {
            const ByteView front = stream.subspan(end.consumed, at - end.consumed);
            const auto step =
                client ? machine.feed_client(front, header) : machine.feed_server(front);
            require(step.consume <= front.size());
            require(step.parse != Parse::ok || step.tunnel || step.consume > 0);
            end.consumed += step.consume;
            end.parse = step.parse;
            end.tunnel = step.tunnel;
            if (step.tunnel) return end;
            if (step.parse == Parse::need_more) break;
            if (step.parse != Parse::ok) return end;
        }
    }
    return end;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t piece = 1 + data[0] % 17;
    const ByteView bytes(data + 2, size - 2);
    const std::size_t cut = bytes.size() * data[1] / 255;
    Preface whole, split;
    const End client = run(whole, true, bytes.first(cut), size);
    const End client_split = run(split, true, bytes.first(cut), piece);
    require(client.tunnel == client_split.tunnel);
    require(!client.tunnel || client.consumed == client_split.consumed);
    const End server = run(whole, false, bytes.subspan(cut), size);
    const End server_split = run(split, false, bytes.subspan(cut), piece);
    require(server.tunnel == server_split.tunnel);
    require(!server.tunnel || server.consumed == server_split.consumed);
    return 0;
}
