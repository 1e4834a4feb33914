// Elasticsearch's _bulk, and a plain webhook. Bulk: every event is a create under its own id, so a
// repeat is a conflict (409) that counts as arrived. Webhook: lines of messages in one POST, 2xx
// says that all of them arrived.
#include <algorithm>

#include <simdjson.h>

#include "control/export/http_client.h"
#include "control/export/stream.h"

namespace seine::siem {
namespace {

constexpr const char* kLinesType = "Content-Type: application/x-ndjson";

// One message a line.
void write_lines(std::span<const std::string_view> messages, std::string& body) {
    body.clear();
    for (const std::string_view message : messages) body.append(message).push_back('\n');
}

class Bulk final : public Carrier {
  public:
    Bulk(CarrierSettings settings, std::unique_ptr<HttpClient> http)
        : settings_(std::move(settings)), http_(std::move(http)) {}
    [[nodiscard]] bool acknowledges() const noexcept override { return true; }
    [[nodiscard]] std::size_t batch_messages() const noexcept override { return 5000; }
    [[nodiscard]] std::size_t batch_bytes() const noexcept override { return std::size_t{5} << 20; }
    void reopen() override { http_->forget_connection(); }

    Delivery deliver(std::span<const std::string_view> messages,
                     const std::atomic<bool>& stop) override {
        write_lines(messages, body_);
        std::vector<std::string> headers{kLinesType};
        if (settings_.user.empty() && !settings_.secret.empty())
            headers.push_back("Authorization: ApiKey " + settings_.secret);
        const auto answer = http_->post(settings_.url, body_, headers, stop);
        Delivery delivery;
        if (!answer) {
            delivery.status = answer.error();
            return delivery;
        }
        if (answer->code < 200 || answer->code > 299) return refused_by(*answer, settings_.url);
        return read_items(answer->body, messages.size());
    }

  private:
    // {"errors":true,"items":[{"create":{"status":201}},..]}: one item a message, in order.
    Delivery read_items(const std::string& body, std::size_t count) {
        Delivery delivery;
        simdjson::dom::element document;
        simdjson::dom::array items;
        if (parser_.parse(body).get(document) != simdjson::SUCCESS ||
            document["items"].get_array().get(items) != simdjson::SUCCESS) {
            delivery.status = failed(settings_.url +
                                     ": the answer is no bulk answer; does `url` end with /_bulk?");
            return delivery;
        }
        bool in_order = true;
        for (const simdjson::dom::element item : items) {
            std::uint64_t status = 0;
            if (item["create"]["status"].get_uint64().get(status) != simdjson::SUCCESS) break;
            const bool again = status == 429 || status >= 500;
            if (again) {
                in_order = false;
                delivery.status =
                    failed(settings_.url + ": busy (" + std::to_string(status) + " for an event)");
            }
            if (!in_order) continue;
            if (delivery.accepted == count) break;
            ++delivery.accepted;
            if (status >= 400 && status != 409) ++delivery.refused;
        }
        if (delivery.accepted < count && delivery.status.ok())
            delivery.status =
                failed(settings_.url + ": the answer names fewer events than were sent");
        return delivery;
    }

    CarrierSettings settings_;
    std::unique_ptr<HttpClient> http_;
    std::string body_;
    simdjson::dom::parser parser_;
};

class Webhook final : public Carrier {
  public:
    Webhook(CarrierSettings settings, std::unique_ptr<HttpClient> http)
        : settings_(std::move(settings)), http_(std::move(http)) {}
    [[nodiscard]] bool acknowledges() const noexcept override { return true; }
    [[nodiscard]] std::size_t batch_messages() const noexcept override { return 500; }
    void reopen() override { http_->forget_connection(); }

    Delivery deliver(std::span<const std::string_view> messages,
                     const std::atomic<bool>& stop) override {
        write_lines(messages, body_);
        std::vector<std::string> headers{kLinesType};
        if (settings_.user.empty() && !settings_.secret.empty())
            headers.push_back("Authorization: Bearer " + settings_.secret);
        const auto answer = http_->post(settings_.url, body_, headers, stop);
        Delivery delivery;
        if (!answer) {
            delivery.status = answer.error();
        } else if (answer->code >= 200 && answer->code <= 299) {
            delivery.accepted = messages.size();
        } else if (answer->code == 400 || answer->code == 422) {
            // Said of the content: alone they may pass, and one that does not is refused for good.
            if (messages.size() == 1) {
                delivery.accepted = delivery.refused = 1;
            } else {
                return one_by_one(messages, stop, [&](auto alone) { return deliver(alone, stop); });
            }
        } else {
            return refused_by(*answer, settings_.url);
        }
        return delivery;
    }

  private:
    CarrierSettings settings_;
    std::unique_ptr<HttpClient> http_;
    std::string body_;
};

}  // namespace

Result<std::unique_ptr<Carrier>> make_bulk_carrier(const CarrierSettings& settings) {
    CarrierSettings own = settings;
    while (own.url.ends_with('/')) own.url.pop_back();
    if (!own.url.ends_with("/_bulk")) own.url += own.index.empty() ? "/seine/_bulk" : "/_bulk";
    auto http = HttpClient::make(own);
    if (!http) return http.error();
    return std::unique_ptr<Carrier>(std::make_unique<Bulk>(std::move(own), std::move(*http)));
}

Result<std::unique_ptr<Carrier>> make_webhook_carrier(const CarrierSettings& settings) {
    auto http = HttpClient::make(settings);
    if (!http) return http.error();
    return std::unique_ptr<Carrier>(std::make_unique<Webhook>(settings, std::move(*http)));
}

}  // namespace seine::siem
