// Splunk HTTP Event Collector: objects one after another in a body; with acknowledgement the answer
// names an ackId that is asked for until the indexer has written the events.
#include <algorithm>
#include <charconv>

#include "control/export/escape.h"
#include "control/export/http_client.h"
#include "control/export/stream.h"

namespace seine::siem {
namespace {

constexpr std::size_t kBodyBytes = 900 * 1024;  // Splunk's default limit is 1 MB

// The number behind "ackId": in an answer; false: there is none.
bool find_ack_id(std::string_view body, std::uint64_t& id) {
    const std::size_t key = body.find("\"ackId\"");
    if (key == std::string_view::npos) return false;
    const std::size_t digit = body.find_first_of("0123456789", key + 7);
    if (digit == std::string_view::npos) return false;
    return std::from_chars(body.data() + digit, body.data() + body.size(), id).ec == std::errc();
}

// Whether {"acks":{"ID":true,..}} says true of `id`.
bool is_acknowledged(std::string_view body, std::uint64_t id) {
    const std::string key = "\"" + std::to_string(id) + "\"";
    std::size_t at = body.find(key);
    if (at == std::string_view::npos) return false;
    at = body.find_first_not_of(" :\t\r\n", at + key.size());
    return at != std::string_view::npos && body.substr(at, 4) == "true";
}

// Whether 400 is said of the events themselves (5 none, 6 invalid, 12 and 13 without `event`) and
// not of what an operator set: 7 the index, 10 and 11 the channel, 14 acknowledgement.
bool is_of_events(std::string_view body) {
    constexpr std::string_view kKey = "\"code\"";
    std::size_t at = body.find(kKey);
    if (at == std::string_view::npos) return false;
    at = body.find_first_not_of(" :\t\r\n", at + kKey.size());
    if (at == std::string_view::npos) return false;
    int code = 0;
    std::from_chars(body.data() + at, body.data() + body.size(), code);
    return code == 5 || code == 6 || code == 12 || code == 13;
}

class Hec final : public Carrier {
  public:
    Hec(CarrierSettings settings, std::unique_ptr<HttpClient> http)
        : settings_(std::move(settings)), http_(std::move(http)) {
        // A channel is a GUID of the client's choosing; one a process.
        std::uint64_t seed = static_cast<std::uint64_t>(wall_ns());
        for (int i = 0; i < 32; ++i) {
            if (i == 8 || i == 12 || i == 16 || i == 20) channel_.push_back('-');
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            channel_.push_back(kHexDigits[seed >> 60]);
        }
    }
    [[nodiscard]] bool acknowledges() const noexcept override { return settings_.acknowledged; }
    [[nodiscard]] std::size_t batch_messages() const noexcept override { return 20'000; }
    [[nodiscard]] std::size_t batch_bytes() const noexcept override { return std::size_t{8} << 20; }
    void reopen() override { http_->forget_connection(); }

    Delivery deliver(std::span<const std::string_view> messages,
                     const std::atomic<bool>& stop) override {
        Delivery delivery;
        posts_.clear();
        std::size_t at = 0;
        while (at < messages.size() && delivery.status.ok()) {
            std::size_t bytes = 0;
            std::size_t count = 0;
            while (at + count < messages.size() &&
                   (count == 0 || bytes + messages[at + count].size() <= kBodyBytes))
                bytes += messages[at + count++].size();
            const Delivery posted = post(messages.subspan(at, count), stop);
            delivery.status = posted.status;
            delivery.pause_ms = posted.pause_ms;
            delivery.refused += posted.refused;
            at += posted.accepted;
        }
        if (!settings_.acknowledged) {
            delivery.accepted = at;
            return delivery;
        }
        const Status status = wait_for_acks(stop);
        for (const Post& one : posts_) {
            if (!one.done) break;
            delivery.accepted += one.count;
        }
        if (delivery.status.ok()) delivery.status = status;
        return delivery;
    }

  private:
    struct Post {
        std::size_t count = 0;
        std::uint64_t id = 0;
        bool done = false;
    };

    [[nodiscard]] std::vector<std::string> headers() const {
        return {"Authorization: Splunk " + settings_.secret,
                "X-Splunk-Request-Channel: " + channel_, "Content-Type: application/json"};
    }

    // `accepted` are those that the receiver has said something of; their acknowledgement may be to
    // come.
    Delivery post(std::span<const std::string_view> messages, const std::atomic<bool>& stop) {
        body_.clear();
        for (const std::string_view message : messages) body_ += message;
        const auto answer = http_->post(settings_.url, body_, headers(), stop);
        Delivery delivery;
        if (!answer) {
            delivery.status = answer.error();
            return delivery;
        }
        if (answer->code == 400 && is_of_events(answer->body)) {
            // Alone they may pass, and one that does not is refused for good: the same would come
            // again for ever.
            if (messages.size() > 1)
                return one_by_one(messages, stop, [&](auto alone) { return post(alone, stop); });
            delivery.accepted = delivery.refused = 1;
            posts_.push_back({1, 0, true});
            return delivery;
        }
        if (answer->code < 200 || answer->code > 299) {
            delivery = refused_by(*answer, settings_.url);
            if (answer->code == 400)
                delivery.status =
                    failed(delivery.status.message() + "; check `index` and the token's settings");
            return delivery;
        }
        Post posted{messages.size(), 0, !settings_.acknowledged};
        if (settings_.acknowledged && !find_ack_id(answer->body, posted.id)) {
            delivery.status = failed(settings_.url +
                                     ": the answer has no ackId; switch indexer acknowledgement on "
                                     "for the token, or set acknowledged = false");
            return delivery;
        }
        posts_.push_back(posted);
        delivery.accepted = messages.size();
        return delivery;
    }

    [[nodiscard]] bool all_done() const {
        return std::all_of(posts_.begin(), posts_.end(), [](const Post& one) { return one.done; });
    }

    Status wait_for_acks(const std::atomic<bool>& stop) {
        std::string url = settings_.url;
        const std::size_t cut = url.find("/services/collector");
        if (cut != std::string::npos) url.resize(cut);
        url += "/services/collector/ack";
        const std::int64_t until = steady_ms() + 3 * std::int64_t{settings_.timeout_ms};
        for (int pause_ms = 20; !all_done(); pause_ms = std::min(pause_ms * 2, 1000)) {
            if (stop.load()) return {Code::unreachable, url + ": stopped"};
            if (steady_ms() >= until)
                return {Code::unreachable, url + ": no acknowledgement within " +
                                               std::to_string(3 * settings_.timeout_ms / 1000) +
                                               " s; the events are sent again"};
            std::string body = "{\"acks\":[";
            for (const Post& one : posts_) {
                if (one.done) continue;
                if (body.back() != '[') body.push_back(',');
                append_number(body, one.id);
            }
            body += "]}";
            const auto answer = http_->post(url, body, headers(), stop);
            if (!answer) return answer.error();
            if (answer->code != 200) return refused_by(*answer, url).status;
            for (Post& one : posts_) one.done = one.done || is_acknowledged(answer->body, one.id);
            if (!all_done()) nap(pause_ms, stop);
        }
        return {};
    }

    static void nap(int ms, const std::atomic<bool>& stop);

    CarrierSettings settings_;
    std::unique_ptr<HttpClient> http_;
    std::string channel_;
    std::string body_;
    std::vector<Post> posts_;
};

void Hec::nap(int ms, const std::atomic<bool>& stop) {
    for (const std::int64_t until = steady_ms() + ms; steady_ms() < until && !stop.load();)
        nap_ms(std::min(ms, 50));
}

}  // namespace

Result<std::unique_ptr<Carrier>> make_hec_carrier(const CarrierSettings& settings) {
    CarrierSettings own = settings;
    if (own.secret.empty())
        return failed("export " + own.name + ": hec needs `secret_file` with the token");
    if (own.url.find("/services/collector") == std::string::npos) {
        while (own.url.ends_with('/')) own.url.pop_back();
        own.url += "/services/collector/event";
    }
    auto http = HttpClient::make(own);
    if (!http) return http.error();
    return std::unique_ptr<Carrier>(std::make_unique<Hec>(std::move(own), std::move(*http)));
}

}  // namespace seine::siem
