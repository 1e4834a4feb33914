// One family of metrics while it is put together for a scrape.
#pragma once
#include <cmath>
#include <cstdint>
#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>
#include <string>
#include <utility>
#include <vector>

#include "control/export/histogram.h"

namespace seine::service {

class Family {
  public:
    using Labels = std::vector<prometheus::ClientMetric::Label>;
    Family(std::vector<prometheus::MetricFamily>& out, std::string name, std::string help,
           prometheus::MetricType type)
        : out_(out) {
        family_.name = std::move(name);
        family_.help = std::move(help);
        family_.type = type;
    }
    ~Family() { out_.push_back(std::move(family_)); }
    Family(const Family&) = delete;
    Family& operator=(const Family&) = delete;
    void add(Labels labels, double value) {
        prometheus::ClientMetric metric;
        metric.label = std::move(labels);
        if (family_.type == prometheus::MetricType::Counter) metric.counter.value = value;
        if (family_.type == prometheus::MetricType::Gauge) metric.gauge.value = value;
        family_.metric.push_back(std::move(metric));
    }
    void count(Labels labels, std::uint64_t value) {
        add(std::move(labels), static_cast<double>(value));
    }
    template <typename Count>
    void add_histogram(Labels labels, double sum, Count&& count) {
        prometheus::ClientMetric metric;
        metric.label = std::move(labels);
        std::uint64_t total = 0;
        for (std::size_t i = 0; i <= siem::Histogram::kEnds.size(); ++i) {
            total += count(i);
            const bool last = i == siem::Histogram::kEnds.size();
            metric.histogram.bucket.push_back({total, last ? HUGE_VAL : siem::Histogram::kEnds[i]});
        }
        metric.histogram.sample_count = total;
        metric.histogram.sample_sum = sum;
        family_.metric.push_back(std::move(metric));
    }

  private:
    std::vector<prometheus::MetricFamily>& out_;
    prometheus::MetricFamily family_;
};

}  // namespace seine::service
