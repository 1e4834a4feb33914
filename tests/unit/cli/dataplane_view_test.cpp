// `seinectl status` against a served socket: the screen, the document, and daemons that misbehave.
#include "control/cli/dataplane_view.h"
#include "control/command/dataplane.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <sys/wait.h>
#include <thread>

#include <gtest/gtest.h>

#include "dataplane/export/admin_socket.h"
#include "tests/unit/export/records.h"

namespace seine::cli {
namespace {

using command::JsonValue;

constexpr char kDocument[] =
    "{\"program\":\"seine-dataplane\",\"version\":\"0.1.0\",\"state\":\"running\",\"input\":\"pcap "
    "a.pcap\",\"pid\":42,"
    "\"epoch\":7,\"started_ns\":1,\"uptime_ns\":7384000000000,"
    "\"ports\":[{\"port\":\"0000:3b:00.0\",\"link\":\"up\",\"megabits\":100000,\"ipackets\":"
    "123456789,\"ibytes\":5,\"imissed\":3,"
    "\"ierrors\":0,\"rx_nombuf\":0,\"kernel_packets\":0,\"kernel_drops\":9}],"
    "\"workers\":[{\"worker\":0,\"flows_live\":10,\"stalled\":false,\"counters\":{\"packets\":1000,"
    "\"records_open\":4,"
    "\"records_close\":3,\"records_dropped_ring_full\":2}},"
    "{\"worker\":1,\"flows_live\":20,\"stalled\":true,\"counters\":{\"packets\":2000000,\"records_"
    "open\":1}}],"
    "\"receiver\":{\"handover_dropped\":6},"
    "\"flows_live\":30,\"totals\":{\"packets\":2001000,\"records_open\":5,\"records_close\":3,"
    "\"records_dropped_ring_full\":2,"
    "\"tls_hello_cut\":0,\"tls_hello_malformed\":11,\"tls_client_hellos\":400,\"decode_ok\":"
    "2000000,\"decode_not_ip\":77},"
    "\"records_exported\":6,\"notices\":[\"hugepages are absent\\u001b[31m\"],\"problems\":[],"
    "\"meanings\":{\"tls_hello_malformed\":\"hellos without a fingerprint: malformed\"}}";

class Served {
  public:
    explicit Served(std::string document) : document_(std::move(document)) {
        auto opened = exporting::AdminSocket::listen(path());
        EXPECT_TRUE(opened.has_value());
        socket_ = std::move(*opened);
        thread_ = std::thread([this] {
            while (!stop_) {
                socket_->serve(
                    [this](const exporting::AdminPeer&, const contract::AdminMessage&,
                           exporting::AdminReply& reply) {
                        if (document_.empty()) return reply.refused("not today");
                        reply.document(document_);
                    },
                    20);
            }
        });
    }
    ~Served() {
        stop_ = true;
        thread_.join();
    }
    [[nodiscard]] std::string path() const { return folder_.file("admin.sock"); }

