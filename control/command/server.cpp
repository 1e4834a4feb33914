// One thread polls the clients, a few answer; packets cross between them by two queues.
#include "control/command/server.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/command/unix_address.h"
#include "dataplane/contract/admin.h"

namespace seine::command {

using contract::AdminKind;
using contract::AdminMessage;

struct Server::Client {
    int fd = -1;
    std::uint64_t id = 0;
    Peer peer;
    bool asked = false;  // its request is with the answerers
    bool gone = false;
    std::vector<std::vector<std::uint8_t>> packets;  // still to be sent, in order
    std::size_t sent = 0;

    ~Client() { ::close(fd); }
};

namespace {

Status cannot(const std::string& path, const std::string& what) {
    return failed(path + ": " + what + ": " + std::strerror(errno));
}

// Removes a socket file that nobody serves any more; anything else stays and is an error.
Status clear_way(const std::string& path, const sockaddr_un& address) {
    struct stat about = {};
    if (::lstat(path.c_str(), &about) != 0) return {};
    if (!S_ISSOCK(about.st_mode))
        return failed(path + ": not a socket; remove it or name another path in the configuration");
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const bool answers = fd < 0 || ::connect(fd, generic(address), sizeof address) == 0 || errno != ECONNREFUSED;
    if (fd >= 0) ::close(fd);
    if (answers)
        return failed(path + ": another seine-control answers here; stop it or name another path");
    if (::unlink(path.c_str()) != 0)
        return cannot(path, "the socket left by an earlier run cannot be removed");
    return {};
}

Status find_group(const std::string& name, std::uint32_t& gid) {
    if (name.empty()) return {};
    const group* found = ::getgrnam(name.c_str());
    if (found == nullptr)
        return {Code::usage, "no group " + name + " on this machine; make it with `groupadd --system " + name +
                                 "` or leave the setting out"};
    gid = found->gr_gid;
    return {};
}

}  // namespace

Server::Server(const ServerConfig& config, Handler handler)
    : config_(config),
      handler_(std::move(handler)),
      counters_(config.counters == nullptr ? own_counters_ : *config.counters) {}

Result<std::unique_ptr<Server>> Server::start(const ServerConfig& config, Handler handler) {
    std::unique_ptr<Server> server(new Server(config, std::move(handler)));
    const Status status = server->open();
    if (!status.ok()) return status;
    server->poller_ = std::thread([raw = server.get()] { raw->poll_clients(); });
    for (unsigned i = 0; i < std::max(1u, config.threads); ++i)
        server->answerers_.emplace_back([raw = server.get()] { raw->answer_requests(); });
    return server;
}

Status Server::open() {
    const std::string& path = config_.path;
    for (const auto& [name, gid] : {std::pair{&config_.reader_group, &reader_gid_},
                                    std::pair{&config_.operator_group, &operator_gid_}}) {
        const Status status = find_group(*name, *gid);
        if (!status.ok()) return status;
    }
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return {Code::usage, path + ": a socket path has 1 to " +
                                 std::to_string(sizeof address.sun_path - 1) + " bytes"};
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    const Status clear = clear_way(path, address);
    if (!clear.ok()) return clear;
    const int listening = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listening < 0) return cannot(path, "no socket");
    if (::bind(listening, generic(address), sizeof address) != 0) {
        const Status status =
            cannot(path, "the socket cannot be made; its folder must exist and be writable");
        ::close(listening);
        return status;
    }
    listening_ = listening;  // from here the file is ours to remove
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return cannot(path, "no socket");
    waker_ = pair[0];
    woken_ = pair[1];
    // Who may ask is checked for each connection; the mode only has to let groups through.
    const bool groups = !config_.reader_group.empty() || !config_.operator_group.empty();
    if (::chmod(path.c_str(), groups ? 0666 : 0600) != 0)
        return cannot(path, "its mode cannot be set");
    if (::listen(listening_, 16) != 0) return cannot(path, "it cannot be listened on");
    return {};
}

Server::~Server() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    work_there_.notify_all();
    if (waker_ >= 0) wake();
    if (poller_.joinable()) poller_.join();
    for (std::thread& thread : answerers_) thread.join();
    if (listening_ >= 0) {
        ::close(listening_);
        static_cast<void>(::unlink(config_.path.c_str()));
    }
    for (const int fd : {waker_, woken_}) {
        if (fd >= 0) ::close(fd);
    }
}

void Server::wake() const {
    const std::uint8_t one = 1;
    static_cast<void>(::send(waker_, &one, 1, MSG_NOSIGNAL));  // full: a wake is under way already
}

bool Server::role_of(int fd, Peer& peer) const {
    ucred credentials = {};
    socklen_t bytes = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) != 0) return false;
    peer.process = static_cast<std::uint32_t>(credentials.pid);
    peer.user = credentials.uid;
    peer.role = Role::operating;
    if (credentials.uid == 0 || credentials.uid == ::geteuid()) return true;
    std::vector<gid_t> groups(256);
    bytes = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    groups.resize(::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes) == 0
                      ? bytes / sizeof(gid_t)
                      : 0);
    groups.push_back(credentials.gid);
    const auto member = [&groups](gid_t gid) {
        return std::find(groups.begin(), groups.end(), gid) != groups.end();
    };
    if (!config_.operator_group.empty() && member(operator_gid_)) return true;
    peer.role = Role::reader;
    return !config_.reader_group.empty() && member(reader_gid_);
}

