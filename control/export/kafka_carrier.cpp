// Kafka by librdkafka, idempotent and acknowledged by all in-sync replicas. The key of a message is
// what the keyed envelope put in front, so all of one account or farm is in one partition, in
// order.
#include <algorithm>
#include <librdkafka/rdkafka.h>
#include <vector>

#include "control/export/carrier.h"
#include "control/export/stream.h"

namespace seine::siem {
namespace {

struct Place {
    bool answered = false;
    bool arrived = false;
    rd_kafka_resp_err_t error{};
};

void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
    auto* place = static_cast<Place*>(message->_private);
    place->answered = true;
    place->arrived = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    place->error = message->err;
}

class Kafka final : public Carrier {
  public:
    explicit Kafka(CarrierSettings settings) : settings_(std::move(settings)) {}
    ~Kafka() override { reopen(); }
    Kafka(const Kafka&) = delete;
    Kafka& operator=(const Kafka&) = delete;
    [[nodiscard]] bool acknowledges() const noexcept override { return true; }
    [[nodiscard]] std::size_t batch_messages() const noexcept override { return 10'000; }
    [[nodiscard]] std::size_t batch_bytes() const noexcept override { return std::size_t{8} << 20; }
    void reopen() override {
        if (producer_ == nullptr) return;
        rd_kafka_purge(producer_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(producer_, 1000);
        if (topic_ != nullptr) rd_kafka_topic_destroy(topic_);
        topic_ = nullptr;
        rd_kafka_destroy(producer_);
        producer_ = nullptr;
    }

    // A first look at the settings, without connecting.
    Status make() {
        char words[512] = {};
        rd_kafka_conf_t* conf = rd_kafka_conf_new();
        const auto set = [&](const char* key, const std::string& value) {
            return rd_kafka_conf_set(conf, key, value.c_str(), words, sizeof words) ==
                   RD_KAFKA_CONF_OK;
        };
        bool sound = set("bootstrap.servers", settings_.brokers) && set("client.id", "seine") &&
                     set("enable.idempotence", "true") && set("acks", "all") &&
                     set("linger.ms", "5") && set("log_level", "0") &&
                     set("queue.buffering.max.messages", "100000") &&
                     set("message.timeout.ms", std::to_string(3 * settings_.timeout_ms));
        const bool sasl = !settings_.user.empty();
        if (settings_.tls.on) {
            sound = sound && set("security.protocol", sasl ? "SASL_SSL" : "SSL");
            if (!settings_.tls.ca_file.empty())
                sound = sound && set("ssl.ca.location", settings_.tls.ca_file);
            if (!settings_.tls.cert_file.empty())
                sound = sound && set("ssl.certificate.location", settings_.tls.cert_file);
            if (!settings_.tls.key_file.empty())
                sound = sound && set("ssl.key.location", settings_.tls.key_file);
        } else if (sasl) {
            sound = sound && set("security.protocol", "SASL_PLAINTEXT");
        }
        if (sasl)
            sound = sound && set("sasl.mechanism", "SCRAM-SHA-256") &&
                    set("sasl.username", settings_.user) && set("sasl.password", settings_.secret);
        if (!sound) {
            rd_kafka_conf_destroy(conf);
            return failed("export " + settings_.name + ": " + words);
        }
        rd_kafka_conf_set_dr_msg_cb(conf, delivered);
        producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, words, sizeof words);
        if (producer_ == nullptr) {
            rd_kafka_conf_destroy(conf);
            return failed("export " + settings_.name + ": " + words);
        }
        topic_ = rd_kafka_topic_new(producer_, settings_.topic.c_str(), nullptr);
        if (topic_ != nullptr) return {};
        reopen();
        return failed("export " + settings_.name + ": topic " + settings_.topic +
                      " is no name of a topic");
    }

    Delivery deliver(std::span<const std::string_view> messages,
                     const std::atomic<bool>& stop) override {
        Delivery delivery;
        if (producer_ == nullptr) delivery.status = make();
        if (!delivery.status.ok()) return delivery;
        places_.assign(messages.size(), Place{});
        for (std::size_t i = 0; i < messages.size(); ++i) {
            const std::string_view whole = messages[i];
            const std::size_t key_bytes =
                std::min<std::size_t>(static_cast<unsigned char>(whole[0]), whole.size() - 1);
            std::string value(whole.substr(1 + key_bytes));
            const int refused =
                rd_kafka_produce(topic_, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value.data(),
                                 value.size(), whole.data() + 1, key_bytes, &places_[i]);
            if (refused != 0) places_[i] = {true, false, rd_kafka_last_error()};
        }
        wait_for_all(stop);
        for (const Place& place : places_) {
            const bool for_good =
                place.answered && (place.error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
                                   place.error == RD_KAFKA_RESP_ERR_INVALID_MSG);
            if (!place.arrived && !for_good) {
                delivery.status = {Code::unreachable, settings_.brokers + ": topic " +
                                                          settings_.topic + ": " +
                                                          rd_kafka_err2str(place.error)};
                break;
            }
            ++delivery.accepted;
            delivery.refused += for_good ? 1 : 0;
        }
        if (!delivery.status.ok()) reopen();
        return delivery;
    }

  private:
    void wait_for_all(const std::atomic<bool>& stop) {
        const auto unanswered = [this] {
            return std::any_of(places_.begin(), places_.end(),
                               [](const Place& place) { return !place.answered; });
        };
        const std::int64_t until = steady_ms() + 4 * std::int64_t{settings_.timeout_ms};
        while (rd_kafka_outq_len(producer_) > 0 && !stop.load() && steady_ms() < until)
            rd_kafka_poll(producer_, 50);
        if (!unanswered()) return;
        // What is still under way gets its answer here, so that nobody writes to places_ later.
        rd_kafka_purge(producer_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        while (rd_kafka_outq_len(producer_) > 0) rd_kafka_poll(producer_, 50);
        for (Place& place : places_) {
            if (!place.answered) place = {true, false, RD_KAFKA_RESP_ERR__TIMED_OUT};
        }
    }

    CarrierSettings settings_;
    rd_kafka_t* producer_ = nullptr;
    rd_kafka_topic_t* topic_ = nullptr;
    std::vector<Place> places_;
};

}  // namespace

Result<std::unique_ptr<Carrier>> make_kafka_carrier(const CarrierSettings& settings) {
    if (settings.brokers.empty() || settings.topic.empty())
        return failed("export " + settings.name +
                      ": kafka needs `brokers` (host:port, comma-separated) and `topic`");
    auto made = std::make_unique<Kafka>(settings);
    const Status status = made->make();
    if (!status.ok()) return status;
    return std::unique_ptr<Carrier>(std::move(made));
}

}  // namespace seine::siem
