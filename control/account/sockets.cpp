#include "control/account/sockets.h"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/account/log_line.h"
#include "control/model/address.h"

namespace seine::account {
namespace {

constexpr int kReceiveBytes = 8 << 20;

Status wrong(const std::string& place, const char* what) {
    return failed(place + ": " + what + " (" + std::strerror(errno) + ")");
}

// Addresses of every family are handed to the kernel as its generic one.
const sockaddr* generic(const void* address) noexcept {
    return static_cast<const sockaddr*>(address);
}

Result<Socket> open_inet(const std::string& place, int type) {
    model::Address address{};
    std::uint16_t port = 0;
    if (!read_end(place, address, port) || port == 0) {
        return Status(Code::usage,
                      place + ": expected ADDRESS:PORT, as in 127.0.0.1:4711 or [::1]:4711");
    }
    const bool v4 = model::is_v4(address);
    Socket socket(::socket(v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), {});
    if (socket.fd() < 0) return wrong(place, "no socket");
    const int on = 1;
    static_cast<void>(::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    static_cast<void>(::setsockopt(socket.fd(), SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on));
    if (::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes,
                     sizeof kReceiveBytes) != 0) {
        static_cast<void>(
            ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof kReceiveBytes));
    }
    sockaddr_in6 six{};
    sockaddr_in four{};
    six.sin6_family = AF_INET6;
    six.sin6_port = four.sin_port = htons(port);
    four.sin_family = AF_INET;
    std::memcpy(&six.sin6_addr, address.data(), 16);
    std::memcpy(&four.sin_addr, address.data() + 12, 4);
    const int bound = v4 ? ::bind(socket.fd(), generic(&four), sizeof four)
                         : ::bind(socket.fd(), generic(&six), sizeof six);
    if (bound != 0) return wrong(place, "cannot be listened on");
    if (type == SOCK_STREAM && ::listen(socket.fd(), 16) != 0)
        return wrong(place, "cannot be listened on");
    return socket;
}

}  // namespace

Socket::~Socket() {
    if (fd_ < 0) return;
    ::close(fd_);
    if (!file_.empty()) static_cast<void>(::unlink(file_.c_str()));
}

Result<Socket> open_udp(const std::string& place) { return open_inet(place, SOCK_DGRAM); }
Result<Socket> open_tcp_listener(const std::string& place) { return open_inet(place, SOCK_STREAM); }

Result<Socket> open_unix_datagram(const std::string& path, std::uint32_t mode) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return Status(Code::usage, path + ": too long for a socket's path");
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return wrong(path, "no socket");
    Socket socket(fd, {});
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes, sizeof kReceiveBytes) != 0) {
        static_cast<void>(
            ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof kReceiveBytes));
    }
    if (::bind(fd, generic(&address), sizeof address) != 0) {
        if (errno != EADDRINUSE) return wrong(path, "cannot be listened on");
        struct stat about {};
        if (::stat(path.c_str(), &about) != 0 || !S_ISSOCK(about.st_mode))
            return wrong(path, "is there, and no socket");
        const int probe = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        const bool alive = ::connect(probe, generic(&address), sizeof address) == 0;
        ::close(probe);
        if (alive) return failed(path + ": another process listens there");
        static_cast<void>(::unlink(path.c_str()));
        if (::bind(fd, generic(&address), sizeof address) != 0)
            return wrong(path, "cannot be listened on");
    }
    if (::chmod(path.c_str(), mode) != 0) return wrong(path, "its mode cannot be set");
    socket.owns(path);
    return socket;
}

}  // namespace seine::account
