// Sockets of account sources: opened with what keeps datagrams from being lost, closed with their
// files.
#pragma once
#include <cstdint>
#include <string>
#include <utility>

#include "dataplane/base/status.h"

namespace seine::account {

// A socket that is closed, and its file removed, when it goes.
class Socket {
  public:
    Socket() = default;
    Socket(int fd, std::string file) : fd_(fd), file_(std::move(file)) {}
    Socket(Socket&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), file_(std::move(other.file_)) {}
    Socket& operator=(Socket&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(file_, other.file_);
        return *this;
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket();
    [[nodiscard]] int fd() const noexcept { return fd_; }
    // The file that goes with it.
    void owns(std::string file) { file_ = std::move(file); }

  private:
    int fd_ = -1;
    std::string file_;
};

// Not blocking, with an 8 MiB receive buffer where the kernel allows it. A socket file that nobody
// holds any more is replaced.
Result<Socket> open_unix_datagram(const std::string& path, std::uint32_t mode);
// `place` is ADDRESS:PORT, [ADDRESS]:PORT for IPv6.
Result<Socket> open_udp(const std::string& place);
Result<Socket> open_tcp_listener(const std::string& place);

}  // namespace seine::account
