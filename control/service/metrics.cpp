// prometheus-cpp serves; the families are made anew at every scrape.
#include "control/service/metrics.h"

#include <algorithm>
#include <exception>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>

#include "control/service/metric_family.h"
#include "control/service/metrics_line.h"
#include "control/service/parts.h"
#include "control/service/tunables.h"

namespace seine::service {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view kEventKinds[] = {"signature_alert", "flow_summary", "farm",
                                       "account_evidence", "health"};
constexpr const char* kLanes[] = {"findings", "flows"};

void add_lanes(Family& family, const std::string& name,
               const std::array<std::uint64_t, siem::kLaneCount>& counts) {
    for (std::size_t lane = 0; lane < counts.size(); ++lane)
        family.add({{"destination", name}, {"lane", kLanes[lane]}},
                   static_cast<double>(counts[lane]));
}

void add_destinations(std::vector<MetricFamily>& out,
                      const std::vector<siem::DestinationStatus>& all, double now_ns) {
    using Counts = std::array<std::uint64_t, siem::kLaneCount> siem::OutboxCounts::*;
    struct Lane {
        const char* name;
        const char* help;
        MetricType type;
        Counts counts;
    };
    constexpr Lane kByLane[] = {
        {"seine_export_queued_events_total", "Events put into the outbox", MetricType::Counter,
         &siem::OutboxCounts::appended},
        {"seine_export_delivered_events_total", "Events that the receiver took",
         MetricType::Counter, &siem::OutboxCounts::acknowledged},
        {"seine_export_shed_events_total",
         "Events given up because the outbox or the disk was full", MetricType::Counter,
         &siem::OutboxCounts::shed},
        {"seine_export_waiting_events", "Events that wait", MetricType::Gauge,
         &siem::OutboxCounts::waiting}};
    for (const Lane& lane : kByLane) {
        Family family(out, lane.name, lane.help, lane.type);
        for (const auto& at : all) add_lanes(family, at.name, at.outbox.*lane.counts);
    }
    const auto each = [&](const char* name, const char* help, MetricType type, auto value) {
        Family family(out, name, help, type);
        for (const auto& at : all)
            family.add({{"destination", at.name}}, static_cast<double>(value(at)));
    };
    using At = const siem::DestinationStatus&;
    each("seine_export_up", "1: the last delivery went through", MetricType::Gauge,
         [](At at) { return at.up ? 1 : 0; });
    each("seine_export_paused", "1: an operator paused it", MetricType::Gauge,
         [](At at) { return at.paused ? 1 : 0; });
    each("seine_export_waiting_bytes", "Bytes that wait", MetricType::Gauge,
         [](At at) { return at.outbox.waiting_bytes; });
    each("seine_export_outbox_bytes", "Bytes of outbox files on the disk", MetricType::Gauge,
         [](At at) { return at.outbox.file_bytes; });
    each("seine_export_oldest_seconds", "Age of the oldest event that waits", MetricType::Gauge,
         [now_ns](At at) {
             return at.outbox.oldest_ns == 0
                        ? 0.0
                        : std::max(0.0, (now_ns - static_cast<double>(at.outbox.oldest_ns)) / 1e9);
         });
    each("seine_export_refused_events_total", "Events that the receiver refused for good",
         MetricType::Counter, [](At at) { return at.refused; });
    each("seine_export_filtered_events_total", "Events that the destination's filter kept back",
         MetricType::Counter, [](At at) { return at.filtered; });
    each("seine_export_failed_deliveries_total", "Deliveries that failed and were tried again",
         MetricType::Counter, [](At at) { return at.deliveries_failed; });
    each("seine_export_delivered_bytes_total", "Bytes delivered", MetricType::Counter,
         [](At at) { return at.delivered_bytes; });
    Family delay(out, "seine_export_delay_seconds",
                 "Findings from the outbox to the receiver, by the oldest of a batch",
                 MetricType::Histogram);
    for (const auto& at : all)
        delay.add_histogram({{"destination", at.name}}, at.delay_sum_seconds,
                            [&at](std::size_t i) { return at.delay_counts[i]; });
}

// A scrape waits no longer for a dataplane that does not answer.
constexpr int kDataplaneMs = 1000;

class Collector final : public prometheus::Collectable {
  public:
    explicit Collector(Parts& parts) : parts_(parts) {}
    [[nodiscard]] std::vector<MetricFamily> Collect() const override {
        std::vector<MetricFamily> out;
        siem::Exporter& exporter = parts_.tunables->exporter();
        const auto now_ns = static_cast<double>(parts_.now().count);
        {
            Family family(out, "seine_events_total", "Events by kind, before any filter",
                          MetricType::Counter);
            const auto counts = exporter.submitted();
            for (std::size_t i = 0; i < counts.size(); ++i)
                family.add({{"kind", std::string(kEventKinds[i])}}, static_cast<double>(counts[i]));
        }
        {
            Family family(out, "seine_event_age_seconds",
                          "From what a finding tells of, such as a packet, to the finding",
                          MetricType::Histogram);
            family.add_histogram({}, exporter.age().sum_seconds(),
                                 [&exporter](std::size_t i) { return exporter.age().count(i); });
        }
        add_destinations(out, exporter.status(), now_ns);
        add_control_metrics(out, parts_);
        add_dataplane_metrics(out, parts_.config.dataplane_socket, kDataplaneMs);
        const auto one = [&out](const char* name, const char* help, MetricType type, double value) {
            Family(out, name, help, type).add({}, value);
        };
        one("seine_config_revision", "Configuration revision in effect", MetricType::Gauge,
            static_cast<double>(parts_.tunables->revisions().running()));
        one("seine_config_not_in_effect", "Parts of the running revision that are not in effect",
            MetricType::Gauge,
            static_cast<double>(parts_.tunables->revisions().left_out().size()));
        one("seine_config_unconfirmed", "1: a commit waits to be confirmed", MetricType::Gauge,
            parts_.tunables->revisions().confirm_by() ? 1 : 0);
        one("seine_control_start_seconds", "When control started, since 1970", MetricType::Gauge,
            static_cast<double>(parts_.started.count) / 1e9);
        if (parts_.questions != nullptr) {
            one("seine_control_questions_total", "Requests of seinectl", MetricType::Counter,
                static_cast<double>(parts_.questions->requests.load()));
            one("seine_control_failed_questions_total", "Requests that failed", MetricType::Counter,
                static_cast<double>(parts_.questions->failures.load()));
        }
        return out;
    }

  private:
    Parts& parts_;
};

}  // namespace

struct Metrics::Inner {
    std::unique_ptr<prometheus::Exposer> exposer;
    std::shared_ptr<Collector> collector;
};

Metrics::Metrics(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
Metrics::~Metrics() = default;

Result<std::unique_ptr<Metrics>> Metrics::start(const std::string& address, Parts& parts) {
    auto inner = std::make_unique<Inner>();
    try {
        inner->exposer = std::make_unique<prometheus::Exposer>(address, 1);
    } catch (const std::exception&) {
        return failed("metrics " + address +
                      ": cannot listen there; choose a free HOST:PORT, or leave metrics empty");
    }
    inner->collector = std::make_shared<Collector>(parts);
    inner->exposer->RegisterCollectable(inner->collector);
    return std::unique_ptr<Metrics>(new Metrics(std::move(inner)));
}

}  // namespace seine::service
