// The admin socket against plain clients: answers, long documents, nonsense, crowds, files in the
// way.
#include "dataplane/export/admin_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/unit/export/records.h"

namespace seine::exporting {
namespace {

using contract::AdminKind;
using contract::AdminMessage;

class Client {
  public:
    explicit Client(const std::string& path)
        : fd_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.data(), path.size());
        connected =
            ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        const timeval patience = {5, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    ~Client() { ::close(fd_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    void send(const Bytes& packet) {
        EXPECT_EQ(::send(fd_, packet.data(), packet.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(packet.size()));
    }
    void ask(AdminKind kind, std::uint32_t sequence = 1, ByteView body = {}) {
        Bytes packet(contract::kAdminMessageBytesMax);
        packet.resize(contract::encode_admin(packet, {kind, false, sequence, body}));
        send(packet);
    }
    // The next packet; empty at the end of the connection.
    Bytes receive() {
        Bytes packet(contract::kAdminMessageBytesMax + 1);
        const ssize_t got = ::recv(fd_, packet.data(), packet.size(), 0);
        packet.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return packet;
    }
    bool connected = false;

  private:
    int fd_;
};

class AdminSocketServing : public testing::Test {
  protected:
    void SetUp() override {
        auto opened = AdminSocket::listen(path);
        ASSERT_TRUE(opened.has_value()) << opened.error().message();
        socket = std::move(*opened);
    }
    void serve(int rounds = 4) {
        for (int i = 0; i < rounds; ++i) {
            socket->serve(
                [this](const AdminPeer& peer, const AdminMessage& request, AdminReply& reply) {
                    last_peer = peer;
                    ++calls;
                    if (request.kind == AdminKind::stats) return reply.document(document);
                    if (request.kind == AdminKind::stop) return reply.done();
                    reply.refused("not here");
                },
                20);
        }
    }
    const Folder folder;
    const std::string path = folder.file("dataplane.sock");
    std::unique_ptr<AdminSocket> socket;
    std::string document = "{\"a\":1}";
    AdminPeer last_peer;
    int calls = 0;
};

TEST_F(AdminSocketServing, AnswersEachRequestWithItsSequence) {
    Client client(path);
    ASSERT_TRUE(client.connected);
    client.ask(AdminKind::stats, 5);
    serve();
    const Bytes packet = client.receive();
    AdminMessage answer;
    ASSERT_EQ(contract::decode_admin(packet, answer), Parse::ok);
    EXPECT_EQ(answer.kind, AdminKind::document);
    EXPECT_EQ(answer.sequence, 5u);
    EXPECT_FALSE(answer.more);
    EXPECT_EQ(as_text(answer.body), document);
    client.ask(AdminKind::stop, 6);
    client.ask(AdminKind::reload, 7, as_bytes("12345678/path"));
    serve();
    const Bytes second = client.receive();
    ASSERT_EQ(contract::decode_admin(second, answer), Parse::ok);
    EXPECT_EQ(answer.kind, AdminKind::done);
    EXPECT_EQ(answer.sequence, 6u);
    const Bytes third = client.receive();
    ASSERT_EQ(contract::decode_admin(third, answer), Parse::ok);
    EXPECT_EQ(answer.kind, AdminKind::refused);
    EXPECT_EQ(as_text(answer.body), "not here");
    EXPECT_EQ(calls, 3);
}

TEST_F(AdminSocketServing, KnowsWhoAsks) {
    Client client(path);
    client.ask(AdminKind::stats);
    serve();
    EXPECT_EQ(last_peer.process, static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(last_peer.user, ::geteuid());
    EXPECT_EQ(last_peer.group, ::getegid());
    EXPECT_TRUE(last_peer.may_change);
}

TEST_F(AdminSocketServing, ALongDocumentComesInPartsWhileTheClientReads) {
    document.assign(3 * contract::kAdminBodyBytesMax + 17, 'x');
    for (std::size_t i = 0; i < document.size(); ++i) document[i] = static_cast<char>('a' + i % 26);
    Client client(path);
    client.ask(AdminKind::stats);
    std::string had;
    AdminMessage answer;
    do {
        serve();
        const Bytes packet = client.receive();
        ASSERT_EQ(contract::decode_admin(packet, answer), Parse::ok);
        had.append(as_text(answer.body));
    } while (answer.more);
    EXPECT_EQ(had, document);
}

TEST_F(AdminSocketServing, ADocumentPastItsBoundIsRefused) {
    document.assign(contract::kAdminDocumentBytesMax + 1, 'x');
    Client client(path);
    client.ask(AdminKind::stats);
    serve();
    AdminMessage answer;
    const Bytes packet = client.receive();
    ASSERT_EQ(contract::decode_admin(packet, answer), Parse::ok);
    EXPECT_EQ(answer.kind, AdminKind::refused);
}

TEST_F(AdminSocketServing, NonsenseIsCutOffAndOthersAreServed) {
    Client good(path);
    Client bad(path);
    Client long_one(path);
    bad.send({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17});
    long_one.send(Bytes(60000, 0x53));
    good.ask(AdminKind::stats);
    serve();
    EXPECT_TRUE(bad.receive().empty());
    EXPECT_TRUE(long_one.receive().empty());
    EXPECT_FALSE(good.receive().empty());
    EXPECT_EQ(socket->clients(), 1u);
    EXPECT_EQ(calls, 1);
}

TEST_F(AdminSocketServing, AClientThatLeavesIsForgotten) {
    {
        Client client(path);
        client.ask(AdminKind::stats);
        serve();
        EXPECT_EQ(socket->clients(), 1u);
    }
    serve();
    EXPECT_EQ(socket->clients(), 0u);
}

TEST_F(AdminSocketServing, AClientThatFetchesNothingBlocksNobody) {
    document.assign(contract::kAdminDocumentBytesMax, 'x');
    Client lazy(path);
    lazy.ask(AdminKind::stats, 1);
    lazy.ask(AdminKind::stats, 2);
    serve();
    EXPECT_EQ(calls, 1) << "its second request waits until its first answer is gone";
    document = "{}";
    Client other(path);
    other.ask(AdminKind::stats);
    serve();
    EXPECT_FALSE(other.receive().empty());
}

TEST_F(AdminSocketServing, InACrowdTheOldestMakesRoom) {
    std::vector<std::unique_ptr<Client>> crowd;
    for (std::size_t i = 0; i < AdminSocket::kClientsMax + 3; ++i) {
        crowd.push_back(std::make_unique<Client>(path));
        ASSERT_TRUE(crowd.back()->connected);
        serve(1);
    }
    EXPECT_EQ(socket->clients(), AdminSocket::kClientsMax);
    crowd.back()->ask(AdminKind::stats);
    serve();
    EXPECT_FALSE(crowd.back()->receive().empty());
    EXPECT_TRUE(crowd.front()->receive().empty());
}

TEST_F(AdminSocketServing, TheFileHasItsModeAndGoesWithItsServer) {
    struct stat about = {};
    ASSERT_EQ(::stat(path.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0660u);
    socket.reset();
    EXPECT_NE(::stat(path.c_str(), &about), 0);
}

TEST_F(AdminSocketServing, ASecondDataplaneIsRefused) {
    const auto second = AdminSocket::listen(path);
    ASSERT_FALSE(second.has_value());
    EXPECT_NE(second.error().message().find("another dataplane"), std::string::npos);
    Client client(path);
    EXPECT_TRUE(client.connected) << "and the first goes on";
}

TEST(AdminSocketFile, OneLeftBehindIsReplacedAndAnythingElseStays) {
    const Folder folder;
    const std::string path = folder.file("left.sock");
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(fd);
    EXPECT_TRUE(AdminSocket::listen(path).has_value());

    const std::string text = folder.file("notes.txt");
    write_file(text, "notes");
    EXPECT_FALSE(AdminSocket::listen(text).has_value());
    EXPECT_EQ(text_of(text), "notes");
    EXPECT_FALSE(AdminSocket::listen(folder.file("none/dataplane.sock")).has_value());
    EXPECT_FALSE(AdminSocket::listen("").has_value());
    EXPECT_FALSE(AdminSocket::listen(folder.file(std::string(120, 'x'))).has_value());
}

}  // namespace
}  // namespace seine::exporting
