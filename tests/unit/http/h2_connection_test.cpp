// Clear HTTP/2: openings, heads in every framing, streams, bounds; nothing allocated once the pool
// is made.
#include "dataplane/http/h2_connection.h"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/http/h2_builder.h"

// Counts every allocation of the process, the library's included; the sanitizers bring their own
// malloc.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 1
static std::atomic<long> allocation_count{0};
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* malloc(std::size_t bytes) {
    ++allocation_count;
    return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
    ++allocation_count;
    return __libc_calloc(count, bytes);
}
void* realloc(void* block, std::size_t bytes) {
    ++allocation_count;
    return __libc_realloc(block, bytes);
}
}
#endif

namespace {

using namespace seine;
using namespace seine::http;
using namespace seine::http::test;
using Event = H2Connection::Event;
using Lines = std::vector<std::string>;

// A status that a test may drop: most only look at what was seen.
struct Said {
    Parse parse;
    operator Parse() const { return parse; }  // NOLINT
};

struct Talk {
    explicit Talk(H2Pool::Bounds bounds = {4, std::size_t{4} << 20, std::size_t{512} << 10})
        : pool(bounds), connection(pool.acquire()) {}
    ~Talk() { pool.release(connection); }

    Said say(std::string_view text, std::size_t piece = 1 << 20) {
        return {run(true, text, piece)};
    }
    Said answer(std::string_view text, std::size_t piece = 1 << 20) {
        return {run(false, text, piece)};
    }

    H2Pool pool;
    H2Connection* connection;
    Lines seen;
    std::string held[2];
    std::unique_ptr<Request> request = std::make_unique<Request>();
    std::unique_ptr<Response> response = std::make_unique<Response>();

