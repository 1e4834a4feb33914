// The client side of the admin sockets.
#include "control/command/channel.h"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/command/unix_address.h"

namespace seine::command {
namespace {

Status unreachable(const std::string& path, const std::string& why) {
    return {Code::unreachable, path + ": " + why};
}

// Why connect() failed, in words that say what to do.
std::string reason(int error, const std::string& daemon) {
    switch (error) {
        case ENOENT:
            return "no socket here; start " + daemon + ", or name its socket with --socket PATH";
        case ECONNREFUSED:
            return "nobody answers; " + daemon + " has ended, start it again";
        case EACCES:
        case EPERM:
            return "not allowed; run as root or as a member of the socket's group";
        case EPROTOTYPE:
        case ENOTSOCK:
            return "not a socket of " + daemon + "; name it with --socket PATH";
        case EAGAIN:
            return daemon + " does not take the connection; it may be stalled";
        default:
            return std::string("cannot be reached: ") + std::strerror(error);
    }
}

}  // namespace

Result<Channel> Channel::connect(const std::string& path, int timeout_ms,
                                 const char* daemon) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return Status(Code::usage, "a socket path has 1 to " +
                                       std::to_string(sizeof address.sun_path - 1) + " bytes");
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) return failed(std::string("no socket can be made: ") + std::strerror(errno));
    Channel channel(fd, path, daemon);
    // Bounds connect() on a server whose queue is full, and send().
    const timeval patience = {timeout_ms / 1000, (timeout_ms % 1000) * 1000};
    static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience));
    if (::connect(fd, generic(address), sizeof address) != 0) {
        return unreachable(path, reason(errno, daemon));
    }
    return channel;
}

Channel::~Channel() {
    if (fd_ >= 0) ::close(fd_);
}

Status Channel::send(ByteView packet) {
    while (true) {
        if (::send(fd_, packet.data(), packet.size(), MSG_NOSIGNAL) >= 0) return {};
        if (errno == EINTR) continue;
        if (errno == EPIPE || errno == ECONNRESET)
            return unreachable(path_, std::string(daemon_) + " ended the connection");
        return unreachable(path_,
                           std::string("the request cannot be sent: ") + std::strerror(errno));
    }
}

Result<std::size_t> Channel::receive(std::span<std::uint8_t> buffer, int timeout_ms) {
    pollfd ready = {fd_, POLLIN, 0};
    int polled = 0;
    do {
        polled = ::poll(&ready, 1, timeout_ms);
    } while (polled < 0 && errno == EINTR);
    if (polled == 0) {
        return unreachable(path_, "no answer within " + std::to_string(timeout_ms) +
                                      " ms; " + daemon_ + " may be stalled");
    }
    const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), MSG_TRUNC);
    if (got < 0)
        return unreachable(path_,
                           std::string("the answer cannot be read: ") + std::strerror(errno));
    if (got == 0) return unreachable(path_, std::string(daemon_) + " ended the connection");
    if (static_cast<std::size_t>(got) > buffer.size()) {
        return failed(path_ + ": an answer of " + std::to_string(got) +
                      " bytes, more than an answer may have");
    }
    return static_cast<std::size_t>(got);
}

}  // namespace seine::command
