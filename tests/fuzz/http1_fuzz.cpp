// Any bytes as HTTP/1: heads, recognisers, and a connection whose events do not depend on the
// split.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "dataplane/http/http1_connection.h"

namespace {

using namespace seine;
using namespace seine::http;

void require(bool holds) {
    if (!holds) std::abort();
}
bool within(std::string_view part, ByteView whole) {
    const std::string_view text = as_text(whole);
    return part.empty() ||
           (part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size());
}

struct Heads {
    std::vector<std::uint64_t> seen;  // one mark per event
    std::size_t consumed = 0;
};

// The direction read until it ends or waits, its front growing by `piece` bytes.
template <typename Message, typename Feed>
Heads run(ByteView stream, std::size_t piece, Feed&& feed) {
    Heads heads;
    const auto message = std::make_unique<Message>();
    for (std::size_t end = 0; end < stream.size();) {
        end = std::min(stream.size(), end + piece);
        while (true) {
            const ByteView front = stream.subspan(heads.consumed, end - heads.consumed);
            const auto step = feed(front, *message);
            require(step.consume <= front.size());
            require(step.parse != Parse::ok || step.consume > 0 ||
                    step.event != Http1Connection::Event::none);
            heads.consumed += step.consume;
            if (step.event != Http1Connection::Event::none) {
                heads.seen.push_back((heads.consumed << 8) |
                                     static_cast<std::uint64_t>(step.event));
                if (step.event == Http1Connection::Event::tunnel ||
                    step.event == Http1Connection::Event::h2_starts)
                    return heads;
            }
            if (step.parse == Parse::need_more) break;
            if (step.parse != Parse::ok) return heads;
        }
    }
    return heads;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::size_t piece = 1 + data[0] % 31;
    const ByteView bytes(data + 1, size - 1);

    const auto request = std::make_unique<Request>();
    const Parse parse = parse_request(bytes, *request);
    if (parse == Parse::ok) {
        require(request->head_bytes <= bytes.size() && within(request->method, bytes) &&
                within(request->target, bytes));
        for (const HeaderField& field : request->headers)
            require(within(field.name, bytes) && within(field.value, bytes));
        require(within(host_of(*request), bytes));
        require(path_of(*request).find('?') == std::string_view::npos);
    }
    const auto response = std::make_unique<Response>();
    if (parse_response(bytes, *response) == Parse::ok) {
        require(response->head_bytes <= bytes.size());
        static_cast<void>(body_of_response(*response, RequestKind::head));
    }

    const auto client = [](Http1Connection& connection) {
        return [&](ByteView front, Request& out) { return connection.feed_client(front, out); };
    };
    const auto server = [](Http1Connection& connection) {
        return [&](ByteView front, Response& out) { return connection.feed_server(front, out); };
    };
    Http1Connection a, b, c, d;
    require(run<Request>(bytes, bytes.size() + 1, client(a)).seen ==
            run<Request>(bytes, piece, client(b)).seen);
    require(run<Response>(bytes, bytes.size() + 1, server(c)).seen ==
            run<Response>(bytes, piece, server(d)).seen);
    return 0;
}
