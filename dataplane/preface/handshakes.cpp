// SOCKS, and the requests of PostgreSQL, MySQL, LDAP and RDP that turn a connection to TLS.
#include "dataplane/preface/handshakes.h"

#include "dataplane/base/byte_reader.h"

namespace seine::preface {
namespace {

constexpr int kMessagesMax = 8;

// Whether TLS begins where `in` stands; sets `length` if so.
Parse tls_follows(ByteView bytes, const ByteReader& in, std::size_t& length) noexcept {
    if (in.failed()) return bytes.size() < kHandshakeBytesMax ? Parse::need_more : Parse::not_this;
    length = bytes.size() - in.left();
    return tls_here(in.rest());
}

// Text up to a NUL, of at most 255 visible bytes.
Parse skip_c_text(ByteReader& in) noexcept {
    for (int i = 0; i <= 255; ++i) {
        if (in.empty()) return Parse::need_more;
        const std::uint8_t c = in.u8();
        if (c == 0) return Parse::ok;
        if (c < 0x20) return Parse::not_this;
    }
    return Parse::not_this;
}

// RFC 1928 section 5: address type, address, port. ok, need_more, not_this.
Parse skip_socks5_address(ByteReader& in) noexcept {
    switch (in.u8()) {
        case 1:
            in.skip(4);
            break;
        case 3:
            in.skip(in.u8());
            break;
        case 4:
            in.skip(16);
            break;
        default:
            return in.failed() ? Parse::need_more : Parse::not_this;
    }
    in.skip(2);
    return in.failed() ? Parse::need_more : Parse::ok;
}

// One BER length (X.690 section 8.1.3), definite, at most four bytes of it.
std::size_t ber_length(ByteReader& in) noexcept {
    const std::uint8_t first = in.u8();
    if (first < 0x80) return first;
    std::size_t length = 0;
    const unsigned count = first & 0x7f;
    if (count == 0 || count > 4) return kHandshakeBytesMax + 1;
    for (unsigned i = 0; i < count; ++i) length = (length << 8) | in.u8();
    return length;
}

// LDAPMessage ::= SEQUENCE { messageID INTEGER, protocolOp, controls } (RFC 4511 section 4.1.1).
// ok: `op` is the tag of the operation and `body` what it holds.
Parse ldap_message(ByteReader& in, std::uint8_t& op, ByteView& body) noexcept {
    if (in.empty()) return Parse::need_more;
    if (in.u8() != 0x30) return Parse::not_this;
    const std::size_t length = ber_length(in);
    if (length > kHandshakeBytesMax) return Parse::not_this;
    // The fields at the front must fit even while the rest is on its way.
    ByteReader front = in;
    const std::uint8_t tag = front.u8();
    const std::uint8_t id_bytes = front.u8();
    if (!front.failed() && (tag != 2 || id_bytes == 0 || id_bytes > 4)) return Parse::not_this;
    ByteReader message(in.take(length));
    if (in.failed()) return Parse::need_more;
    message.skip(2);
    message.skip(id_bytes);
    op = message.u8();
    const std::size_t op_bytes = ber_length(message);
    body = message.take(op_bytes);
    return message.failed() ? Parse::not_this : Parse::ok;
}

//  | 3 | 0 | length (2) | LI | type | ... |  (RFC 1006 section 6 around X.224 section 13)
Parse tpkt(ByteView bytes, std::uint8_t type, std::size_t& length) noexcept {
    ByteReader in(bytes);
    constexpr std::size_t kConnectBytesMin = 11;
    const std::uint8_t version = in.u8();
    const std::uint8_t reserved = in.u8();
    const std::size_t packet_bytes = in.be16();
    const std::size_t header_bytes = in.u8();
    const std::uint8_t code = in.u8();
    if (version != 3 || reserved != 0) return bytes.empty() ? Parse::need_more : Parse::not_this;
    if (in.failed()) return Parse::need_more;
    if (packet_bytes < kConnectBytesMin || packet_bytes > kHandshakeBytesMax)
        return Parse::not_this;
    if (header_bytes + 5 != packet_bytes || code != type) return Parse::not_this;
    in.skip(packet_bytes - 6);
    return tls_follows(bytes, in, length);
}

}  // namespace

Parse tls_here(ByteView bytes) noexcept {
    if (bytes.empty()) return Parse::need_more;
    if (bytes[0] != 0x16 && bytes[0] != 0x15) return Parse::not_this;
    if (bytes.size() < 3)
        return bytes.size() == 2 && bytes[1] != 3 ? Parse::not_this : Parse::need_more;
    return bytes[1] == 3 && bytes[2] <= 4 ? Parse::ok : Parse::not_this;
}

//  | 4 | command | port (2) | address (4) | user, NUL | 4a: name, NUL where the address is 0.0.0.x
//  |
Parse socks4_client(ByteView bytes, std::size_t& length) noexcept {
    ByteReader in(bytes);
    const std::uint8_t version = in.u8();
    const std::uint8_t command = in.u8();
    if (version != 4) return Parse::not_this;
    if (in.failed()) return Parse::need_more;
    if (command != 1) return Parse::not_this;
    in.skip(2);
    const std::uint32_t address = in.be32();
    if (in.failed()) return Parse::need_more;
    if (const Parse parse = skip_c_text(in); parse != Parse::ok) return parse;
    if (address != 0 && address < 256) {
        if (const Parse parse = skip_c_text(in); parse != Parse::ok) return parse;
    }
    length = bytes.size() - in.left();
    return Parse::ok;
}

Parse socks4_server(ByteView bytes, std::size_t& length) noexcept {
    constexpr std::size_t kReplyBytes = 8;
    if (!bytes.empty() && bytes[0] != 0) return Parse::not_this;
    if (bytes.size() > 1 && bytes[1] != 0x5a) return Parse::not_this;
    length = kReplyBytes;
    return bytes.size() < kReplyBytes ? Parse::need_more : Parse::ok;
}

//  | 5 | n | methods (n) |   [ | 1 | n | user | n | password | ]   | 5 | 1 | 0 | address | port |
Parse socks5_client(ByteView bytes, std::size_t& length) noexcept {
    ByteReader in(bytes);
    if (in.u8() != 5) return Parse::not_this;
    const std::size_t methods = in.u8();
    if (in.failed()) return Parse::need_more;
    if (methods == 0) return Parse::not_this;
    in.skip(methods);
    std::uint8_t version = in.u8();
    if (in.failed()) return Parse::need_more;
    if (version == 1) {  // RFC 1929
        in.skip(in.u8());
        in.skip(in.u8());
        version = in.u8();
        if (in.failed()) return Parse::need_more;
    }
    if (version != 5) return Parse::not_this;
    const std::uint8_t command = in.u8();
    const std::uint8_t reserved = in.u8();
    if (in.failed()) return Parse::need_more;
    if (command != 1 || reserved != 0) return Parse::not_this;
    if (in.empty()) return Parse::need_more;
    const Parse parse = skip_socks5_address(in);
    length = bytes.size() - in.left();
    return parse;
}

//  | 5 | method |   [ | 1 | status | ]   | 5 | 0 | 0 | address | port |
Parse socks5_server(ByteView bytes, std::size_t& length) noexcept {
    ByteReader in(bytes);
    if (in.u8() != 5) return Parse::not_this;
    const std::uint8_t method = in.u8();
    if (in.failed()) return Parse::need_more;
    if (method != 0 && method != 2) return Parse::not_this;
    if (method == 2) {
        const std::uint8_t version = in.u8();
        const std::uint8_t status = in.u8();
        if (in.failed()) return Parse::need_more;
        if (version != 1 || status != 0) return Parse::not_this;
    }
    const std::uint8_t* reply = in.fixed<3>();
    if (reply == nullptr) return Parse::need_more;
    if (reply[0] != 5 || reply[1] != 0 || reply[2] != 0) return Parse::not_this;
    if (in.empty()) return Parse::need_more;
    const Parse parse = skip_socks5_address(in);
    length = bytes.size() - in.left();
    return parse;
}

// SSLRequest, perhaps after a GSSENCRequest: | 8 (4) | 80877103 or 80877104 (4) |
Parse postgres_client(ByteView bytes, std::size_t& length) noexcept {
    constexpr std::uint8_t kShape[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16};
    ByteReader in(bytes);
    for (int messages = 0; messages < 2; ++messages) {
        for (std::size_t i = 0; i < 8; ++i) {
            if (in.empty()) return Parse::need_more;
            const std::uint8_t c = in.u8();
            const bool fits = i < sizeof kShape ? c == kShape[i] : c == 0x2f || c == 0x30;
            if (!fits) return Parse::not_this;
            if (i == 7 && c == 0x2f) return tls_follows(bytes, in, length);
        }
    }
    return Parse::not_this;
}

// One byte each: `N` or `E`(rror) refuses, `S` agrees to TLS.
Parse postgres_server(ByteView bytes, std::size_t& length) noexcept {
    ByteReader in(bytes);
    for (int messages = 0; messages < 2; ++messages) {
        if (in.empty()) return Parse::need_more;
        const std::uint8_t answer = in.u8();
        if (answer == 'S') return tls_follows(bytes, in, length);
        if (answer != 'N') return Parse::not_this;
    }
    return Parse::not_this;
}

//  | 32 (3, little) | 1 | capabilities (4, little) | largest packet (4) | charset (1) | zeros (23)
//  |
Parse mysql_client(ByteView bytes, std::size_t& length) noexcept {
    constexpr std::uint8_t kShape[] = {32, 0, 0, 1};
    constexpr std::uint8_t kClientSslBit = 0x08;  // of the second capability byte
    ByteReader in(bytes);
    for (const std::uint8_t wanted : kShape) {
        if (in.empty()) return Parse::need_more;
        if (in.u8() != wanted) return Parse::not_this;
    }
    const std::uint8_t* capabilities = in.fixed<4>();
    if (capabilities != nullptr && (capabilities[1] & kClientSslBit) == 0) return Parse::not_this;
    in.skip(28);
    return tls_follows(bytes, in, length);
}

//  | length (3, little) | 0 | 10 | version, NUL | ... |
Parse mysql_server(ByteView bytes, std::size_t& length) noexcept {
    constexpr std::size_t kGreetingBytesMin = 40;
    constexpr std::size_t kGreetingBytesMax = 512;
    ByteReader in(bytes);
    const std::uint8_t* at = in.fixed<5>();
    if (at == nullptr) return Parse::need_more;
    const std::size_t packet_bytes = at[0] | (std::size_t{at[1]} << 8) | (std::size_t{at[2]} << 16);
    if (at[3] != 0 || at[4] != 10) return Parse::not_this;
    if (packet_bytes < kGreetingBytesMin || packet_bytes > kGreetingBytesMax)
        return Parse::not_this;
    in.skip(packet_bytes - 1);
    return tls_follows(bytes, in, length);
}

// ExtendedRequest with requestName 1.3.6.1.4.1.1466.20037 (RFC 4511 section 4.14.1), perhaps after
// a search.
Parse ldap_client(ByteView bytes, std::size_t& length) noexcept {
    constexpr std::string_view kStartTls = "1.3.6.1.4.1.1466.20037";
    constexpr std::uint8_t kExtendedRequest = 0x77;
    constexpr std::uint8_t kRequestName = 0x80;
    ByteReader in(bytes);
    for (int messages = 0; messages < kMessagesMax; ++messages) {
        std::uint8_t op = 0;
        ByteView body;
        if (const Parse parse = ldap_message(in, op, body); parse != Parse::ok) return parse;
        if (op != kExtendedRequest) continue;
        ByteReader request(body);
        const std::uint8_t tag = request.u8();
        const ByteView name = request.take(ber_length(request));
        if (!request.failed() && tag == kRequestName && as_text(name) == kStartTls)
            return tls_follows(bytes, in, length);
    }
    return Parse::not_this;
}

// Answers up to the TLS that follows the extended one.
Parse ldap_server(ByteView bytes, std::size_t& length) noexcept {
    constexpr std::uint8_t kExtendedResponse = 0x78;
    ByteReader in(bytes);
    for (int messages = 0; messages < kMessagesMax; ++messages) {
        std::uint8_t op = 0;
        ByteView body;
        if (const Parse parse = ldap_message(in, op, body); parse != Parse::ok) return parse;
        if (op != kExtendedResponse) continue;
        if (const Parse parse = tls_follows(bytes, in, length); parse != Parse::not_this)
            return parse;
    }
    return Parse::not_this;
}

Parse rdp_client(ByteView bytes, std::size_t& length) noexcept { return tpkt(bytes, 0xe0, length); }
Parse rdp_server(ByteView bytes, std::size_t& length) noexcept { return tpkt(bytes, 0xd0, length); }

}  // namespace seine::preface
