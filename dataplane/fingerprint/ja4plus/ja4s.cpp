// JA4S: version, count, ALPN and suite in clear, extension types in wire order hashed.
#include "dataplane/fingerprint/ja4plus/ja4s.h"

#include <algorithm>

#include "dataplane/fingerprint/digest.h"
#include "dataplane/fingerprint/number_text.h"

namespace seine::fingerprint {
namespace {

// `a_b_`, thirteen characters.
void write_head(const tls::ServerHello& hello, Transport transport, TextWriter& out) noexcept {
    std::size_t count = 0;
    for (const std::uint16_t type : hello.extensions) count += tls::is_grease(type) ? 0 : 1;
    count = std::min<std::size_t>(count, 99);
    const AlpnCode alpn = alpn_code(hello.first_alpn());
    out.push(static_cast<char>(transport));
    out.append(version_code(hello.version()));
    out.push(static_cast<char>('0' + count / 10));
    out.push(static_cast<char>('0' + count % 10));
    out.push(alpn.first);
    out.push(alpn.last);
    out.push('_');
    out.hex_item(hello.cipher, true);
    out.push('_');
}

void write_extensions(const tls::ServerHello& hello, TextWriter& out) noexcept {
    bool first = true;
    for (const std::uint16_t type : hello.extensions) {
        if (tls::is_grease(type)) continue;
        out.hex_item(type, first);
        first = false;
    }
}

}  // namespace

void ja4s(const tls::ServerHello& hello, Transport transport, crypto::Digester& digester,
          Ja4sText& out) noexcept {
    char head_room[16];
    TextWriter head(head_room);
    write_head(hello, transport, head);
    char list_room[5 * tls::kExtensionsMax];
    TextWriter list(list_room);
    write_extensions(hello, list);
    SEINE_ASSERT(!head.truncated() && !list.truncated());
    out.clear();
    out.append(head.view());
    append_known_h12(digester, list.view(), out);
}

RawForm ja4s_raw(const tls::ServerHello& hello, Transport transport, std::span<char> out) noexcept {
    TextWriter text(out);
    write_head(hello, transport, text);
    write_extensions(hello, text);
    return {text.view(), text.truncated()};
}

}  // namespace seine::fingerprint
