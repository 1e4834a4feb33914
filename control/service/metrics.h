// Metrics for Prometheus over HTTP, from counters that other parts keep.
#pragma once
#include <memory>
#include <string>

#include "dataplane/base/status.h"

namespace seine::service {

struct Parts;

// Label sets are bounded: destinations, rings and gateways (as configured), lanes, kinds of event, and names of counters in
// the code. Reads counters when it is asked, the dataplane's too, and keeps none.
class Metrics {
  public:
    // `address` is HOST:PORT. `parts` outlives this.
    static Result<std::unique_ptr<Metrics>> start(const std::string& address, Parts& parts);
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

  private:
    struct Inner;
    explicit Metrics(std::unique_ptr<Inner> inner);
    std::unique_ptr<Inner> inner_;
};

}  // namespace seine::service
