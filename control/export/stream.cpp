// Non-blocking sockets and poll; OpenSSL on top where asked.
#include "control/export/stream.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace seine::siem {
namespace {

constexpr int kSliceMs = 100;  // how long a wait may miss `stop`

SSL* as_ssl(void* held) noexcept { return static_cast<SSL*>(held); }

std::string openssl_words() {
    std::string words;
    while (const unsigned long code = ERR_get_error()) {
        if (!words.empty()) words += "; ";
        const char* reason = ERR_reason_error_string(code);
        words += reason == nullptr ? "code " + std::to_string(code) : reason;
    }
    return words;
}

bool wait_fd(int fd, short events, int timeout_ms) {
    pollfd one{fd, events, 0};
    return ::poll(&one, 1, timeout_ms) > 0;
}

// Connected, or the errno.
int connect_within(int fd, const sockaddr* address, socklen_t bytes, int timeout_ms,
                   const std::atomic<bool>& stop) {
    if (::connect(fd, address, bytes) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    const std::int64_t until = steady_ms() + timeout_ms;
    while (!wait_fd(fd, POLLOUT, kSliceMs)) {
        if (stop.load()) return ECANCELED;
        if (steady_ms() >= until) return ETIMEDOUT;
    }
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace

std::int64_t steady_ms() noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}
std::int64_t wall_ns() noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

void nap_ms(int ms) noexcept { ::poll(nullptr, 0, ms); }

Result<std::shared_ptr<TlsContext>> TlsContext::make_if_on(const TlsSettings& settings,
                                                           const std::string& destination) {
    if (!settings.on) return std::shared_ptr<TlsContext>();
    return make(settings, destination);
}

Result<std::shared_ptr<TlsContext>> TlsContext::make(const TlsSettings& settings,
                                                     const std::string& destination) {
    std::shared_ptr<TlsContext> made(new TlsContext);
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    made->handle_ = context;
    const std::string who = "export " + destination + ": ";
    if (context == nullptr) return failed(who + "TLS cannot be set up: " + openssl_words());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    ERR_clear_error();
    if (settings.ca_file.empty()) {
        if (SSL_CTX_set_default_verify_paths(context) != 1)
            return failed(who + "the system's authorities cannot be read: " + openssl_words());
    } else if (SSL_CTX_load_verify_locations(context, settings.ca_file.c_str(), nullptr) != 1) {
        return failed(who + "ca_file " + settings.ca_file +
                      ": cannot be read as PEM certificates: " + openssl_words());
    }
    if (settings.cert_file.empty() != settings.key_file.empty())
        return failed(who + "cert_file and key_file go together; one of them is missing");
    if (settings.cert_file.empty()) return made;
    if (SSL_CTX_use_certificate_chain_file(context, settings.cert_file.c_str()) != 1)
        return failed(who + "cert_file " + settings.cert_file +
                      ": cannot be read as a PEM certificate: " + openssl_words());
    if (SSL_CTX_use_PrivateKey_file(context, settings.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
        return failed(
            who + "key_file " + settings.key_file +
            ": cannot be read as a PEM key, or is not the certificate's: " + openssl_words());
    return made;
}

TlsContext::~TlsContext() { SSL_CTX_free(static_cast<SSL_CTX*>(handle_)); }

Status Stream::fault(const std::string& what) const {
    return {Code::unreachable,
            target_.host + " port " + std::to_string(target_.port) + ": " + what};
}

Result<std::unique_ptr<Stream>> Stream::connect(const Target& target,
                                                const std::shared_ptr<TlsContext>& tls,
                                                const std::atomic<bool>& stop) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(target.port);
    const int resolved = ::getaddrinfo(target.host.c_str(), port.c_str(), &hints, &found);
    if (resolved != 0)
        return Status(Code::unreachable, target.host +
                                             ": cannot be resolved: " + ::gai_strerror(resolved) +
                                             "; check the name or use an address");
    std::unique_ptr<Stream> stream;
    int error = EADDRNOTAVAIL;
    for (const addrinfo* at = found; at != nullptr && stream == nullptr && !stop.load();
         at = at->ai_next) {
        const int fd = ::socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) continue;
        error = connect_within(fd, at->ai_addr, at->ai_addrlen, target.timeout_ms, stop);
        if (error == 0) {
            stream.reset(new Stream(fd, target));
        } else {
            ::close(fd);
        }
    }
    ::freeaddrinfo(found);
    if (stream == nullptr)
        return Status(Code::unreachable,
                      target.host + " port " + port + ": " + std::strerror(error) +
                          (error == ECONNREFUSED ? "; is the receiver running?" : ""));
    const int on = 1;
    const auto user_timeout = static_cast<unsigned>(target.timeout_ms);
    ::setsockopt(stream->fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(stream->fd_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(stream->fd_, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof user_timeout);
    if (tls != nullptr) {
        const Status status = stream->shake_hands(tls, stop);
        if (!status.ok()) return status;
    }
    return stream;
}

Stream::~Stream() {
    if (tls_ != nullptr) {
        ERR_clear_error();
        SSL_shutdown(as_ssl(tls_));
        SSL_free(as_ssl(tls_));
    }
    ::close(fd_);
}

Status Stream::tls_fault(const char* doing, int result) {
    const int kind = SSL_get_error(as_ssl(tls_), result);
    const int os_error = errno;
    const long verified = SSL_get_verify_result(as_ssl(tls_));
    std::string words = openssl_words();
    if (verified != X509_V_OK)
        words = std::string("its certificate is not accepted: ") +
                X509_verify_cert_error_string(verified) +
                "; check ca_file, server_name and the certificate's dates";
    if (words.empty())
        words = kind == SSL_ERROR_ZERO_RETURN || os_error == 0
                    ? "the receiver closed the connection"
                    : std::strerror(os_error);
    if (words.find("alert") != std::string::npos)
        words += "; the receiver refuses us: check cert_file";
    return fault(std::string(doing) + ": " + words);
}

Status Stream::shake_hands(const std::shared_ptr<TlsContext>& tls, const std::atomic<bool>& stop) {
    context_ = tls;
    SSL* ssl = SSL_new(static_cast<SSL_CTX*>(tls->handle()));
    tls_ = ssl;
    if (ssl == nullptr || SSL_set_fd(ssl, fd_) != 1)
        return fault("TLS cannot be set up: " + openssl_words());
    const std::string& name = target_.server_name.empty() ? target_.host : target_.server_name;
    X509_VERIFY_PARAM* verify = SSL_get0_param(ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str()) != 1) {
        ERR_clear_error();
        // The macro for this casts in the old style.
        std::string sent_name = name;
        SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, sent_name.data());
        X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (X509_VERIFY_PARAM_set1_host(verify, name.c_str(), 0) != 1)
            return fault("server_name " + name + " is no host name");
    }
    const std::int64_t until = steady_ms() + target_.timeout_ms;
    while (true) {
        ERR_clear_error();
        const int result = SSL_connect(ssl);
        if (result == 1) break;
        const int kind = SSL_get_error(ssl, result);
        if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE)
            return tls_fault("TLS handshake", result);
        wait_fd(fd_, kind == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, kSliceMs);
        if (stop.load()) return fault("stopped");
        if (steady_ms() >= until)
            return fault("TLS handshake: no answer within " +
                         std::to_string(target_.timeout_ms / 1000) +
                         " s; does the port speak TLS?");
    }
    // In TLS 1.3 the receiver judges our certificate after our side is done: its tickets or its
    // alert tell.
    std::string nothing;
    const std::int64_t heard_until = steady_ms() + 300;
    while (SSL_version(ssl) == TLS1_3_VERSION && steady_ms() < heard_until && !stop.load()) {
        if (!wait_fd(fd_, POLLIN, 20)) continue;
        const auto got = receive_some(nothing);
        if (!got) return got.error();
        break;
    }
    return {};
}

Result<std::size_t> Stream::send_some(std::string_view bytes) {
    if (bytes.empty()) return std::size_t{0};
    if (tls_ == nullptr) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0) return static_cast<std::size_t>(sent);
        if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
        return fault(std::string("sending: ") + std::strerror(errno));
    }
    ERR_clear_error();
    errno = 0;
    std::size_t sent = 0;
    const int result = SSL_write_ex(as_ssl(tls_), bytes.data(),
                                    std::min<std::size_t>(bytes.size(), 16 * 1024), &sent);
    if (result == 1) return sent;
    const int kind = SSL_get_error(as_ssl(tls_), result);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return std::size_t{0};
    return tls_fault("sending", result);
}

