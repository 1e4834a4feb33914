// One HTTPS receiver: POST a body, get code and answer; the connection is kept.
#pragma once
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/export/carrier.h"

namespace seine::siem {

struct HttpAnswer {
    long code = 0;
    std::string body;       // at most kAnswerMax of it
    int retry_after_s = 0;  // of the Retry-After header, where it is a number
};

class HttpClient {
  public:
    static constexpr std::size_t kAnswerMax = std::size_t{16} << 20;
    static Result<std::unique_ptr<HttpClient>> make(const CarrierSettings& settings);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;
    // `headers` are whole lines. Code::unreachable when no answer came.
    Result<HttpAnswer> post(const std::string& url, std::string_view body,
                            const std::vector<std::string>& headers, const std::atomic<bool>& stop);
    void forget_connection();

  private:
    explicit HttpClient(CarrierSettings settings) : settings_(std::move(settings)) {}
    CarrierSettings settings_;
    void* easy_ = nullptr;  // CURL
};

// What an answer other than 2xx means for a batch: a pause, or words for status.
Delivery refused_by(const HttpAnswer& answer, const std::string& url);

// After an answer that is said of the content of a batch: deliver(message) for each message alone, where it may pass;
// what that refuses is refused for good. Ends at the first that fails otherwise.
template <typename Deliver>
Delivery one_by_one(std::span<const std::string_view> messages, const std::atomic<bool>& stop, Deliver&& deliver) {
    Delivery all;
    for (std::size_t i = 0; i < messages.size() && all.status.ok() && !stop.load(); ++i) {
        const Delivery one = deliver(messages.subspan(i, 1));
        all.accepted += one.accepted;
        all.refused += one.refused;
        all.status = one.status;
        all.pause_ms = one.pause_ms;
    }
    return all;
}

}  // namespace seine::siem
