// Any bytes as clear HTTP/2 in both directions; the events do not depend on the split, all memory
// comes back.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "dataplane/http/h2_connection.h"

namespace {

using namespace seine;
using namespace seine::http;

void require(bool holds) {
    if (!holds) std::abort();
}

using Marks = std::vector<std::uint64_t>;

template <typename Message, typename Feed>
Marks run(ByteView stream, std::size_t piece, Feed&& feed) {
    Marks seen;
    std::size_t consumed = 0;
    const auto message = std::make_unique<Message>();
    for (std::size_t end = 0; end < stream.size();) {
        end = std::min(stream.size(), end + piece);
        while (true) {
            const ByteView front = stream.subspan(consumed, end - consumed);
            const H2Connection::Step step = feed(front, *message);
            require(step.consume <= front.size());
            require(step.parse != Parse::ok || step.consume > 0);
            consumed += step.consume;
            if (step.event != H2Connection::Event::none) {
                seen.push_back((consumed << 8) | static_cast<std::uint64_t>(step.event));
                seen.push_back(message->headers.size());
                for (const HeaderField& field : message->headers)
                    require(field.name.size() + field.value.size() < 70000);
            }
            if (step.parse == Parse::need_more) break;
            if (step.parse != Parse::ok) return seen;
        }
    }
    return seen;
}

// Client and server bytes on one connection: the first byte says how they are dealt.
struct Both {
    Marks client;
    Marks server;
};
Both talk(ByteView client, ByteView server, std::size_t piece) {
    static H2Pool pool({1, std::size_t{1} << 20, std::size_t{256} << 10});
    H2Connection* connection = pool.acquire();
    Both both;
    both.client = run<Request>(client, piece, [&](ByteView front, Request& out) {
        return connection->feed_client(front, out);
    });
    both.server = run<Response>(server, piece, [&](ByteView front, Response& out) {
        return connection->feed_server(front, out);
    });
    pool.release(connection);
    require(pool.memory().used_bytes() == 0);
    return both;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t piece = 1 + data[0] % 61;
    const ByteView bytes(data + 2, size - 2);
    const std::size_t cut = bytes.size() * data[1] / 255;
    // The preface is given: it costs a fuzzer long to find.
    std::vector<std::uint8_t> client(kH2Preface.begin(), kH2Preface.end());
    client.insert(client.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut));
    std::vector<std::uint8_t> server{0, 0, 0, 4, 0, 0, 0, 0, 0};
    server.insert(server.end(), bytes.begin() + static_cast<std::ptrdiff_t>(cut), bytes.end());
    const Both whole = talk(client, server, client.size() + server.size());
    const Both split = talk(client, server, piece);
    require(whole.client == split.client && whole.server == split.server);
    return 0;
}