Result<std::size_t> Stream::receive_some(std::string& in) {
    char buffer[16 * 1024];
    std::size_t total = 0;
    while (true) {
        std::size_t count = 0;
        if (tls_ == nullptr) {
            const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
            if (got == 0) return fault("the receiver closed the connection");
            if (got < 0 && errno != EAGAIN && errno != EINTR)
                return fault(std::string("receiving: ") + std::strerror(errno));
            if (got < 0) return total;
            count = static_cast<std::size_t>(got);
        } else {
            ERR_clear_error();
            errno = 0;
            const int result = SSL_read_ex(as_ssl(tls_), buffer, sizeof buffer, &count);
            if (result != 1) {
                const int kind = SSL_get_error(as_ssl(tls_), result);
                if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return total;
                return tls_fault("receiving", result);
            }
        }
        in.append(buffer, count);
        total += count;
        if (total >= std::size_t{1} << 20) return total;
    }
}

bool Stream::wait(bool to_send, int timeout_ms) {
    if (tls_ != nullptr && SSL_pending(as_ssl(tls_)) > 0) return true;
    return wait_fd(fd_, static_cast<short>(POLLIN | (to_send ? POLLOUT : 0)), timeout_ms);
}

Status Stream::send_all(std::string_view bytes, const std::atomic<bool>& stop, std::string* in) {
    std::string thrown_away;
    std::string& received = in != nullptr ? *in : thrown_away;
    std::int64_t until = steady_ms() + target_.timeout_ms;
    // The end of the stream shows at the next look, not at the next write.
    auto got = receive_some(received);
    if (!got) return got.error();
    while (!bytes.empty()) {
        const auto sent = send_some(bytes);
        if (!sent) return sent.error();
        bytes.remove_prefix(*sent);
        if (*sent > 0) {
            until = steady_ms() + target_.timeout_ms;
            continue;
        }
        if (stop.load()) return fault("stopped");
        if (steady_ms() >= until)
            return fault("the receiver takes nothing for " +
                         std::to_string(target_.timeout_ms / 1000) + " s");
        if (!wait(true, kSliceMs)) continue;
        got = receive_some(received);
        if (!got) return got.error();
        thrown_away.clear();
    }
    return {};
}

Status Stream::drain(const std::atomic<bool>& stop) {
    const std::int64_t until = steady_ms() + target_.timeout_ms;
    for (int pause_ms = 0;; pause_ms = 1) {
        int waiting = 0;
        if (::ioctl(fd_, TIOCOUTQ, &waiting) != 0 || waiting == 0) return {};
        if (stop.load()) return fault("stopped");
        if (steady_ms() >= until)
            return fault("the receiver acknowledges nothing for " +
                         std::to_string(target_.timeout_ms / 1000) + " s");
        std::string nothing;
        if (wait_fd(fd_, POLLIN, pause_ms)) {
            const auto got = receive_some(nothing);
            if (!got) return got.error();
        }
    }
}

}  // namespace seine::siem
