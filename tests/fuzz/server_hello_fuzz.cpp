// Any bytes as ServerHello, draft retry request and NewSessionTicket bodies, and JA4S and JA3S of them.
#include <cstdlib>

#include "dataplane/fingerprint/ja3.h"
#include "dataplane/tls/server_hello.h"
#ifdef SEINE_JA4PLUS
#include "dataplane/fingerprint/ja4plus/ja4s.h"
#endif

namespace {

using namespace seine;

void require(bool holds) {
    if (!holds) std::abort();
}

void require_forms(const tls::ServerHello& hello) {
    using namespace fingerprint;
    static crypto::Digester digester;
    Md5Text sum;
    ja3s(hello, digester, sum);
    require(sum.size() == 32);
#ifdef SEINE_JA4PLUS
    Ja4sText text;
    ja4s(hello, Transport::tcp, digester, text);
    require(text.size() == kJa4sBytes && !text.truncated());
    char room[kJa4sRawBytesMax];
    const RawForm raw = ja4s_raw(hello, Transport::tcp, room);
    require(!raw.truncated && raw.text.substr(0, 13) == text.view().substr(0, 13));
    require(ja4s_raw(hello, Transport::tcp, std::span(room).first(7)).text.size() <= 7);
#endif
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView body(data, size);
    tls::ServerHello hello;
    const Parse parse = tls::read_server_hello(body, hello);
    require(parse == Parse::ok || parse == Parse::malformed || parse == Parse::limit);
    if (parse == Parse::ok) {
        require(hello.random.size() == 32 && hello.session_id.size() <= 32);
        require_forms(hello);
    }
    if (tls::read_draft_retry_request(body, hello) == Parse::ok) {
        require(hello.retry_request);
        require_forms(hello);
    }
    tls::NewSessionTicket ticket;
    if (tls::read_new_session_ticket(body, ticket) == Parse::ok) {
        require(ticket.ticket.size() + 6 == size);
    }
    return 0;
}