  private:
    const exporting::Folder folder_;
    std::string document_;
    std::unique_ptr<exporting::AdminSocket> socket_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

struct Ran {
    int code = -1;
    std::string out;
    std::string err;
};

// The real program, with stdout and stderr in files.
Ran seinectl(const std::string& arguments) {
    const exporting::Folder folder;
    const std::string command = std::string(SEINECTL) + " " + arguments + " >" +
                                folder.file("out") + " 2>" + folder.file("err");
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, exporting::text_of(folder.file("out")),
            exporting::text_of(folder.file("err"))};
}

TEST(StatusScreen, ShowsWorkersRecordsAndLossesOnOneScreen) {
    const auto stats = JsonValue::parse(kDocument);
    ASSERT_TRUE(stats.has_value());
    EXPECT_EQ(dataplane_screen(*stats),
              "seine-dataplane 0.1.0   running   up 2 h 3 min   pid 42   epoch 7\n"
              "input pcap a.pcap\n"
              "\n"
              "port           link                  packets   bytes   missed   errors   no buffer  "
              " kernel drops\n"
              "0000:3b:00.0   up 100,000 Mb/s   123,456,789       5        3        0           0  "
              "            9\n"
              "\n"
              "worker   flows     packets   records   dropped\n"
              "0           10       1,000         7         2\n"
              "1           20   2,000,000         1         0   stalled\n"
              "all         30   2,001,000         8         2\n"
              "\n"
              "records   open 5   request 0   update 0   close 3   exported 6\n"
              "\n"
              "dropped and given up\n"
              "  records_dropped_ring_full    2\n"
              "  tls_hello_malformed         11   hellos without a fingerprint: malformed\n"
              "  decode_not_ip               77\n"
              "  handover_dropped             6\n"
              "\n"
              "note: hugepages are absent?[31m\n");
}

TEST(StatusScreen, AnEmptyDocumentIsAnEmptyScreen) {
    const auto stats = JsonValue::parse("{}");
    const std::string screen = dataplane_screen(*stats);
    EXPECT_NE(screen.find("nothing"), std::string::npos);
    EXPECT_EQ(screen.find("kernel drops"), std::string::npos);
}

TEST(StatusScreen, KnowsLossesByTheirNames) {
    for (const char* name :
         {"records_dropped_ring_full", "flows_evicted", "flows_refused", "cold_exhausted",
          "stream_lost", "stream_limit_bytes", "stream_pool_exhausted", "tls_hello_malformed",
          "tls_hello_cut", "quic_gave_up", "quic_initials_failed", "packets_cut",
          "decode_malformed", "stream_conflicts"}) {
        EXPECT_TRUE(command::tells_a_loss(name)) << name;
    }
    for (const char* name : {"packets", "tls_client_hellos", "flows_new", "flows_closed_fin",
                             "records_open", "decode_ok", "idle_polls"}) {
        EXPECT_FALSE(command::tells_a_loss(name)) << name;
    }
}

TEST(Seinectl, StatusPrintsTheScreenOrTheDocument) {
    const Served served(kDocument);
    const Ran screen = seinectl("st --socket " + served.path());
    EXPECT_EQ(screen.code, 0) << screen.err;
    EXPECT_EQ(screen.out.rfind("seine-dataplane 0.1.0   running", 0), 0u);
    const Ran json = seinectl("status --json --socket " + served.path());
    EXPECT_EQ(json.code, 0);
    EXPECT_EQ(json.out, std::string(kDocument) + "\n");
    EXPECT_EQ(json.err, "");
}

TEST(Seinectl, ADocumentOfManyPartsArrivesWhole) {
    const std::string document = "{\"program\":\"" + std::string(300000, 'x') + "\"}";
    const Served served(document);
    EXPECT_EQ(seinectl("status --json --socket " + served.path()).out, document + "\n");
}

TEST(Seinectl, ExitsAsTheInterfacesSay) {
    const Ran unreachable = seinectl("status --socket /nonexistent/dataplane.sock");
    EXPECT_EQ(unreachable.code, 3);
    EXPECT_NE(unreachable.err.find("start seine-control"), std::string::npos);
    EXPECT_EQ(std::count(unreachable.err.begin(), unreachable.err.end(), '\n'), 1);
    EXPECT_EQ(unreachable.out, "");
    EXPECT_EQ(seinectl("mitigation list").code, 1);
    EXPECT_EQ(seinectl("bogus").code, 2);
    EXPECT_EQ(seinectl("").code, 2);
    EXPECT_EQ(seinectl("--help").code, 0);
    EXPECT_EQ(std::system((std::string(SEINECTL) + " --help >/dev/full 2>/dev/null").c_str()),
              1 << 8);
    const Served refusing("");
    const Ran refused = seinectl("status --socket " + refusing.path());
    EXPECT_EQ(refused.code, 1);
    EXPECT_NE(refused.err.find("not today"), std::string::npos);
    const Served broken("{\"program\":");
    const Ran corrupt = seinectl("status --socket " + broken.path());
    EXPECT_EQ(corrupt.code, 1);
    EXPECT_NE(corrupt.err.find("not JSON"), std::string::npos);
}

// Asks bash itself what it would offer.
std::string completed(const std::string& words) {
    const exporting::Folder folder;
    exporting::write_file(
        folder.file("try"),
        std::string("source <(") + SEINECTL + " completion bash)\nCOMP_WORDS=(" + words +
            ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_seinectl\necho \"${COMPREPLY[@]}\"\n");
    const std::string command =
        "bash --norc " + folder.file("try") + " >" + folder.file("out") + " 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return exporting::text_of(folder.file("out"));
}

TEST(Seinectl, BashCompletesNounsVerbsAndOptions) {
    EXPECT_EQ(completed("seinectl st"), "status\n");
    EXPECT_EQ(completed("seinectl a"), "account alert audit\n");
    EXPECT_EQ(completed("seinectl --socket x completion ''"), "bash zsh\n");
    EXPECT_EQ(completed("seinectl status show --so"), "--socket\n");
    EXPECT_EQ(completed("seinectl status --json sh"), "show\n");
}

TEST(Seinectl, ZshReadsItsCompletion) {
    if (std::system("zsh -c true >/dev/null 2>&1") != 0) GTEST_SKIP() << "zsh is not installed";
    const exporting::Folder folder;
    EXPECT_EQ(std::system((std::string(SEINECTL) + " completion zsh >" + folder.file("z") +
                           " && zsh -n " + folder.file("z"))
                              .c_str()),
              0);
}

}  // namespace
}  // namespace seine::cli
