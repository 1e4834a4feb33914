// Any bytes as a ClientHello body (bit 0 of the first byte: of DTLS), and every form made of it.
#include <cstdlib>
#include <vector>

#include "dataplane/fingerprint/ja3.h"
#include "dataplane/fingerprint/tls_client.h"

namespace {

using namespace seine;

void require(bool holds) {
    if (!holds) std::abort();
}

// Whether a view lies inside the message, as all must.
void require_inside(ByteView whole, ByteView part) {
    if (part.empty()) return;
    require(part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void require_views(const tls::ClientHello& hello, ByteView body) {
    for (const ByteView view :
         {hello.random, hello.session_id, hello.cookie, hello.ciphers.bytes(), hello.compressions,
          hello.server_name, hello.alpn, hello.first_alpn(), hello.groups.bytes(), hello.point_formats,
          hello.signature_algorithms.bytes(), hello.supported_versions.bytes(), hello.key_shares,
          hello.psk_identity, hello.session_ticket, hello.quic_parameters}) {
        require_inside(body, view);
    }
    require(hello.random.size() == 32);
    require(hello.has_psk || hello.psk_identity.empty());
    require(hello.psk_identity_count > 0 || hello.psk_identity.empty());
}

void require_forms(const tls::ClientHello& hello) {
    using namespace fingerprint;
    static crypto::Digester digester;
    static std::vector<char> room(kJa4RawBytesMax + kJa3RawBytesMax);
    for (const Transport transport : {Transport::tcp, Transport::quic, Transport::dtls}) {
        TlsClientPrint print;
        tls_client(hello, transport, digester, print);
        require(print.ja4.size() == kJa4Bytes && print.ja4_norm.size() == kJa4Bytes);
        require(!print.ja4.truncated() && !print.ja4_norm.truncated());
        Ja4Text wire;
        ja4_wire_order(hello, transport, digester, wire);
        require(wire.size() == kJa4Bytes);
        const RawForm sorted = ja4_raw(hello, transport, std::span(room).first(kJa4RawBytesMax));
        require(!sorted.truncated && sorted.text.substr(0, 10) == print.ja4.view().substr(0, 10));
        const RawForm in_order =
            ja4_raw_wire_order(hello, transport, std::span(room).first(kJa4RawBytesMax));
        require(!in_order.truncated && in_order.text.substr(0, 10) == wire.view().substr(0, 10));
        require(ja4_raw(hello, transport, std::span(room).first(25)).text.size() <= 25);
    }
    Md5Text sum;
    ja3(hello, digester, sum);
    require(sum.size() == 32);
    require(!ja3_raw(hello, std::span(room).first(kJa3RawBytesMax)).truncated);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto form = (data[0] & 1) != 0 ? tls::HelloForm::dtls : tls::HelloForm::tls;
    const ByteView body(data + 1, size - 1);
    tls::ClientHello hello;
    const Parse parse = tls::read_client_hello(body, form, hello);
    require(parse == Parse::ok || parse == Parse::malformed || parse == Parse::limit);
    if (parse != Parse::ok) return 0;
    require_views(hello, body);
    require_forms(hello);
    return 0;
}
