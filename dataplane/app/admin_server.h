// Answers seinectl: counters at any time, and a request to stop.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "dataplane/app/rule_keeper.h"
#include "dataplane/base/status.h"
#include "dataplane/export/admin_socket.h"

namespace seine::app {

class AdminServer {
  public:
    using Document = std::function<std::string()>;
    using Stop = std::function<void()>;

    // An empty path gives a server that only waits. `rules` outlives it.
    static Result<AdminServer> open(const std::string& path, Document document, Stop stop, RuleKeeper& rules);

    // Serves what comes within `timeout_ms`, from the main thread.
    void serve(int timeout_ms);

  private:
    [[nodiscard]] Status change_rules(const contract::AdminMessage& request);
    AdminServer() = default;
    std::unique_ptr<exporting::AdminSocket> socket_;
    Document document_;
    Stop stop_;
    RuleKeeper* rules_ = nullptr;
};

}  // namespace seine::app
