// Both ends of control's socket: questions, failures, slow and rude clients, a taken path.
#include "control/command/server.h"

#include <filesystem>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "control/command/client.h"
#include "control/command/json_builder.h"
#include "control/command/json_value.h"
#include "dataplane/contract/admin.h"
#include "tests/support/temp_folder.h"

namespace seine::command {
namespace {

class ServerTest : public testing::Test {
  protected:
    ServerTest() { config.path = folder.file("sock"); }
    ~ServerTest() override { server.reset(); }
    void start(Server::Handler handler) {
        auto started = Server::start(config, std::move(handler));
        ASSERT_TRUE(started.has_value()) << started.error().message();
        server = std::move(*started);
    }
    Result<std::string> ask(const Request& request, int timeout_ms = 5000) {
        auto client = Client::connect(config.path, timeout_ms);
        return client ? client->ask(request) : Result<std::string>(client.error());
    }
    test::TempFolder folder{"server"};
    ServerConfig config;
    std::unique_ptr<Server> server;
};

Request question(const std::string& noun) {
    Request request;
    request.noun = noun;
    request.verb = "list";
    return request;
}

TEST_F(ServerTest, ARequestArrivesAsItWasAskedAndItsDocumentComesBackWhole) {
    const std::string document = "{\"x\":\"" + std::string(300'000, 'y') + "\"}";
    Request seen;
    start([&](const Request& request) {
        seen = request;
        return document;
    });
    Request request = question("flow");
    request.arguments.set("ja4", "t13d\"\xff");
    request.arguments.set_flag("closed");
    request.arguments.set_list("tag", {"a", "b"});
    const auto answer = ask(request);
    ASSERT_TRUE(answer.has_value()) << answer.error().message();
    EXPECT_EQ(*answer, document);
    EXPECT_EQ(seen.noun, "flow");
    EXPECT_EQ(seen.verb, "list");
    EXPECT_EQ(seen.arguments.text("ja4"), "t13d\"\xff");
    EXPECT_TRUE(seen.arguments.has("closed"));
    EXPECT_EQ(seen.arguments.texts("tag"), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(seen.peer.process, static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(seen.peer.role, Role::operating);
}

TEST_F(ServerTest, AFailureKeepsItsCodeAndLine) {
    start([](const Request& request) -> Result<std::string> {
        return Status(Code::not_found, request.noun + ": none of that name\nhere");
    });
    const auto answer = ask(question("farm"));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code(), Code::not_found);
    EXPECT_EQ(answer.error().message(), "farm: none of that name here");
    EXPECT_EQ(server->counters().failures.load(), 1u);
}

TEST_F(ServerTest, AClientThatDoesNotFetchHoldsUpNobody) {
    const std::string document(8'000'000, 'z');
    start([&](const Request& request) { return request.noun == "big" ? document : std::string("{}"); });
    auto slow = Channel::connect(config.path, 1000);
    ASSERT_TRUE(slow.has_value());
    std::vector<std::uint8_t> packet(4096);
    const std::string body = to_json(question("big"));
    packet.resize(contract::encode_admin(packet, {contract::AdminKind::ask, false, 1, as_bytes(body)}));
    ASSERT_TRUE(slow->send(packet).ok());
    for (int i = 0; i < 50; ++i) {
        const auto answer = ask(question("small"));
        EXPECT_TRUE(answer.has_value());
    }
    server.reset();  // before what its handler looks at
}

TEST_F(ServerTest, ALongAnswerHoldsUpNoShortOne) {
    config.threads = 2;
    std::atomic<bool> go{false};
    start([&](const Request& request) {
        while (request.noun == "long" && !go) std::this_thread::yield();
        return std::string("{}");
    });
    std::thread other([&] { EXPECT_TRUE(ask(question("long"), 20'000).has_value()); });
    EXPECT_TRUE(ask(question("short")).has_value());
    go = true;
    other.join();
}

TEST_F(ServerTest, BytesThatAreNoQuestionEndTheConnectionAndAreCounted) {
    start([](const Request&) { return std::string("{}"); });
    for (const std::string& bytes : {std::string("x"), std::string(70'000, 'x')}) {
        auto rude = Channel::connect(config.path, 1000);
        ASSERT_TRUE(rude.has_value());
        static_cast<void>(rude->send(as_bytes(bytes)));
        std::vector<std::uint8_t> buffer(100);
        EXPECT_FALSE(rude->receive(buffer, 2000).has_value());
    }
    EXPECT_EQ(server->counters().bad_packets.load(), 2u);
    EXPECT_TRUE(ask(question("still")).has_value());
}

TEST_F(ServerTest, APathIsTakenOnceAndLeftCleanAfterwards) {
    start([](const Request&) { return std::string("{}"); });
    const auto second = Server::start(config, [](const Request&) { return std::string("{}"); });
    ASSERT_FALSE(second.has_value());
    EXPECT_NE(second.error().message().find("another seine-control"), std::string::npos);
    server.reset();
    EXPECT_FALSE(std::filesystem::exists(config.path));
    const auto nobody = ask(question("x"));
    EXPECT_EQ(nobody.error().code(), Code::unreachable);
    EXPECT_NE(nobody.error().message().find("start seine-control"), std::string::npos);
}

TEST_F(ServerTest, AGroupThatIsNoneIsTold) {
    config.reader_group = "seine-no-such-group";
    const auto started = Server::start(config, [](const Request&) { return std::string("{}"); });
    ASSERT_FALSE(started.has_value());
    EXPECT_NE(started.error().message().find("groupadd"), std::string::npos);
}

TEST(Request, IsReadStrictly) {
    for (const char* text : {"", "[]", "{}", "{\"noun\":1}", "{\"noun\":\"a\",\"x\":1}",
                             "{\"noun\":\"a\",\"arguments\":{\"b\":1}}", "{\"noun\":\"a\",\"arguments\":{\"b\":[1]}}",
                             "{\"noun\":\"a\",\"arguments\":{\"b\":false}}"}) {
        EXPECT_FALSE(read_request(text).has_value()) << text;
    }
    EXPECT_TRUE(read_request("{\"noun\":\"a\"}").has_value());
    Arguments arguments;
    arguments.set("limit", "12");
    EXPECT_EQ(arguments.number("limit", 5, 1, 100).value(), 12u);
    EXPECT_EQ(arguments.number("other", 5, 1, 100).value(), 5u);
    EXPECT_FALSE(arguments.number("limit", 5, 1, 10).has_value());
    arguments.set("limit", "12x");
    EXPECT_EQ(arguments.number("limit", 5, 1, 100).error().code(), Code::usage);
}

TEST(JsonBuilder, WritesWhatTheReaderReads) {
    JsonBuilder json;
    json.object().field("a", std::uint64_t{18446744073709551615u}).field("b", -3).field("c", 0.5).field("d", true);
    json.key("e").array().text("x\"\n").null().object().end().array().end().end();
    json.field("f", std::string_view("\xe9")).end();
    const std::string text = json.take();
    EXPECT_EQ(text, "{\"a\":18446744073709551615,\"b\":-3,\"c\":0.5,\"d\":true,"
                    "\"e\":[\"x\\\"\\u000a\",null,{},[]],\"f\":\"\\u00e9\"}");
    const auto read = JsonValue::parse(text);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ((*read)["b"].whole(), -3);
    EXPECT_EQ((*read)["c"].real(), 0.5);
    EXPECT_EQ((*read)["f"].text(), "\xe9");
}

}  // namespace
}  // namespace seine::command
