// The asker's end of a SOCK_SEQPACKET unix socket: connect, send a packet, wait for one, all with a
// bound.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"

namespace seine::command {

// Every failure has Code::unreachable when nobody listens or answers in time, with a message that
// names the path and what to do.
class Channel {
  public:
    // `daemon` is the program that messages name.
    static Result<Channel> connect(const std::string& path, int timeout_ms,
                                   const char* daemon = "seine-dataplane");
    ~Channel();
    Channel(Channel&& other) noexcept
        : fd_(other.fd_), path_(std::move(other.path_)), daemon_(other.daemon_) {
        other.fd_ = -1;
    }
    Channel& operator=(Channel&&) = delete;

    Status send(ByteView packet);
    // The next packet into `buffer`; its size. A packet that is longer than the buffer is an error,
    // and so is the end of the connection.
    Result<std::size_t> receive(std::span<std::uint8_t> buffer, int timeout_ms);

  private:
    Channel(int fd, std::string path, const char* daemon)
        : fd_(fd), path_(std::move(path)), daemon_(daemon) {}
    int fd_;
    std::string path_;
    const char* daemon_;
};

}  // namespace seine::command