  private:
    Parse run(bool client, std::string_view text, std::size_t piece) {
        std::string& front = held[client ? 0 : 1];
        Parse last = Parse::need_more;
        for (std::size_t at = 0; at < text.size(); at += piece) {
            front += text.substr(at, piece);
            do {
                const auto step = client ? connection->feed_client(as_bytes(front), *request)
                                         : connection->feed_server(as_bytes(front), *response);
                EXPECT_LE(step.consume, front.size());
                note(client, step);
                front.erase(0, step.consume);
                last = step.parse;
            } while (last == Parse::ok);
            if (last != Parse::need_more) return last;
        }
        return last;
    }
    void note(bool client, const H2Connection::Step& step) {
        const std::string stream =
            " " + std::to_string(client ? request->stream : response->stream);
        const std::string end = step.end_stream ? " end" : "";
        if (step.event == Event::request)
            seen.push_back("> " + std::string(request->target) + stream + " #" +
                           std::to_string(request->ordinal) + end +
                           (step.settles_opening ? " first" : ""));
        if (step.event == Event::response)
            seen.push_back("< " + std::to_string(response->status) + stream + " #" +
                           (response->ordinal == Response::kNoOrdinal
                                ? "?"
                                : std::to_string(response->ordinal)) +
                           end);
        if (step.event == Event::trailers)
            seen.push_back(std::string(client ? ">" : "<") + " trailers" + stream);
        if (step.event == Event::data)
            seen.push_back(std::string(client ? ">" : "<") + " data " +
                           std::to_string(step.data_bytes) + " on " + std::to_string(step.stream) +
                           end);
    }
};

const std::string kOpening =
    std::string(kH2Preface) +
    frame(H2Type::settings, 0, 0, setting(1, 65536) + setting(4, 131072) + setting(0x99, 7)) +
    frame(H2Type::window_update, 0, 0, be(12517377, 4)) +
    frame(H2Type::priority, 0, 3, be(0, 4) + "\xc8") +
    frame(H2Type::priority, 0, 5, be(0x80000003, 4) + "\x64");
const std::string kServerOpening = frame(H2Type::settings, 0, 0, setting(3, 100));

TEST(H2Connection, KeepsTheClientsOpening) {
    Talk talk;
    EXPECT_EQ(talk.say(kOpening + frame(H2Type::headers, kWhole, 1, get("/a"))), Parse::need_more);
    const H2Opening& opening = talk.connection->opening();
    ASSERT_EQ(opening.settings.size(), 3u);
    EXPECT_EQ(opening.settings[2].id, 0x99);
    EXPECT_EQ(opening.settings[1].value, 131072u);
    EXPECT_EQ(opening.window_increment, 12517377u);
    ASSERT_EQ(opening.priorities.size(), 2u);
    EXPECT_EQ(opening.priorities[0].weight, 201);
    EXPECT_FALSE(opening.priorities[0].exclusive);
    EXPECT_TRUE(opening.priorities[1].exclusive);
    EXPECT_EQ(opening.priorities[1].depends_on, 3u);
    EXPECT_TRUE(opening.settled);
    EXPECT_FALSE(opening.cut);
    EXPECT_EQ(talk.seen, (Lines{"> /a 1 #0 end first"}));
    talk.say(frame(H2Type::settings, 0, 0, setting(9, 9)) +
             frame(H2Type::window_update, 0, 0, be(5, 4)));
    EXPECT_EQ(opening.settings.size(), 3u);
    EXPECT_EQ(opening.window_increment, 12517377u);
}

TEST(H2Connection, GivesTheSameByteByByte) {
    const std::string wire = kOpening + frame(H2Type::headers, kH2EndHeaders, 1, get("/post")) +
                             frame(H2Type::data, 0, 1, std::string(300, 'd')) +
                             frame(H2Type::data, kH2EndStream | kH2Padded, 1,
                                   "\x03"
                                   "abcPAD") +
                             frame(H2Type::ping, 0, 0, "12345678") +
                             frame(static_cast<H2Type>(0x42), 0, 9, "unknown") +
                             frame(H2Type::headers, kWhole, 3, get("/next"));
    Talk whole;
    EXPECT_EQ(whole.say(wire), Parse::need_more);
    Talk pieces;
    EXPECT_EQ(pieces.say(wire, 1), Parse::need_more);
    EXPECT_EQ(whole.seen, (Lines{"> /post 1 #0 first", "> data 300 on 1", "> data 3 on 1 end",
                                 "> /next 3 #1 end"}));
    EXPECT_EQ(pieces.seen, whole.seen);
}

TEST(H2Connection, JoinsContinuationsAndTakesOffPaddingAndPriority) {
    const std::string block = get("/long");
    const std::string padded =
        std::string(1, 4) + be(0x80000001, 4) + "\xff" + block.substr(0, 10) + "PADD";
    Talk talk;
    EXPECT_EQ(talk.say(kOpening +
                       frame(H2Type::headers, kH2Padded | kH2Priority | kH2EndStream, 1, padded) +
                       frame(H2Type::continuation, 0, 1, block.substr(10, 5)) +
                       frame(H2Type::continuation, 0, 1, "") +
                       frame(H2Type::continuation, kH2EndHeaders, 1, block.substr(15))),
              Parse::need_more);
    EXPECT_EQ(talk.seen, (Lines{"> /long 1 #0 end first"}));
    EXPECT_EQ(talk.request->headers.value_of("user-agent"), "x");
    EXPECT_EQ(talk.connection->opening().priorities.size(), 2u);
    EXPECT_EQ(host_of(*talk.request), "h.example");
}

TEST(H2Connection, TiesAnswersToTheirRequests) {
    Talk talk;
    talk.say(kOpening);
    for (const int stream : {1, 3, 5})
        talk.say(frame(H2Type::headers, kWhole, static_cast<std::uint32_t>(stream),
                       get("/" + std::to_string(stream))));
    talk.seen.clear();
    talk.answer(kServerOpening + frame(H2Type::headers, kH2EndHeaders, 5, field(":status", "200")) +
                frame(H2Type::headers, kH2EndHeaders, 1, field(":status", "103")) +
                frame(H2Type::headers, kWhole, 1, field(":status", "404")) +
                frame(H2Type::data, 0, 5, "hello") +
                frame(H2Type::headers, kWhole, 5, field("grpc-status", "0")) +
                frame(H2Type::rst_stream, 0, 3, be(8, 4)) +
                frame(H2Type::headers, kWhole, 3, field(":status", "500")));
    EXPECT_EQ(talk.seen, (Lines{"< 200 5 #2", "< 103 1 #0", "< 404 1 #0 end", "< data 5 on 5",
                                "< trailers 5", "< 500 3 #? end"}));
}

TEST(H2Connection, DecodesPushPromisesForTheTableAlone) {
    Talk talk;
    talk.say(kOpening + frame(H2Type::headers, kWhole, 1, get("/")));
    talk.seen.clear();
    const std::string indexed = std::string("\x40\x01n\x01v");  // enters the table
    EXPECT_EQ(talk.answer(kServerOpening +
                          frame(H2Type::push_promise, kH2EndHeaders, 1, be(2, 4) + indexed) +
                          frame(H2Type::headers, kWhole, 1, field(":status", "200") + "\xbe")),
              Parse::need_more);
    EXPECT_EQ(talk.seen, (Lines{"< 200 1 #0 end"}));
    EXPECT_EQ(talk.response->headers.value_of("n"), "v");
}

TEST(H2Connection, RequestTrailersAreNoRequest) {
    Talk talk;
    talk.say(kOpening + frame(H2Type::headers, kH2EndHeaders, 1, get("/up")) +
             frame(H2Type::data, 0, 1, "x") +
             frame(H2Type::headers, kWhole, 1, field("checksum", "1")));
    EXPECT_EQ(talk.seen, (Lines{"> /up 1 #0 first", "> data 1 on 1", "> trailers 1"}));
}

TEST(H2Connection, UpgradedRequestIsStreamOne) {
    Talk talk;
    talk.connection->begin_upgraded(4);
    talk.say(std::string(kH2Preface) + frame(H2Type::settings, 0, 0, "") +
             frame(H2Type::headers, kWhole, 3, get("/2")));
    talk.answer(kServerOpening + frame(H2Type::headers, kWhole, 1, field(":status", "200")));
    EXPECT_EQ(talk.seen, (Lines{"> /2 3 #5 end first", "< 200 1 #4 end"}));
}

TEST(H2Connection, DataNeedNotBeShown) {
    Talk talk;
    const std::string header = be(16384, 3) + '\0' + '\0' + be(1, 4);
    talk.say(kOpening + frame(H2Type::headers, kH2EndHeaders, 1, get("/")) + header + "first");
    EXPECT_EQ(talk.connection->client_skippable(), 16379u);
    talk.connection->client_skipped(16379);
    talk.say(frame(H2Type::headers, kWhole, 3, get("/b")));
    EXPECT_EQ(talk.seen.back(), "> /b 3 #1 end");
}

TEST(H2Connection, RefusesBrokenFrames) {
    const std::string head = frame(H2Type::headers, 0, 1, get("/"));
    const auto client = [](const std::string& wire) {
        Talk talk;
        const Parse parse = talk.say(kOpening + wire);
        const Parse after = talk.say("x");  // lost for good
        EXPECT_EQ(after, parse == Parse::need_more ? parse : Parse::malformed);
        return parse;
    };
    EXPECT_EQ(client(frame(H2Type::continuation, kH2EndHeaders, 1, "")), Parse::malformed);
    EXPECT_EQ(client(head + frame(H2Type::data, 0, 1, "x")), Parse::malformed);
    EXPECT_EQ(client(head + frame(H2Type::continuation, kH2EndHeaders, 3, "")), Parse::malformed);
    EXPECT_EQ(client(frame(H2Type::headers, kWhole, 0, get("/"))), Parse::malformed);
    EXPECT_EQ(client(frame(H2Type::headers, kWhole | kH2Padded, 1, "\x7f")), Parse::malformed);
    EXPECT_EQ(client(frame(H2Type::headers, kWhole, 1, "\xff")), Parse::malformed);
    EXPECT_EQ(client(frame(H2Type::settings, 0, 0, "12345")), Parse::malformed);
    EXPECT_EQ(client(frame(H2Type::settings, 0, 1, "")), Parse::malformed);
    EXPECT_EQ(client(frame(H2Type::window_update, 0, 0, "123")), Parse::malformed);
    EXPECT_EQ(client(frame(H2Type::priority, 0, 1, "1234")), Parse::malformed);
    EXPECT_EQ(client(frame(H2Type::push_promise, 0, 1, "1234")), Parse::malformed);
    EXPECT_EQ(client(frame(H2Type::data, kH2Padded, 1,
                           "\x05"
                           "abc")),
              Parse::malformed);
    EXPECT_EQ(client(frame(H2Type::data, 0, 0, "abc")), Parse::malformed);
    Talk other;
    EXPECT_EQ(other.say("PRI * HTTP/1.1\r\n"), Parse::not_this);
    EXPECT_EQ(other.answer("HTTP/1.1 400 Bad Request\r\n"), Parse::not_this);
}

TEST(H2Connection, BoundsBlocksSettingsAndStreams) {
    const auto client = [](const std::string& wire) {
        Talk talk;
        return talk.say(kOpening + wire).parse;
    };
    std::string flood = frame(H2Type::headers, 0, 1, "");
    for (std::size_t i = 0; i < H2Connection::kBlockFramesMax; ++i)
        flood += frame(H2Type::continuation, 0, 1, "");
    EXPECT_EQ(client(flood), Parse::limit);
    EXPECT_EQ(client(be(70000, 3) + "\x01\x04" + be(1, 4)), Parse::limit);
    EXPECT_EQ(client(frame(H2Type::settings, 0, 0, std::string(18000, '\0'))), Parse::limit);
    Talk many;
    std::string settings;
    for (std::size_t i = 0; i <= H2Opening::kSettingsMax; ++i) settings += setting(1, 1);
    many.say(std::string(kH2Preface) + frame(H2Type::settings, 0, 0, settings));
    EXPECT_TRUE(many.connection->opening().cut);
    for (std::uint32_t i = 0; i < 130; ++i)
        many.say(frame(H2Type::headers, kWhole, 2 * i + 1, get("/")));
    EXPECT_EQ(many.connection->request_count(), 130u);
    EXPECT_EQ(many.connection->untracked_count(), 2u);
}

TEST(H2Connection, EveryTruncationNeedsMoreAndEveryFlippedByteIsAnswered) {
    const std::string wire = kOpening + frame(H2Type::headers, kWhole, 1, get("/a"));
    for (std::size_t cut = 0; cut < wire.size(); ++cut) {
        Talk talk;
        EXPECT_EQ(talk.say(wire.substr(0, cut)), Parse::need_more) << cut;
        EXPECT_TRUE(talk.seen.empty());
    }
    for (std::size_t at = 0; at < wire.size(); ++at) {
        std::string broken = wire;
        broken[at] = static_cast<char>(broken[at] ^ 0xff);
        Talk talk;
        EXPECT_NE(talk.say(broken), Parse::ok);
        Talk server;
        EXPECT_NE(server.answer(broken), Parse::ok);
    }
}

TEST(H2Pool, HandsOutWhatItHasAndTakesItBack) {
    H2Pool pool({2, std::size_t{1} << 20, std::size_t{128} << 10});
    H2Connection* first = pool.acquire();
    H2Connection* second = pool.acquire();
    ASSERT_NE(first, nullptr);
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(pool.acquire(), nullptr);
    EXPECT_EQ(pool.in_use(), 2u);
    const auto request = std::make_unique<Request>();
    std::string wire = kOpening + frame(H2Type::headers, kWhole, 1, get("/a"));
    for (auto step = first->feed_client(as_bytes(wire), *request); step.parse == Parse::ok;
         step = first->feed_client(as_bytes(wire), *request))
        wire.erase(0, step.consume);
    EXPECT_GT(pool.memory().used_bytes(), 0u);
    pool.release(first);
    EXPECT_EQ(pool.memory().used_bytes(), 0u);
    EXPECT_EQ(pool.acquire(), first);
    EXPECT_FALSE(first->opening().settled);
    pool.release(nullptr);
}

TEST(H2Pool, AllocatesNothingOnceMade) {
#ifndef COUNTS_ALLOCATIONS
    GTEST_SKIP() << "this build brings its own malloc";
#else
    H2Pool pool({64, std::size_t{4} << 20, std::size_t{512} << 10});
    const auto request = std::make_unique<Request>();
    std::string wire = kOpening;
    for (std::uint32_t i = 0; i < 200; ++i) {
        const std::string grows =
            "\x40\x05name" + std::to_string(i % 10) + "\x7f\x49" + std::string(200, 'v');
        wire += frame(H2Type::headers, kWhole, 2 * i + 1, get("/" + std::to_string(i)) + grows);
    }
    const long before = allocation_count.load();
    std::size_t heads = 0;
    for (int connection_no = 0; connection_no < 64; ++connection_no) {
        H2Connection* connection = pool.acquire();
        ByteView rest = as_bytes(wire);
        while (true) {
            const auto step = connection->feed_client(rest, *request);
            if (step.parse != Parse::ok) break;
            heads += step.event == Event::request ? 1 : 0;
            rest = rest.subspan(step.consume);
        }
        pool.release(connection);
    }
    EXPECT_EQ(allocation_count.load() - before, 0);
    EXPECT_EQ(heads, 64u * 200u);
    EXPECT_EQ(pool.memory().used_bytes(), 0u);
#endif
}

TEST(H2Recogniser, KnowsPrefaceAndServerSettings) {
    for (std::size_t cut = 0; cut < kH2Preface.size(); ++cut)
        EXPECT_EQ(looks_like_h2_preface(as_bytes(kH2Preface.substr(0, cut))), Parse::need_more);
    EXPECT_EQ(looks_like_h2_preface(as_bytes(kH2Preface)), Parse::ok);
    EXPECT_EQ(looks_like_h2_preface(as_bytes("PRI * HTTP/2.1")), Parse::not_this);
    EXPECT_EQ(looks_like_h2_server(as_bytes(kServerOpening)), Parse::ok);
    EXPECT_EQ(looks_like_h2_server(as_bytes(kServerOpening.substr(0, 8))), Parse::need_more);
    EXPECT_EQ(looks_like_h2_server(as_bytes(frame(H2Type::settings, kH2Ack, 0, ""))),
              Parse::not_this);
    EXPECT_EQ(looks_like_h2_server(as_bytes(frame(H2Type::settings, 0, 0, "12345"))),
              Parse::not_this);
}

}  // namespace
