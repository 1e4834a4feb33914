// Numeric facts of a flow: each has a bit that says it is known and one that says it was told.
#pragma once
#include <cstdint>
#include <string_view>

namespace seine::pipeline {

// Why a value that one would expect is absent; X(name): the name is what `incomplete` prints.
#define SEINE_INCOMPLETE_REASONS(X)                                                            \
    X(hello_cut)                 /* the capture cut a packet of the hello, or the flow ended in it */ \
    X(hello_malformed)           /* a hello that does not parse */                             \
    X(hello_limit)               /* a hello past a bound */                                    \
    X(ssl2_hello)                /* an SSLv2 hello, which carries no fingerprint */            \
    X(tls_malformed)             /* no sound TLS records where the hello was due */            \
    X(certificate_malformed)                                                                   \
    X(certificate_limit)                                                                       \
    X(dtls_malformed)                                                                          \
    X(quic_no_client_initial)    /* the server's Initials alone cannot be opened */            \
    X(quic_not_opened)           /* Initials that did not authenticate */                      \
    X(quic_version_unknown)                                                                    \
    X(quic_gave_up)              /* too many datagrams without a whole hello */                \
    X(stream_lost)               /* bytes were acknowledged that never were captured */        \
    X(stream_limit)              /* more bytes or segments waiting than allowed */             \
    X(stream_pool_exhausted)     /* no reassembly buffer left in this worker */                \
    X(state_exhausted)           /* no handshake state left in this worker */                  \
    X(facts_dropped)             /* more text than a record may hold */                        \
    X(http_malformed)                                                                          \
    X(http_head_too_long)                                                                      \
    X(h2_connections_exhausted)                                                                \
    X(preface_malformed)                                                                       \
    X(ssh_malformed)                                                                           \
    X(dhcp_malformed)

enum class Incomplete : std::uint8_t {
#define SEINE_X(name) name,
    SEINE_INCOMPLETE_REASONS(SEINE_X)
#undef SEINE_X
        count_
};
static_assert(static_cast<unsigned>(Incomplete::count_) <= 32);
inline constexpr std::string_view kIncompleteNames[] = {
#define SEINE_X(name) #name,
    SEINE_INCOMPLETE_REASONS(SEINE_X)
#undef SEINE_X
};

struct Numbers {
    enum Bit : std::uint16_t {
        kTlsVersion = 1,
        kTlsCipher = 2,
        kTlsAlert = 4,
        kEch = 8,
        kQuicVersion = 16,
        kRtt = 32,
        kProxied = 128,
        kOuter = 256,
    };
    std::uint16_t known = 0;
    std::uint16_t told = 0;
    std::uint16_t tls_version = 0;
    std::uint16_t tls_cipher = 0;
    std::uint8_t tls_alert = 0;
    std::uint8_t ech = 0;
    std::uint32_t quic_version = 0;
    std::uint32_t incomplete_known = 0;  // a bit per Incomplete
    std::uint32_t incomplete_told = 0;
    // By the PROXY header: IPv4 mapped, host order ports.
    std::uint8_t proxied_source[16] = {};
    std::uint8_t proxied_target[16] = {};
    std::uint8_t outer_source[16] = {};
    std::uint8_t outer_target[16] = {};
    std::uint16_t proxied_source_port = 0;
    std::uint16_t proxied_target_port = 0;

    [[nodiscard]] bool has(Bit bit) const noexcept { return (known & bit) != 0; }
    [[nodiscard]] bool due(Bit bit) const noexcept { return (known & ~told & bit) != 0; }
    [[nodiscard]] bool any_due() const noexcept {
        return (known & ~told) != 0 || (incomplete_known & ~incomplete_told) != 0;
    }
    template <typename T, typename V>
    void put(T& field, V value, Bit bit) noexcept {
        field = static_cast<T>(value);
        known = static_cast<std::uint16_t>(known | bit);
    }
};

}  // namespace seine::pipeline
