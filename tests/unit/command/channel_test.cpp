// The client channel against sockets that are absent, dead, silent, rude or well.
#include "control/command/channel.h"

#include <fstream>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace seine::command {
namespace {

class ChannelTest : public testing::Test {
  protected:
    ~ChannelTest() override {
        for (const int fd : {server, accepted}) {
            if (fd >= 0) ::close(fd);
        }
    }
    void serve(int type = SOCK_SEQPACKET) {
        server = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.data(), path.size());
        ASSERT_EQ(::bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        ASSERT_EQ(::listen(server, 4), 0);
    }
    void accept() { accepted = ::accept(server, nullptr, nullptr); }
    Status why() {
        const auto channel = Channel::connect(path, 200);
        EXPECT_FALSE(channel.has_value());
        return channel.has_value() ? Status() : channel.error();
    }
    test::TempFolder folder{"channel"};
    std::string path = folder.file("sock");
    int server = -1;
    int accepted = -1;
};

TEST_F(ChannelTest, PacketsGoBothWaysWhole) {
    serve();
    auto channel = Channel::connect(path, 1000);
    ASSERT_TRUE(channel.has_value());
    accept();
    ASSERT_TRUE(channel->send(as_bytes("question")).ok());
    char asked[32];
    ASSERT_EQ(::recv(accepted, asked, sizeof asked, 0), 8);
    ASSERT_EQ(::send(accepted, "one", 3, 0), 3);
    ASSERT_EQ(::send(accepted, "three", 5, 0), 5);
    std::vector<std::uint8_t> buffer(16);
    EXPECT_EQ(channel->receive(buffer, 1000).value(), 3u);
    EXPECT_EQ(channel->receive(buffer, 1000).value(), 5u);
    EXPECT_EQ(as_text(ByteView(buffer).first(5)), "three");
}

TEST_F(ChannelTest, NobodyThereIsUnreachableAndSaysWhatToDo) {
    EXPECT_EQ(why().code(), Code::unreachable);
    EXPECT_NE(why().message().find(path), std::string::npos);
    EXPECT_NE(why().message().find("--socket"), std::string::npos);
    serve();
    ::close(server);
    server = -1;
    EXPECT_EQ(why().code(), Code::unreachable);
    EXPECT_NE(why().message().find("start it again"), std::string::npos);
}

TEST_F(ChannelTest, SomethingElseAtThePathIsUnreachable) {
    serve(SOCK_STREAM);
    EXPECT_EQ(why().code(), Code::unreachable);
    path = folder.file("file");
    std::ofstream(path) << "text";
    EXPECT_EQ(why().code(), Code::unreachable);
}

TEST_F(ChannelTest, SilenceHasAnEnd) {
    serve();
    auto channel = Channel::connect(path, 1000);
    ASSERT_TRUE(channel.has_value());
    std::vector<std::uint8_t> buffer(16);
    const auto got = channel->receive(buffer, 30);
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().code(), Code::unreachable);
    EXPECT_NE(got.error().message().find("30 ms"), std::string::npos);
}

TEST_F(ChannelTest, AnEndAndATooLongPacketAreErrors) {
    serve();
    auto channel = Channel::connect(path, 1000);
    accept();
    ASSERT_EQ(::send(accepted, "much too long", 13, 0), 13);
    std::vector<std::uint8_t> buffer(4);
    EXPECT_EQ(channel->receive(buffer, 1000).error().code(), Code::failed);
    ::close(accepted);
    accepted = -1;
    EXPECT_EQ(channel->receive(buffer, 1000).error().code(), Code::unreachable);
    EXPECT_EQ(channel->send(as_bytes("hello")).code(), Code::unreachable);
}

TEST_F(ChannelTest, PathsThatNoSocketCanHaveAreUsage) {
    EXPECT_EQ(Channel::connect("", 100).error().code(), Code::usage);
    EXPECT_EQ(Channel::connect(std::string(200, 'x'), 100).error().code(), Code::usage);
}

}  // namespace
}  // namespace seine::command
