// The dataplane's admin socket: accepts, checks who asks, receives and answers without ever
// blocking.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/status.h"
#include "dataplane/contract/admin.h"

namespace seine::exporting {

struct AdminPeer {
    std::uint32_t process = 0;
    std::uint32_t user = 0;
    std::uint32_t group = 0;
    // Root or the user this process runs as. Others whom the file mode lets in may ask, not change.
    bool may_change = false;
};

// What a handler answers: one document, done, or refused.
class AdminReply {
  public:
    void document(std::string json) { set(contract::AdminKind::document, std::move(json)); }
    void done() { set(contract::AdminKind::done, {}); }
    void refused(std::string why) { set(contract::AdminKind::refused, std::move(why)); }

  private:
    friend class AdminSocket;
    void set(contract::AdminKind kind, std::string body) {
        kind_ = kind;
        body_ = std::move(body);
    }
    contract::AdminKind kind_ = contract::AdminKind::refused;
    std::string body_ = "not understood";
};

// SOCK_SEQPACKET on a path, used by one thread. At most kClientsMax at once; a client that sends
// what does not decode, or does not fetch its answers, is cut off.
class AdminSocket {
  public:
    static constexpr std::size_t kClientsMax = 16;
    using Handler =
        std::function<void(const AdminPeer&, const contract::AdminMessage&, AdminReply&)>;

    // A socket file that nobody answers any more is replaced; one that answers is another
    // dataplane: refused. `mode` is that of the file. The folder must exist.
    static Result<std::unique_ptr<AdminSocket>> listen(const std::string& path,
                                                       unsigned mode = 0660);
    // Closes and removes the file.
    ~AdminSocket();
    AdminSocket(const AdminSocket&) = delete;
    AdminSocket& operator=(const AdminSocket&) = delete;

    // Waits at most `timeout_ms` for something to happen, then serves all of it: accepts, calls
    // `handler` for each request, sends. Stop and reload from a peer that may not change anything
    // are refused here.
    void serve(const Handler& handler, int timeout_ms);
    [[nodiscard]] std::size_t clients() const noexcept { return clients_.size(); }

  private:
    struct Client {
        int fd = -1;
        AdminPeer peer;
        std::vector<std::vector<std::uint8_t>> answers;  // packets still to be sent, in order
        std::size_t sent = 0;
        bool gone = false;
    };
    AdminSocket(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
    void accept_all();
    void receive(Client& client, const Handler& handler);
    void send(Client& client);

    int fd_;
    std::string path_;
    std::vector<Client> clients_;
};

}  // namespace seine::exporting
