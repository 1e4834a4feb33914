// Metrics of the line before events: the dataplane's counters, rings, join, store and farms.
#pragma once
#include <prometheus/metric_family.h>
#include <string>
#include <vector>

namespace seine::service {

struct Parts;

// What control counts itself. Labels: rings as configured, counters by the names in the code.
void add_control_metrics(std::vector<prometheus::MetricFamily>& out, const Parts& parts);

// What the dataplane at `socket` answers within `timeout_ms`, and whether it does.
void add_dataplane_metrics(std::vector<prometheus::MetricFamily>& out, const std::string& socket,
                           int timeout_ms);
// Of a stats document; of one that is none, nothing.
void add_dataplane_counters(std::vector<prometheus::MetricFamily>& out,
                            const std::string& document);

}  // namespace seine::service
