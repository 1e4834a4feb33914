// IPFIX over UDP or TCP: records in messages, the templates first and on UDP again every minute.
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/export/ipfix.h"
#include "control/export/stream.h"

namespace seine::siem {
namespace {

constexpr std::size_t kTcpSetsMax = 60'000;

class IpfixCarrier final : public Carrier {
  public:
    explicit IpfixCarrier(CarrierSettings settings)
        : settings_(std::move(settings)), tcp_(settings_.carrier == "ipfix-tcp") {}
    ~IpfixCarrier() override { reopen(); }
    IpfixCarrier(const IpfixCarrier&) = delete;
    IpfixCarrier& operator=(const IpfixCarrier&) = delete;
    [[nodiscard]] bool acknowledges() const noexcept override { return false; }
    void reopen() override {
        stream_.reset();
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
        templates_due_ms_ = 0;
    }

    Delivery deliver(std::span<const std::string_view> messages,
                     const std::atomic<bool>& stop) override {
        Delivery delivery;
        delivery.status = connect(stop);
        std::size_t at = 0;
        while (delivery.status.ok() && at < messages.size()) {
            sets_.clear();
            const bool with_templates = steady_ms() >= templates_due_ms_;
            if (with_templates) {
                append_ipfix_templates(sets_, settings_.pen);
                delivery.status = send(sets_.view(), 0, stop);
                templates_due_ms_ =
                    steady_ms() + (tcp_ ? std::int64_t{1} << 50
                                        : std::int64_t{settings_.template_seconds} * 1000);
                continue;
            }
            const std::size_t most = tcp_ ? kTcpSetsMax : kIpfixSetsMax;
            std::size_t count = 0;
            while (at + count < messages.size() &&
                   (count == 0 || sets_.size() + messages[at + count].size() <= most))
                sets_ += messages[at + count++];
            delivery.status = send(sets_.view(), static_cast<std::uint32_t>(count), stop);
            if (delivery.status.ok()) at += count;
        }
        if (delivery.status.ok() && tcp_) delivery.status = stream_->drain(stop);
        delivery.accepted = tcp_ && !delivery.status.ok() ? 0 : at;
        if (!delivery.status.ok()) reopen();
        return delivery;
    }

  private:
    Status connect(const std::atomic<bool>& stop) {
        if (tcp_ ? stream_ != nullptr : fd_ >= 0) return {};
        sequence_ = tcp_ ? 0 : sequence_;
        if (tcp_) {
            auto made = Stream::connect({settings_.host, settings_.port, {}, settings_.timeout_ms},
                                        nullptr, stop);
            if (!made) return made.error();
            stream_ = std::move(*made);
            return {};
        }
        addrinfo hints{};
        hints.ai_socktype = SOCK_DGRAM;
        addrinfo* found = nullptr;
        const int resolved = ::getaddrinfo(settings_.host.c_str(),
                                           std::to_string(settings_.port).c_str(), &hints, &found);
        if (resolved != 0)
            return {Code::unreachable,
                    settings_.host + ": cannot be resolved: " + ::gai_strerror(resolved)};
        fd_ = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        const bool connected = fd_ >= 0 && ::connect(fd_, found->ai_addr, found->ai_addrlen) == 0;
        const int error = errno;
        ::freeaddrinfo(found);
        if (connected) return {};
        reopen();
        return {Code::unreachable, settings_.host + ": " + std::strerror(error)};
    }

    Status send(std::string_view sets, std::uint32_t records, const std::atomic<bool>& stop) {
        message_.clear();
        append_ipfix_message(message_, static_cast<std::uint32_t>(wall_ns() / 1'000'000'000),
                             sequence_, 1, sets);
        if (tcp_) {
            const Status status = stream_->send_all(message_.view(), stop);
            if (!status.ok()) return status;
        } else if (::send(fd_, message_.view().data(), message_.size(), MSG_NOSIGNAL) < 0) {
            return {Code::unreachable, settings_.host + " port " + std::to_string(settings_.port) +
                                           ": " + std::strerror(errno)};
        }
        sequence_ += records;
        return {};
    }

    CarrierSettings settings_;
    bool tcp_;
    int fd_ = -1;
    std::unique_ptr<Stream> stream_;
    std::uint32_t sequence_ = 0;
    std::int64_t templates_due_ms_ = 0;
    TextBuffer sets_;
    TextBuffer message_;
};

}  // namespace

Result<std::unique_ptr<Carrier>> make_ipfix_carrier(const CarrierSettings& settings) {
    CarrierSettings own = settings;
    if (own.host.empty())
        return failed("export " + own.name + ": " + own.carrier + " needs `host`");
    if (own.port == 0) own.port = 4739;
    return std::unique_ptr<Carrier>(std::make_unique<IpfixCarrier>(std::move(own)));
}

}  // namespace seine::siem
