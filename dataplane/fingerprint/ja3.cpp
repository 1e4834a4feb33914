// JA3 and JA3S: decimal lists joined with '-', fields with ',', and MD5 over them.
#include "dataplane/fingerprint/ja3.h"

#include "dataplane/fingerprint/digest.h"
#include "dataplane/fingerprint/number_text.h"

namespace seine::fingerprint {
namespace {

// Numbers of one field; `at(i)` gives the i-th.
template <typename At>
void write_field(std::size_t count, At at, TextWriter& out) noexcept {
    bool first = true;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint16_t value = at(i);
        if (tls::is_grease(value)) continue;
        if (!first) out.push('-');
        out.decimal(value);
        first = false;
    }
}

}  // namespace

RawForm ja3_raw(const tls::ClientHello& hello, std::span<char> out) noexcept {
    TextWriter text(out);
    text.decimal(hello.legacy_version);
    text.push(',');
    write_field(hello.ciphers.size(), [&](std::size_t i) { return hello.ciphers[i]; }, text);
    text.push(',');
    write_field(hello.extensions.size(), [&](std::size_t i) { return hello.extensions[i]; }, text);
    text.push(',');
    write_field(hello.groups.size(), [&](std::size_t i) { return hello.groups[i]; }, text);
    text.push(',');
    write_field(hello.point_formats.size(),
                [&](std::size_t i) { return std::uint16_t{hello.point_formats[i]}; }, text);
    return {text.view(), text.truncated()};
}

RawForm ja3s_raw(const tls::ServerHello& hello, std::span<char> out) noexcept {
    TextWriter text(out);
    text.decimal(hello.legacy_version);
    text.push(',');
    text.decimal(hello.cipher);
    text.push(',');
    write_field(hello.extensions.size(), [&](std::size_t i) { return hello.extensions[i]; }, text);
    return {text.view(), text.truncated()};
}

void ja3(const tls::ClientHello& hello, crypto::Digester& digester, Md5Text& out) noexcept {
    char room[kJa3RawBytesMax];
    out.clear();
    append_md5(digester, ja3_raw(hello, room).text, out);
}

void ja3s(const tls::ServerHello& hello, crypto::Digester& digester, Md5Text& out) noexcept {
    char room[16 + 6 * tls::kExtensionsMax];
    out.clear();
    append_md5(digester, ja3s_raw(hello, room).text, out);
}

}  // namespace seine::fingerprint
