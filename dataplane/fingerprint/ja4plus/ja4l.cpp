// Which packet of a handshake counts, and half the time between two of them.
#include "dataplane/fingerprint/ja4plus/ja4l.h"

namespace seine::fingerprint {

bool ja4l_part(Nanos earlier, Nanos later, std::uint8_t ttl, Ja4lText& out) noexcept {
    out.clear();
    const std::int64_t between_us = later.micros() - earlier.micros();
    if (between_us < 0) return false;
    out.append_decimal(static_cast<std::uint64_t>(between_us / 2));
    out.push('_');
    out.append_decimal(ttl);
    return true;
}

void Ja4lTcp::syn(Nanos now, std::uint8_t ttl) noexcept {
    if ((seen_ & 1) != 0) return;
    syn_ = now;
    client_ttl_ = ttl;
    seen_ |= 1;
}

void Ja4lTcp::syn_ack(Nanos now, std::uint8_t ttl) noexcept {
    if ((seen_ & 2) != 0) return;
    syn_ack_ = now;
    server_ttl_ = ttl;
    seen_ |= 2;
}

void Ja4lTcp::handshake_ack(Nanos now) noexcept {
    if ((seen_ & 6) != 2) return;
    ack_ = now;
    seen_ |= 4;
}

bool Ja4lTcp::client(Ja4lText& out) const noexcept {
    out.clear();
    return seen_ == 7 && ja4l_part(syn_ack_, ack_, client_ttl_, out);
}

bool Ja4lTcp::server(Ja4lText& out) const noexcept {
    out.clear();
    return (seen_ & 3) == 3 && ja4l_part(syn_, syn_ack_, server_ttl_, out);
}

void Ja4lQuic::client_initial(Nanos now, std::uint8_t ttl) noexcept {
    if ((seen_ & 1) != 0) return;
    client_initial_ = now;
    client_ttl_ = ttl;
    seen_ |= 1;
}

void Ja4lQuic::server_initial(Nanos now, std::uint8_t ttl) noexcept {
    if ((seen_ & 3) != 1) return;
    server_initial_ = now;
    server_ttl_ = ttl;
    seen_ |= 2;
}

void Ja4lQuic::server_handshake(Nanos now) noexcept {
    if ((seen_ & 8) != 0) return;
    server_handshake_ = now;
    seen_ |= 4;
}

void Ja4lQuic::client_handshake(Nanos now) noexcept {
    if ((seen_ & 12) != 4) return;
    client_handshake_ = now;
    seen_ |= 8;
}

bool Ja4lQuic::client(Ja4lText& out) const noexcept {
    out.clear();
    return (seen_ & 13) == 13 && ja4l_part(server_handshake_, client_handshake_, client_ttl_, out);
}

bool Ja4lQuic::server(Ja4lText& out) const noexcept {
    out.clear();
    return (seen_ & 3) == 3 && ja4l_part(client_initial_, server_initial_, server_ttl_, out);
}

}  // namespace seine::fingerprint
