// A byte stream to a receiver: TCP, with or without TLS, every wait bounded.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "control/export/carrier.h"
#include "dataplane/base/status.h"

namespace seine::siem {

// Certificates and keys, loaded once; reload by making it anew.
class TlsContext {
  public:
    static Result<std::shared_ptr<TlsContext>> make(const TlsSettings& settings,
                                                    const std::string& destination);
    // Null where the settings say that TLS is off.
    static Result<std::shared_ptr<TlsContext>> make_if_on(const TlsSettings& settings,
                                                          const std::string& destination);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    [[nodiscard]] void* handle() const noexcept { return handle_; }

  private:
    TlsContext() = default;
    void* handle_ = nullptr;  // SSL_CTX
};

class Stream {
  public:
    struct Target {
        std::string host;
        std::uint16_t port = 0;
        std::string server_name;
        int timeout_ms = 10'000;
    };
    // Resolves, connects, and with `tls` shakes hands and checks the certificate. A receiver that
    // refuses our certificate is an error here, not a loss later.
    static Result<std::unique_ptr<Stream>> connect(const Target& target,
                                                   const std::shared_ptr<TlsContext>& tls,
                                                   const std::atomic<bool>& stop);
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    // Sends as much as there is room for: bytes sent, 0 when there is none now; an error ends the
    // stream.
    Result<std::size_t> send_some(std::string_view bytes);
    // What has come, appended to `in`: bytes, 0 when there is nothing now; an error at the end of
    // the stream.
    Result<std::size_t> receive_some(std::string& in);
    // Waits until bytes can be received, or sent where `to_send`; false after timeout_ms.
    bool wait(bool to_send, int timeout_ms);
    // All of it, with no longer pause than the target's timeout; what comes back goes to `in` (or
    // is thrown away when null, but an end of the stream is noticed).
    Status send_all(std::string_view bytes, const std::atomic<bool>& stop,
                    std::string* in = nullptr);
    // Until the receiver's TCP has acknowledged all bytes.
    Status drain(const std::atomic<bool>& stop);

  private:
    Stream(int fd, Target target) : fd_(fd), target_(std::move(target)) {}
    Status shake_hands(const std::shared_ptr<TlsContext>& tls, const std::atomic<bool>& stop);
    Status tls_fault(const char* doing, int result);
    [[nodiscard]] Status fault(const std::string& what) const;

    int fd_;
    Target target_;
    void* tls_ = nullptr;  // SSL
    std::shared_ptr<TlsContext> context_;
};

// Milliseconds of a clock that only runs forwards.
std::int64_t steady_ms() noexcept;
std::int64_t wall_ns() noexcept;
void nap_ms(int ms) noexcept;

}  // namespace seine::siem
