// Clients of the mix: which software says hello, how often, and what its hello looks like.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "tools/generate/mix_random.h"
#include "tools/synth/packet_builder.h"

namespace seine::generate {

struct ClientProfile {
    std::string_view name;
    double tcp_weight = 0;
    double quic_weight = 0;
    // kGrease stands for a reserved value, drawn anew for every hello.
    std::vector<std::uint16_t> ciphers{}, groups{}, shares{}, versions{}, signatures{}, extensions{};
    std::vector<std::string_view> alpn{};
    bool shuffles = false;     // extensions in random order
    bool greases = false;      // a reserved extension first and last
    bool tickets = false;      // sometimes resumes with a session ticket
    bool tls12 = false;
    std::size_t pad_bytes = 0;  // hello at least this long
};
inline constexpr std::uint16_t kGrease = 0x0a0a;
inline constexpr std::uint16_t kMlkem = 0x11ec;  // X25519MLKEM768

[[nodiscard]] std::span<const ClientProfile> client_profiles();
[[nodiscard]] std::span<const std::string_view> mix_hosts();

// A ClientHello handshake message, without its record.
synth::Bytes mix_client_hello(MixRandom& random, const ClientProfile& profile, std::string_view host, bool quic);
// What a server answers on TCP: its hello, for TLS 1.2 its certificates in clear, else ciphertext.
synth::Bytes mix_server_flight(MixRandom& random, bool tls12);
// The server's hello alone, as a handshake message.
synth::Bytes mix_server_hello(MixRandom& random, bool tls12);

}  // namespace seine::generate
