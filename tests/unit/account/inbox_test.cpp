// Many datagrams at a call: each once, in order, whole or said to be cut.
#include "control/account/inbox.h"

#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "dataplane/base/bytes.h"

namespace seine::account {
namespace {

class InboxOfAPair : public testing::Test {
  protected:
    InboxOfAPair() {
        if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) != 0) ADD_FAILURE();
        const int bytes = 1 << 20;
        ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
    ~InboxOfAPair() override {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    void send(const std::string& text) {
        ASSERT_EQ(::send(ends[0], text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    }
    std::string text(std::size_t at) { return std::string(as_text(inbox[at].bytes)); }
    int ends[2] = {-1, -1};
    Inbox inbox;
};

TEST_F(InboxOfAPair, GivesEachOnceInOrder) {
    EXPECT_EQ(inbox.receive(ends[1]), 0u);
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 8; ++i) send("datagram " + std::to_string(i) + std::string(static_cast<std::size_t>(round * 100), '.'));
        ASSERT_EQ(inbox.receive(ends[1]), 8u);
        for (std::size_t i = 0; i < 8; ++i) {
            EXPECT_EQ(text(i), "datagram " + std::to_string(i) + std::string(static_cast<std::size_t>(round * 100), '.'));
            EXPECT_FALSE(inbox[i].cut);
        }
        EXPECT_EQ(inbox.receive(ends[1]), 0u);
    }
}

TEST_F(InboxOfAPair, SaysWhatIsCutAndWhatIsEmpty) {
    send(std::string(Inbox::kDatagramBytesMax, 'w'));
    send(std::string(Inbox::kDatagramBytesMax + 1, 'c'));
    send("");
    send("after");
    ASSERT_EQ(inbox.receive(ends[1]), 4u);
    EXPECT_FALSE(inbox[0].cut);
    EXPECT_EQ(inbox[0].bytes.size(), Inbox::kDatagramBytesMax);
    EXPECT_TRUE(inbox[1].cut);
    EXPECT_EQ(inbox[1].bytes.size(), Inbox::kDatagramBytesMax);
    EXPECT_EQ(text(2), "");
    EXPECT_FALSE(inbox[2].cut);
    EXPECT_EQ(text(3), "after");
}

TEST_F(InboxOfAPair, HasNothingOfASocketThatIsClosed) { EXPECT_EQ(inbox.receive(-1), 0u); }

}  // namespace
}  // namespace seine::account
