// Sources end to end: sockets and syslog in, records out, with forged, malformed and oversized ones
// counted.
#include "control/account/sources.h"

#include <arpa/inet.h>
#include <chrono>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>

#include "control/account/syslog.h"
#include "dataplane/contract/api_key.h"
#include "tests/unit/account/key_scene.h"

namespace seine::account {
namespace {

using contract::AccountRecord;

TEST(Syslog, HeadersAreLeftOut) {
    const struct {
        const char* datagram;
        const char* message;
    } sound[] = {{"<190>Nov 28 01:02:03 host nginx: {\"a\":1}", "{\"a\":1}"},
                 {"<190>Nov 28 01:02:03 nginx: {\"a\":1}\n", "{\"a\":1}"},
                 {"<134>Nov  8 01:02:03 haproxy[77]: {}", "{}"},
                 {"<134>1 2026-11-28T01:02:03Z host app 1 ID - {}", "{}"},
                 {"<134>1 - - - - - [x@1 a=\"b\\]]\"][y@2] \xef\xbb\xbf{}", "{}"}};
    for (const auto& one : sound) {
        std::string_view message;
        ASSERT_EQ(static_cast<int>(syslog_message(one.datagram, message)),
                  static_cast<int>(Parse::ok))
            << one.datagram;
        EXPECT_EQ(message, one.message);
    }
    for (const char* broken :
         {"", "x", "<>1 ", "<1234>1 ", "<134>", "<134>1 2026", "<134>1 - - - - - [x", "<134>{}",
          "<134>Nov 28 01:02:03 {\"a\": 1}"}) {
        std::string_view message;
        EXPECT_EQ(static_cast<int>(syslog_message(broken, message)),
                  static_cast<int>(Parse::malformed))
            << broken;
    }
}

std::string frames_of(std::string_view stream, std::size_t piece, bool& sound) {
    SyslogFrames frames;
    std::string out;
    sound = true;
    for (std::size_t at = 0; at < stream.size() && sound; at += piece) {
        sound = frames.feed(stream.substr(at, piece),
                            [&out](std::string_view frame) { out += std::string(frame) + "|"; });
    }
    return out;
}

TEST(Syslog, FramesOverTcpAtAnyCut) {
    const std::string stream = "5 <1>ab<2>line\n6 <3>\nxy<4>end\n";
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
        bool sound = false;
        EXPECT_EQ(frames_of(stream, piece, sound), "<1>ab|<2>line|<3>\nxy|<4>end|") << piece;
        EXPECT_TRUE(sound);
    }
    for (const std::string& broken : {std::string("0 x"), std::string("99999999 x"),
                                      std::string("12x"), "<" + std::string(70'000, 'x')}) {
        bool sound = true;
        static_cast<void>(frames_of(broken, 1000, sound));
        EXPECT_FALSE(sound) << broken.substr(0, 20);
    }
}

class SourcesTest : public KeyScene {
  protected:
    void open(const std::vector<std::string>& lines) {
        std::vector<SourceConfig> configs;
        for (const std::string& line : lines) {
            auto config = read_source(line);
            ASSERT_TRUE(config.has_value()) << config.error().message();
            configs.push_back(*config);
        }
        auto opened = Sources::open(configs, keys());
        ASSERT_TRUE(opened.has_value()) << opened.error().message();
        sources = std::move(*opened);
    }
    void poll() {
        for (int i = 0; i < 5; ++i) {
            sources->poll(Nanos{(10 + i) * kSecond},
                          [this](const SourceRecord& record) { got.push_back(record); });
        }
    }
    void send_unix(const std::string& path, ByteView bytes) const {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
        const void* generic = &address;
        EXPECT_EQ(::sendto(fd, bytes.data(), bytes.size(), 0, static_cast<const sockaddr*>(generic),
                           sizeof address),
                  static_cast<ssize_t>(bytes.size()));
        ::close(fd);
    }
    int connect_inet(int type, std::uint16_t port) const {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int fd = ::socket(AF_INET, type, 0);
        const void* generic = &address;
        EXPECT_EQ(::connect(fd, static_cast<const sockaddr*>(generic), sizeof address), 0)
            << std::strerror(errno);
        return fd;
    }
    static std::array<std::uint8_t, 160> binary(AccountRecord record, int mac_key) {
        static constexpr std::uint8_t kKey[16] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                  8, 9, 10, 11, 12, 13, 14, 15};
        std::array<std::uint8_t, 160> bytes{};
        record.account_tag[0] = 1;
        record.proto = 6;
        record.client_port = 99;
        record.mac_key_id = mac_key < 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(mac_key);
        contract::encode_account(bytes, record);
        if (mac_key >= 0)
            contract::set_account_mac(bytes, mac_of(kKey, contract::account_mac_bytes(bytes)));
        return bytes;
    }
    SourceStatus status(std::size_t at = 0) const { return sources->status()[at]; }
    std::unique_ptr<Sources> sources;
    std::vector<SourceRecord> got;
};

TEST_F(SourcesTest, RecordsByUnixDatagram) {
    const std::string path = folder / "account.sock";
    open({"gw unix " + path});
    AccountRecord record;
    record.gateway_id = 5;
    record.seq = 7;
    const auto bytes = binary(record, -1);
    std::vector<std::uint8_t> two(bytes.begin(), bytes.end());
    two.insert(two.end(), bytes.begin(), bytes.end());
    send_unix(path, two);
    const std::string json =
        R"({"gateway_id":5,"seq":8,"t_req_us":77,"client_ip":"192.0.2.1","client_port":4711,"proto":"tcp",)"
        R"("key":"Bearer sk-1","org":"acme","flags":["h2","signup"],"unique_id":"u"})"
        "\n"
        R"({"type":"closed","account_tag":"000102030405060708090a0b0c0d0e0f","proto":0})"
        "\n";
    send_unix(path, as_bytes(json));
    for (const std::string& wrong :
         {std::string("{\"gateway_id\":-1}"), std::string("{\"flags\":[\"x\"]}"),
          std::string("{\"seq\":4294967296}"), std::string("{"), std::string("garbage"),
          std::string("{\"seq\":1}"), std::string(2000, 'x')}) {
        send_unix(path, as_bytes(wrong));
    }
    poll();
    ASSERT_EQ(got.size(), 4u);
    EXPECT_EQ(got[0].record.seq, 7u);
    EXPECT_TRUE(got[0].sequenced);
    EXPECT_EQ(got[2].record.client_port, 4711);
    EXPECT_EQ(got[2].record.flags, contract::AccountFlags::h2 | contract::AccountFlags::signup);
    EXPECT_NE(got[2].record.org_tag, (std::array<std::uint8_t, 16>{}));
    EXPECT_EQ(got[2].unique_id, model::value_id("u"));
    EXPECT_FALSE(got[3].sequenced);
    EXPECT_EQ(got[3].record.type, contract::AccountType::closed);
    EXPECT_EQ(status().records, 4u);
    EXPECT_EQ(status().malformed, 5u);
    EXPECT_EQ(status().oversized, 1u);
    EXPECT_EQ(status().nameless, 1u);
}

TEST_F(SourcesTest, AThreadOfItsOwnReadsSocketsInTheirOrder) {
    constexpr std::uint32_t kCount = 3000;
    const std::string path = folder / "account.sock";
    open({"gw unix " + path, "logs syslog-unix " + std::string(folder / "log.sock") + " format=nginx"});
    poll();
    sources->read_sockets_apart();
    AccountRecord record;
    for (record.seq = 1; record.seq <= kCount; ++record.seq) send_unix(path, binary(record, -1));
    send_unix(path, as_bytes(std::string("garbage")));
    for (int i = 0; i < 500 && status().malformed == 0; ++i) {
        poll();
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    record.seq = kCount + 1;
    send_unix(path, binary(record, -1));
    for (int i = 0; i < 500 && status().records <= kCount; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    sources->end_thread();
    poll();
    ASSERT_EQ(got.size(), kCount + 1);
    for (std::uint32_t i = 0; i <= kCount; ++i) EXPECT_EQ(got[i].record.seq, i + 1);
    EXPECT_EQ(status().records, kCount + 1);
    EXPECT_EQ(status().malformed, 1u);
}

TEST_F(SourcesTest, UdpNeedsAMac) {
    open({"gw udp 127.0.0.1:47110"});
    const int fd = connect_inet(SOCK_DGRAM, 47110);
    auto sound = binary({}, 3);
    EXPECT_GT(::send(fd, sound.data(), sound.size(), 0), 0);
    auto forged = sound;
    forged[20] ^= 1;
    EXPECT_GT(::send(fd, forged.data(), forged.size(), 0), 0);
    auto unknown_key = binary({}, 4);
    EXPECT_GT(::send(fd, unknown_key.data(), unknown_key.size(), 0), 0);
    auto bare = binary({}, -1);
    EXPECT_GT(::send(fd, bare.data(), bare.size(), 0), 0);
    auto other = sound;
    other[2] = 2;
    EXPECT_GT(::send(fd, other.data(), other.size(), 0), 0);
    const std::string json = R"({"account":"acme","proto":"tcp"})";
    EXPECT_GT(::send(fd, json.data(), json.size(), 0), 0);
    ::close(fd);
    poll();
    EXPECT_EQ(got.size(), 1u);
    EXPECT_EQ(status().forged, 2u);
    EXPECT_EQ(status().unsigned_refused, 2u);
    EXPECT_EQ(status().other_version, 1u);
}

TEST_F(SourcesTest, LogAndSyslogGiveTheSameAccount) {
    const std::string path = folder / "slog.sock";
    const std::string log = folder / "access.log";
    open({"a file " + log + " format=nginx from=start", "b syslog-unix " + path + " format=nginx",
          "c syslog-udp 127.0.0.1:47111 format=nginx",
          "d syslog-tcp 127.0.0.1:47112 format=nginx"});
    const std::string line =
        R"({"msec":"1795200380.322","remote_addr":"10.0.0.1","remote_port":"5","x_api_key":"sk-1"})";
    std::ofstream(log) << line << "\nnonsense\n{\"msec\":\"1\"}\n";
    const std::string slog = "<190>Nov 28 01:02:03 host nginx: " + line;
    send_unix(path, as_bytes(slog));
    int fd = connect_inet(SOCK_DGRAM, 47111);
    EXPECT_GT(::send(fd, slog.data(), slog.size(), 0), 0);
    ::close(fd);
    fd = connect_inet(SOCK_STREAM, 47112);
    const std::string framed = std::to_string(slog.size()) + " " + slog + slog + "\n";
    EXPECT_GT(::send(fd, framed.data(), framed.size(), 0), 0);
    poll();
    ::close(fd);
    ASSERT_EQ(got.size(), 5u);
    for (const SourceRecord& record : got)
        EXPECT_EQ(record.record.account_tag, got[0].record.account_tag);
    EXPECT_EQ(status(0).malformed, 1u);
    EXPECT_EQ(status(0).nameless, 1u);
    EXPECT_EQ(status(3).records, 2u);
    ASSERT_EQ(sources->places().size(), 1u);
    EXPECT_EQ(sources->places()[0].first, "a");
}

TEST_F(SourcesTest, ALogThatIsHeldKeepsWhatItHasAndHoldsNoOther) {
    const std::string first = folder / "first.log";
    const std::string second = folder / "second.log";
    open({"a file " + first + " format=nginx from=start gateway=1", "b file " + second + " format=nginx from=start gateway=2"});
    const std::string line =
        R"({"msec":"1795200380.322","remote_addr":"10.0.0.1","remote_port":"5","x_api_key":"sk-1"})";
    std::ofstream(first) << line << "\n" << line << "\n";
    std::ofstream(second) << line << "\n";
    const auto take = [this](const SourceRecord& record) { got.push_back(record); };
    for (int i = 10; i < 13; ++i)
        EXPECT_TRUE(sources->poll(Nanos{i * kSecond}, take, [](std::uint32_t gateway) { return gateway != 1; }));
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].record.gateway_id, 2u);
    EXPECT_TRUE(status(0).held);
    EXPECT_EQ(status(0).held_ms, 2000u);
    EXPECT_FALSE(status(1).held);
    sources->poll(Nanos{13 * kSecond}, take);
    ASSERT_EQ(got.size(), 3u);
    EXPECT_EQ(got[2].record.gateway_id, 1u);
    EXPECT_FALSE(status(0).held);
}

TEST_F(SourcesTest, TheDirectoryCompletesWhatLogsDoNotKnow) {
    const std::string log = folder / "access.log";
    open({"a file " + log + " format=nginx from=start"});
    sources->names().now(Nanos{kSecond});
    AccountRecord by_key;
    ASSERT_TRUE(sources->names().fill("", "", "sk-1", by_key));
    DirectoryEntry entry;
    entry.account.bytes[0] = 42;
    entry.org.bytes[0] = 43;
    entry.keys = {by_key.key_tag};
    entry.first_seen_day = 20'000;
    entry.tier = 3;
    entry.declared_intermediary = true;
    DirectoryEntry again;
    ASSERT_EQ(static_cast<int>(from_text(to_text(entry), again)), static_cast<int>(Parse::ok));
    ASSERT_TRUE(sources->directory().put(again));
    std::ofstream(log)
        << R"({"msec":"1","remote_addr":"10.0.0.1","remote_port":"5","x_api_key":"sk-1"})"
        << "\n";
    poll();
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].record.account_tag[0], 42);
    EXPECT_EQ(got[0].record.org_tag[0], 43);
    EXPECT_EQ(got[0].record.first_seen_day, 20'000u);
    EXPECT_EQ(got[0].record.tier, 3);
    EXPECT_EQ(got[0].record.flags, contract::AccountFlags::declared_intermediary);
    EXPECT_EQ(sources->directory().take_changed().size(), 1u);
    DirectoryEntry broken;
    for (const char* text : {"", "00", "x y z", "000102030405060708090a0b0c0d0e0f 0 0 0 0 0"}) {
        EXPECT_EQ(static_cast<int>(from_text(text, broken)), static_cast<int>(Parse::malformed))
            << text;
    }
}

TEST_F(SourcesTest, RotationOfTagKeysTellsTheOldTagOnce) {
    const std::string log = folder / "access.log";
    open({"a file " + log + " format=json from=start"});
    AccountRecord before;
    sources->names().now(Nanos{kSecond});
    ASSERT_TRUE(sources->names().fill("acme", "", "", before));
    sources->replace_keys(keys(epoch(2, 5) + epoch(1, 0)));
    for (int i = 0; i < 3; ++i) {
        std::ofstream(log, std::ios::app)
            << R"({"time":"1","client":"10.0.0.1","client_port":"5","account":"acme"})"
            << "\n";
    }
    poll();
    ASSERT_EQ(got.size(), 4u);
    const SourceRecord& rekey = got[3];
    EXPECT_EQ(rekey.record.type, contract::AccountType::rekey);
    EXPECT_EQ(rekey.record.org_tag, before.account_tag);
    EXPECT_EQ(rekey.record.account_tag, got[0].record.account_tag);
    EXPECT_NE(rekey.record.account_tag, before.account_tag);
    EXPECT_EQ(got[0].record.tag_epoch, 2);
}

TEST_F(SourcesTest, ASocketWhoseFileIsRemovedIsSaid) {
    const std::string path = folder / "account.sock";
    open({"gw unix " + path});
    EXPECT_EQ(status().problem, "");
    std::filesystem::remove(path);
    EXPECT_NE(status().problem.find("restart seine-control"), std::string::npos) << status().problem;
}

TEST_F(SourcesTest, APlaceThatIsTakenIsSaid) {
    const std::string path = folder / "account.sock";
    open({"gw unix " + path});
    auto config = read_source("two unix " + path);
    const auto second = Sources::open({*config}, keys());
    ASSERT_FALSE(second.has_value());
    EXPECT_NE(second.error().message().find("another process listens"), std::string::npos)
        << second.error().message();
    config = read_source("three udp nowhere");
    EXPECT_FALSE(Sources::open({*config}, keys()).has_value());
}

}  // namespace
}  // namespace seine::account
