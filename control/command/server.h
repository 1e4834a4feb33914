// Control's end of the socket: checks who asks, hands requests to a few threads, never waits for a
// client.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/command/request.h"
#include "dataplane/base/status.h"

namespace seine::command {

struct ServerCounters;

struct ServerConfig {
    std::string path;
    // Names of groups whose members may ask, and may change. Empty: nobody but root and the user
    // that control runs as, who may always do both.
    std::string reader_group;
    std::string operator_group;
    unsigned threads = 2;
    // Where to count; outlives the server. Null: its own.
    ServerCounters* counters = nullptr;
};

struct ServerCounters {
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> failures{0};      // of them, answered by a failure
    std::atomic<std::uint64_t> refused_peers{0};  // connections of nobody who may ask
    std::atomic<std::uint64_t> bad_packets{0};    // clients cut off for what they sent
    std::atomic<std::uint64_t> clients_refused{0};  // past kClientsMax
};

// A client that does not fetch its answer keeps that answer, and nothing else, waiting. At most
// kClientsMax at once, one request of each at a time.
class Server {
  public:
    static constexpr std::size_t kClientsMax = 64;
    // Called in one of the threads, several at once; what it gives is one JSON document. Must not
    // throw.
    using Handler = std::function<Result<std::string>(const Request&)>;

    // A socket file that nobody answers any more is replaced; one that answers is another control:
    // refused. The folder must exist. Fails on a group name that is none.
    static Result<std::unique_ptr<Server>> start(const ServerConfig& config, Handler handler);
    // Ends the threads, after the requests they are at; closes and removes the socket.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] const ServerCounters& counters() const noexcept { return counters_; }

  private:
    struct Client;
    struct Work {
        std::uint64_t client;
        std::uint32_t sequence;
        Peer peer;
        std::string body;
    };
    struct Done {
        std::uint64_t client;
        std::vector<std::vector<std::uint8_t>> packets;
    };
    Server(const ServerConfig& config, Handler handler);
    Status open();
    void poll_clients();
    void accept_all();
    void receive(Client& client);
    void send(Client& client);
    void collect();
    void answer_requests();
    bool role_of(int fd, Peer& peer) const;
    void wake() const;

    ServerConfig config_;
    Handler handler_;
    ServerCounters own_counters_;
    ServerCounters& counters_;
    std::uint32_t reader_gid_ = 0;
    std::uint32_t operator_gid_ = 0;
    int listening_ = -1;
    int waker_ = -1;  // a pair: written by answerers, polled with the clients
    int woken_ = -1;
    std::uint64_t next_client_ = 1;
    std::vector<std::unique_ptr<Client>> clients_;

    std::mutex mutex_;  // of the three below
    std::condition_variable work_there_;
    std::deque<Work> work_;
    std::vector<Done> done_;
    bool stopping_ = false;
    std::thread poller_;
    std::vector<std::thread> answerers_;
};

}  // namespace seine::command
