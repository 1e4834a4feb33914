// The asker's end of control's socket: one request, one document or one failure.
#pragma once
#include <string>

#include "control/command/channel.h"
#include "control/command/request.h"

namespace seine::command {

inline constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 20;

// May ask again and again on one connection; not for two threads at once.
class Client {
  public:
    // Code::unreachable when nobody answers at the path.
    static Result<Client> connect(const std::string& path, int timeout_ms);

    // The document, as it came. A failure keeps the code that control gave it. `timeout_ms` of
    // connect() bounds the wait for each part. Code::not_found with kNotControl as its message
    // says that a dataplane answers at the path.
    Result<std::string> ask(const Request& request);
    static constexpr char kNotControl[] = "a dataplane answers here, not seine-control";

  private:
    Client(Channel channel, std::string path, int timeout_ms)
        : channel_(std::move(channel)), path_(std::move(path)), timeout_ms_(timeout_ms) {}
    Channel channel_;
    std::string path_;
    int timeout_ms_;
    std::uint32_t sequence_ = 0;
};

}  // namespace seine::command