void Server::accept_all() {
    while (true) {
        const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return;
        auto client = std::make_unique<Client>();
        client->fd = fd;
        const char* why = nullptr;
        if (!role_of(fd, client->peer)) {
            counters_.refused_peers.fetch_add(1, std::memory_order_relaxed);
            why = "you may not ask here; become a member of the reader or operator group of its "
                  "configuration";
        } else if (clients_.size() >= kClientsMax) {
            counters_.clients_refused.fetch_add(1, std::memory_order_relaxed);
            why = "too many clients at once; try again";
        }
        if (why != nullptr) {
            const auto packets =
                contract::admin_packets(AdminKind::failure, 1, encode_failure(failed(config_.path + ": " + why)));
            static_cast<void>(
                ::send(fd, packets[0].data(), packets[0].size(), MSG_NOSIGNAL | MSG_DONTWAIT));
            continue;
        }
        client->id = next_client_++;
        clients_.push_back(std::move(client));
    }
}

void Server::receive(Client& client) {
    std::vector<std::uint8_t> packet(contract::kAdminMessageBytesMax);
    const ssize_t got = ::recv(client.fd, packet.data(), packet.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    AdminMessage message;
    const bool fits = got > 0 && static_cast<std::size_t>(got) <= packet.size();
    const bool sound =
        fits && contract::decode_admin({packet.data(), static_cast<std::size_t>(got)}, message) == Parse::ok &&
        message.kind == AdminKind::ask && !message.more;
    if (!sound) {
        if (got > 0) counters_.bad_packets.fetch_add(1, std::memory_order_relaxed);
        client.gone = true;
        return;
    }
    client.asked = true;
    {
        const std::lock_guard lock(mutex_);
        work_.push_back({client.id, message.sequence, client.peer, std::string(as_text(message.body))});
    }
    work_there_.notify_one();
}

void Server::send(Client& client) {
    while (client.sent < client.packets.size()) {
        const auto& packet = client.packets[client.sent];
        if (::send(client.fd, packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
            if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) return;
            client.gone = true;
            return;
        }
        ++client.sent;
    }
    client.packets.clear();
    client.sent = 0;
}

void Server::collect() {
    std::uint8_t drained[64];
    while (::recv(woken_, drained, sizeof drained, MSG_DONTWAIT) > 0) {
    }
    std::vector<Done> done;
    {
        const std::lock_guard lock(mutex_);
        done.swap(done_);
    }
    for (Done& each : done) {
        const auto client = std::find_if(clients_.begin(), clients_.end(),
                                         [&each](const auto& one) { return one->id == each.client; });
        if (client == clients_.end()) continue;  // it did not wait
        (*client)->asked = false;
        (*client)->packets = std::move(each.packets);
        send(**client);
    }
}

void Server::poll_clients() {
    std::vector<pollfd> ready;
    while (true) {
        ready.assign({{listening_, POLLIN, 0}, {woken_, POLLIN, 0}});
        for (const auto& client : clients_) {
            // While its request is answered only the end of the connection is of interest.
            const int events = client->asked ? 0 : client->packets.empty() ? POLLIN : POLLOUT;
            ready.push_back({client->fd, static_cast<short>(events), 0});
        }
        if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return;
        {
            const std::lock_guard lock(mutex_);
            if (stopping_) break;
        }
        for (std::size_t i = 0; i + 2 < ready.size(); ++i) {
            const short events = ready[i + 2].revents;
            Client& client = *clients_[i];
            if ((events & POLLOUT) != 0) send(client);
            if ((events & POLLIN) != 0 && !client.asked) receive(client);
            if ((events & (POLLERR | POLLHUP)) != 0 && (events & POLLIN) == 0) client.gone = true;
        }
        if (ready[1].revents != 0) collect();
        std::erase_if(clients_, [](const auto& client) { return client->gone; });
        if (ready[0].revents != 0) accept_all();
    }
    clients_.clear();
}

void Server::answer_requests() {
    std::unique_lock lock(mutex_);
    while (true) {
        work_there_.wait(lock, [this] { return stopping_ || !work_.empty(); });
        if (stopping_) return;
        const Work work = std::move(work_.front());
        work_.pop_front();
        lock.unlock();
        counters_.requests.fetch_add(1, std::memory_order_relaxed);
        auto request = read_request(work.body);
        if (request) request->peer = work.peer;
        const Result<std::string> answer =
            request ? handler_(*request) : Result<std::string>(request.error());
        if (!answer) counters_.failures.fetch_add(1, std::memory_order_relaxed);
        Done done{work.client,
                  answer ? contract::admin_packets(AdminKind::document, work.sequence, *answer)
                         : contract::admin_packets(AdminKind::failure, work.sequence, encode_failure(answer.error()))};
        lock.lock();
        done_.push_back(std::move(done));
        wake();
    }
}

}  // namespace seine::command
