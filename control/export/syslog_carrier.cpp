// Syslog: one datagram a message (RFC 5426), or octet counting over TCP and TLS (RFC 6587, RFC
// 5425).
//
// Syslog has no acknowledgement. Over TCP and TLS a batch counts as arrived when the receiver's
// kernel has acknowledged every byte of it, which leaves only what sits in the receiver itself at
// risk.
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/export/escape.h"
#include "control/export/stream.h"

namespace seine::siem {
namespace {

class SyslogStream final : public Carrier {
  public:
    SyslogStream(CarrierSettings settings, std::shared_ptr<TlsContext> tls)
        : settings_(std::move(settings)), tls_(std::move(tls)) {}
    [[nodiscard]] bool acknowledges() const noexcept override { return false; }
    void reopen() override {
        stream_.reset();
        if (!settings_.tls.on) return;
        auto made = TlsContext::make(settings_.tls, settings_.name);
        if (made) tls_ = *made;
    }

    Delivery deliver(std::span<const std::string_view> messages,
                     const std::atomic<bool>& stop) override {
        Delivery delivery;
        if (stream_ == nullptr) {
            auto made = Stream::connect(
                {settings_.host, settings_.port, settings_.tls.server_name, settings_.timeout_ms},
                tls_, stop);
            if (!made) {
                delivery.status = made.error();
                return delivery;
            }
            stream_ = std::move(*made);
        }
        buffer_.clear();
        for (const std::string_view message : messages) {
            append_number(buffer_, message.size());
            buffer_.push_back(' ');
            buffer_ += message;
        }
        delivery.status = stream_->send_all(buffer_, stop);
        if (delivery.status.ok()) delivery.status = stream_->drain(stop);
        if (delivery.status.ok()) {
            delivery.accepted = messages.size();
        } else {
            stream_.reset();
        }
        return delivery;
    }

  private:
    CarrierSettings settings_;
    std::shared_ptr<TlsContext> tls_;
    std::unique_ptr<Stream> stream_;
    std::string buffer_;
};

class SyslogDatagrams final : public Carrier {
  public:
    explicit SyslogDatagrams(CarrierSettings settings) : settings_(std::move(settings)) {}
    ~SyslogDatagrams() override { reopen(); }
    SyslogDatagrams(const SyslogDatagrams&) = delete;
    SyslogDatagrams& operator=(const SyslogDatagrams&) = delete;
    [[nodiscard]] bool acknowledges() const noexcept override { return false; }
    void reopen() override {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    Delivery deliver(std::span<const std::string_view> messages,
                     const std::atomic<bool>& stop) override {
        Delivery delivery;
        if (fd_ < 0) {
            auto made = connect_datagrams(settings_.host, settings_.port);
            if (!made) {
                delivery.status = made.error();
                return delivery;
            }
            fd_ = *made;
        }
        for (const std::string_view message : messages) {
            if (stop.load()) break;
            if (::send(fd_, message.data(), message.size(), MSG_NOSIGNAL) < 0) {
                // Nobody listens (an ICMP answer to an earlier one), or the kernel has no room now.
                delivery.status = {Code::unreachable, settings_.host + " port " +
                                                          std::to_string(settings_.port) + ": " +
                                                          std::strerror(errno)};
                reopen();
                return delivery;
            }
            ++delivery.accepted;
        }
        return delivery;
    }

  private:
    static Result<int> connect_datagrams(const std::string& host, std::uint16_t port) {
        addrinfo hints{};
        hints.ai_socktype = SOCK_DGRAM;
        addrinfo* found = nullptr;
        const int resolved =
            ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
        if (resolved != 0)
            return Status(Code::unreachable,
                          host + ": cannot be resolved: " + ::gai_strerror(resolved));
        const int fd = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        const bool connected = fd >= 0 && ::connect(fd, found->ai_addr, found->ai_addrlen) == 0;
        const int error = errno;
        ::freeaddrinfo(found);
        if (connected) return fd;
        if (fd >= 0) ::close(fd);
        return Status(Code::unreachable, host + ": " + std::strerror(error));
    }

    CarrierSettings settings_;
    int fd_ = -1;
};

}  // namespace

Result<std::unique_ptr<Carrier>> make_syslog_carrier(const CarrierSettings& settings) {
    CarrierSettings own = settings;
    if (own.host.empty())
        return failed("export " + own.name + ": " + own.carrier + " needs `host`");
    own.tls.on = own.carrier == "syslog-tls";
    if (own.port == 0) own.port = own.tls.on ? 6514 : 514;
    if (own.carrier == "syslog-udp")
        return std::unique_ptr<Carrier>(std::make_unique<SyslogDatagrams>(std::move(own)));
    auto tls = TlsContext::make_if_on(own.tls, own.name);
    if (!tls) return tls.error();
    return std::unique_ptr<Carrier>(std::make_unique<SyslogStream>(std::move(own), std::move(*tls)));
}

}  // namespace seine::siem
