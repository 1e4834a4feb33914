// libcurl, one easy handle a receiver.
#include "control/export/http_client.h"

#include <algorithm>
#include <charconv>
#include <curl/curl.h>
#include <mutex>

#include "control/export/escape.h"

namespace seine::siem {
namespace {

CURL* as_curl(void* held) noexcept { return static_cast<CURL*>(held); }

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* to) {
    auto* answer = static_cast<HttpAnswer*>(to);
    const std::size_t total = size * count;
    answer->body.append(bytes,
                        std::min(total, HttpClient::kAnswerMax -
                                            std::min(HttpClient::kAnswerMax, answer->body.size())));
    return total;
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* to) {
    std::string line(bytes, size * count);
    std::transform(line.begin(), line.end(), line.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    constexpr std::string_view kName = "retry-after:";
    if (line.starts_with(kName)) {
        const std::size_t at = line.find_first_of("0123456789", kName.size());
        int seconds = 0;
        if (at != std::string::npos &&
            std::from_chars(line.data() + at, line.data() + line.size(), seconds).ec == std::errc())
            static_cast<HttpAnswer*>(to)->retry_after_s = std::clamp(seconds, 0, 3600);
    }
    return size * count;
}

int look_for_stop(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const std::atomic<bool>*>(stop)->load() ? 1 : 0;
}

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::make(const CarrierSettings& settings) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    const std::string who = "export " + settings.name + ": ";
    if (!settings.url.starts_with("https://") && !settings.url.starts_with("http://"))
        return failed(who + settings.carrier +
                      " needs `url`, beginning with https:// (or http:// inside one machine)");
    for (const std::string* file :
         {&settings.tls.ca_file, &settings.tls.cert_file, &settings.tls.key_file}) {
        if (file->empty()) continue;
        FILE* opened = std::fopen(file->c_str(), "re");
        if (opened == nullptr) return failed(who + *file + ": cannot be read");
        std::fclose(opened);
    }
    std::unique_ptr<HttpClient> made(new HttpClient(settings));
    made->easy_ = curl_easy_init();
    if (made->easy_ == nullptr) return failed(who + "libcurl cannot be set up");
    return made;
}

HttpClient::~HttpClient() { curl_easy_cleanup(as_curl(easy_)); }

void HttpClient::forget_connection() {
    curl_easy_cleanup(as_curl(easy_));
    easy_ = curl_easy_init();
}

Result<HttpAnswer> HttpClient::post(const std::string& url, std::string_view body,
                                    const std::vector<std::string>& headers,
                                    const std::atomic<bool>& stop) {
    CURL* curl = as_curl(easy_);
    curl_easy_reset(curl);
    HttpAnswer answer;
    char words[CURL_ERROR_SIZE] = {};
    curl_slist* list = curl_slist_append(nullptr, "Expect:");
    for (const std::string& header : headers) list = curl_slist_append(list, header.c_str());
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_for_stop);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stop);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.timeout_ms));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 3L * settings_.timeout_ms);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, std::max(1L, settings_.timeout_ms / 1000L));
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
    if (!settings_.tls.ca_file.empty())
        curl_easy_setopt(curl, CURLOPT_CAINFO, settings_.tls.ca_file.c_str());
    if (!settings_.tls.cert_file.empty())
        curl_easy_setopt(curl, CURLOPT_SSLCERT, settings_.tls.cert_file.c_str());
    if (!settings_.tls.key_file.empty())
        curl_easy_setopt(curl, CURLOPT_SSLKEY, settings_.tls.key_file.c_str());
    if (!settings_.user.empty()) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, settings_.user.c_str());
        curl_easy_setopt(curl, CURLOPT_PASSWORD, settings_.secret.c_str());
    }
    const CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(list);
    if (code != CURLE_OK) {
        const std::string what = words[0] != 0 ? std::string(words) : curl_easy_strerror(code);
        return Status(Code::unreachable, url + ": " + what);
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.code);
    return answer;
}

Delivery refused_by(const HttpAnswer& answer, const std::string& url) {
    Delivery delivery;
    const std::string words = plain_text(std::string_view(answer.body).substr(0, 200));
    std::string remedy;
    if (answer.code == 401 || answer.code == 403) remedy = "; check the token or password file";
    if (answer.code == 404) remedy = "; check the path of `url`";
    if (answer.code == 413) remedy = "; the receiver takes smaller requests only";
    delivery.status = {Code::failed, url + ": HTTP " + std::to_string(answer.code) +
                                         (words.empty() ? "" : ": " + words) + remedy};
    delivery.pause_ms = answer.retry_after_s * 1000;
    return delivery;
}

}  // namespace seine::siem
