// The admin socket: one poll round at a time, nothing that can block.
#include "dataplane/export/admin_socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace seine::exporting {

using contract::AdminKind;
using contract::AdminMessage;

namespace {

Status cannot(const std::string& path, const std::string& what) {
    return failed(path + ": " + what + ": " + std::strerror(errno));
}

// The sockets API takes every kind of address by this type.
const sockaddr* generic(const sockaddr_un& address) noexcept {
    return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

int connect_to(const sockaddr_un& address) {
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return errno;
    const int error = ::connect(fd, generic(address), sizeof address) == 0 ? 0 : errno;
    ::close(fd);
    return error;
}

// Removes a socket file that nobody serves any more; anything else stays and is an error.
Status clear_way(const std::string& path, const sockaddr_un& address) {
    struct stat about = {};
    if (::lstat(path.c_str(), &about) != 0) return {};
    if (!S_ISSOCK(about.st_mode))
        return failed(path + ": not a socket; remove it or name another path with --socket");
    if (connect_to(address) != ECONNREFUSED) {
        return failed(
            path + ": another dataplane answers here; stop it or name another path with --socket");
    }
    if (::unlink(path.c_str()) != 0)
        return cannot(path, "the socket left by an earlier run cannot be removed");
    return {};
}

bool changes_something(AdminKind kind) noexcept {
    return kind == AdminKind::stop || kind == AdminKind::reload || kind == AdminKind::verdict ||
           kind == AdminKind::confirm || kind == AdminKind::rollback;
}

}  // namespace

Result<std::unique_ptr<AdminSocket>> AdminSocket::listen(const std::string& path, unsigned mode) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return failed(path + ": a socket path has 1 to " +
                      std::to_string(sizeof address.sun_path - 1) + " bytes");
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    const Status clear = clear_way(path, address);
    if (!clear.ok()) return clear;
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return cannot(path, "no socket");
    if (::bind(fd, generic(address), sizeof address) != 0) {
        const Status status =
            cannot(path, "the admin socket cannot be made; its folder must exist and be writable");
        ::close(fd);
        return status;
    }
    // From here the file is ours to remove.
    std::unique_ptr<AdminSocket> socket(new AdminSocket(fd, path));
    if (::chmod(path.c_str(), mode) != 0) return cannot(path, "its mode cannot be set");
    if (::listen(fd, static_cast<int>(kClientsMax)) != 0)
        return cannot(path, "it cannot be listened on");
    return socket;
}

AdminSocket::~AdminSocket() {
    for (Client& client : clients_) ::close(client.fd);
    ::close(fd_);
    static_cast<void>(::unlink(path_.c_str()));
}

void AdminSocket::serve(const Handler& handler, int timeout_ms) {
    std::vector<pollfd> ready;
    ready.push_back({fd_, POLLIN, 0});
    for (const Client& client : clients_) {
        // One request at a time: the next is read when the answer is gone.
        ready.push_back(
            {client.fd, static_cast<short>(client.answers.empty() ? POLLIN : POLLOUT), 0});
    }
    if (::poll(ready.data(), ready.size(), timeout_ms) <= 0) return;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
        const short events = ready[i + 1].revents;
        if (events == 0) continue;
        if ((events & POLLOUT) != 0) send(clients_[i]);
        if ((events & POLLIN) != 0) receive(clients_[i], handler);
        if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0 && (events & POLLIN) == 0)
            clients_[i].gone = true;
    }
    for (Client& client : clients_) {
        if (client.gone) ::close(client.fd);
    }
    std::erase_if(clients_, [](const Client& client) { return client.gone; });
    if (ready[0].revents != 0) accept_all();
}

void AdminSocket::accept_all() {
    while (true) {
        const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return;
        ucred credentials = {};
        socklen_t bytes = sizeof credentials;
        if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) != 0) {
            ::close(fd);
            continue;
        }
        if (clients_.size() == kClientsMax) {  // the one that came first has had its time
            ::close(clients_.front().fd);
            clients_.erase(clients_.begin());
        }
        Client client;
        client.fd = fd;
        client.peer = {static_cast<std::uint32_t>(credentials.pid), credentials.uid,
                       credentials.gid, credentials.uid == 0 || credentials.uid == ::geteuid()};
        clients_.push_back(std::move(client));
    }
}

void AdminSocket::receive(Client& client, const Handler& handler) {
    std::uint8_t packet[contract::kAdminHeaderBytes + 8 + contract::kAdminPathBytesMax + 1];
    const ssize_t got = ::recv(client.fd, packet, sizeof packet, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    AdminMessage request;
    if (got <= 0 || static_cast<std::size_t>(got) > sizeof packet ||
        contract::decode_admin({packet, static_cast<std::size_t>(got)}, request) != Parse::ok ||
        request.more) {
        client.gone = true;
        return;
    }
    AdminReply reply;
    if (changes_something(request.kind) && !client.peer.may_change) {
        reply.refused("only root and the user the dataplane runs as may do this");
    } else {
        handler(client.peer, request, reply);
    }
    if (reply.body_.size() > contract::kAdminDocumentBytesMax)
        reply.refused("the answer is too long");
    client.answers = contract::admin_packets(reply.kind_, request.sequence, reply.body_);
    client.sent = 0;
    send(client);
}

void AdminSocket::send(Client& client) {
    while (client.sent < client.answers.size()) {
        const std::vector<std::uint8_t>& packet = client.answers[client.sent];
        if (::send(client.fd, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != ENOBUFS) client.gone = true;
            return;
        }
        ++client.sent;
    }
    client.answers.clear();
}

}  // namespace seine::exporting
