// JA4: lists filtered, sorted, written as hex and hashed, all on the stack.
#include "dataplane/fingerprint/tls_client.h"

#include <algorithm>

#include "dataplane/fingerprint/digest.h"
#include "dataplane/fingerprint/number_sort.h"
#include "dataplane/fingerprint/number_text.h"

namespace seine::fingerprint {
namespace {

namespace extension = tls::extension;

enum class Order { sorted, wire };

// Numbers picked from a hello, at most Cap of them since read_client_hello() takes no more.
template <std::size_t Cap>
class Numbers {
  public:
    void add(std::uint16_t value) noexcept {
        SEINE_ASSERT(count_ < Cap);
        items_[count_++] = value;
    }
    void sort() noexcept { sort_numbers({items_.data(), count_}); }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] const std::uint16_t* begin() const noexcept { return items_.data(); }
    [[nodiscard]] const std::uint16_t* end() const noexcept { return items_.data() + count_; }

  private:
    std::array<std::uint16_t, Cap> items_;  // NOLINT: only the first count_ are read
    std::size_t count_ = 0;
};

using Ciphers = Numbers<tls::kCiphersMax>;
using Extensions = Numbers<tls::kExtensionsMax>;

// Left out of ja4_norm: a resumed session adds them, and padding follows from the other lengths.
bool session_bound(std::uint16_t type) noexcept {
    return type == extension::kPreSharedKey || type == extension::kEarlyData ||
           type == extension::kPadding;
}

void pick_ciphers(const tls::ClientHello& hello, Order order, Ciphers& out) noexcept {
    for (std::size_t i = 0; i < hello.ciphers.size(); ++i) {
        const std::uint16_t suite = hello.ciphers[i];
        if (!tls::is_grease(suite)) out.add(suite);
    }
    if (order == Order::sorted) out.sort();
}

// What the last part lists: in wire order everything but GREASE, sorted without name and ALPN.
void pick_extensions(const tls::ClientHello& hello, Order order, Extensions& out) noexcept {
    for (const std::uint16_t type : hello.extensions) {
        if (tls::is_grease(type)) continue;
        if (order == Order::sorted &&
            (type == extension::kServerName || type == extension::kAlpn)) {
            continue;
        }
        out.add(type);
    }
    if (order == Order::sorted) out.sort();
}

template <typename List>
void write_list(const List& list, TextWriter& out) noexcept {
    bool first = true;
    for (const std::uint16_t value : list) {
        out.hex_item(value, first);
        first = false;
    }
}

void write_signature_algorithms(const tls::ClientHello& hello, TextWriter& out) noexcept {
    bool first = true;
    for (std::size_t i = 0; i < hello.signature_algorithms.size(); ++i) {
        const std::uint16_t scheme = hello.signature_algorithms[i];
        if (tls::is_grease(scheme)) continue;
        if (first) out.push('_');
        out.hex_item(scheme, first);
        first = false;
    }
}

struct Counts {
    std::size_t ciphers = 0;
    std::size_t extensions = 0;
};

std::size_t extension_count(const tls::ClientHello& hello) noexcept {
    std::size_t count = 0;
    for (const std::uint16_t type : hello.extensions) count += tls::is_grease(type) ? 0 : 1;
    return count;
}

// The ten characters that all forms begin with.
std::array<char, 10> head(const tls::ClientHello& hello, Transport transport,
                          const Counts& counts) noexcept {
    const std::string_view version = version_code(hello.highest_version());
    const AlpnCode alpn = alpn_code(hello.first_alpn());
    const auto tens = [](std::size_t count) noexcept {
        return static_cast<char>('0' + std::min<std::size_t>(count, 99) / 10);
    };
    const auto ones = [](std::size_t count) noexcept {
        return static_cast<char>('0' + std::min<std::size_t>(count, 99) % 10);
    };
    return {static_cast<char>(transport),
            version[0],
            version[1],
            hello.has_server_name ? 'd' : 'i',
            tens(counts.ciphers),
            ones(counts.ciphers),
            tens(counts.extensions),
            ones(counts.extensions),
            alpn.first,
            alpn.last};
}

std::string_view text_of(const std::array<char, 10>& characters) noexcept {
    return {characters.data(), characters.size()};
}

// Room for the longest accepted list, left uninitialised.
struct CipherText {
    char characters[5 * tls::kCiphersMax];
};
struct ExtensionText {
    char characters[5 * (tls::kExtensionsMax + tls::kSignatureAlgorithmsMax) + 1];
};

void append_hashed_ciphers(const Ciphers& ciphers, crypto::Digester& digester,
                           FixedString<kH12Chars>& out) noexcept {
    CipherText room;
    TextWriter text(room.characters);
    write_list(ciphers, text);
    SEINE_ASSERT(!text.truncated());
    append_known_h12(digester, text.view(), out);
}

void append_hashed_extensions(const tls::ClientHello& hello, const Extensions& extensions,
                              crypto::Digester& digester, Ja4Text& out) noexcept {
    ExtensionText room;
    TextWriter text(room.characters);
    write_list(extensions, text);
    write_signature_algorithms(hello, text);
    SEINE_ASSERT(!text.truncated());
    append_known_h12(digester, text.view(), out);
}

void hashed_form(const tls::ClientHello& hello, Transport transport, const Counts& counts,
                 std::string_view ciphers_h12, const Extensions& extensions,
                 crypto::Digester& digester, Ja4Text& out) noexcept {
    out.clear();
    out.append(text_of(head(hello, transport, counts)));
    out.push('_');
    out.append(ciphers_h12);
    out.push('_');
    append_hashed_extensions(hello, extensions, digester, out);
}

RawForm raw_form(const tls::ClientHello& hello, Transport transport, Order order,
                 std::span<char> out) noexcept {
    Ciphers ciphers;
    pick_ciphers(hello, order, ciphers);
    Extensions extensions;
    pick_extensions(hello, order, extensions);
    TextWriter text(out);
    text.append(text_of(head(hello, transport, {ciphers.size(), extension_count(hello)})));
    text.push('_');
    write_list(ciphers, text);
    text.push('_');
    write_list(extensions, text);
    write_signature_algorithms(hello, text);
    return {text.view(), text.truncated()};
}

}  // namespace

std::string_view version_code(std::uint16_t version) noexcept {
    switch (version) {
        case 0x0304: return "13";
        case 0x0303: return "12";
        case 0x0302: return "11";
        case 0x0301: return "10";
        case 0x0300: return "s3";
        case 0x0002: return "s2";
        case 0xfeff: return "d1";
        case 0xfefd: return "d2";
        case 0xfefc: return "d3";
        default: return "00";
    }
}

AlpnCode alpn_code(ByteView entry) noexcept {
    if (entry.empty()) return {};
    const auto alphanumeric = [](std::uint8_t c) noexcept {
        const auto lower = static_cast<std::uint8_t>(c | 0x20);
        return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z');
    };
    const std::uint8_t first = entry.front();
    const std::uint8_t last = entry.back();
    if (alphanumeric(first) && alphanumeric(last)) {
        return {static_cast<char>(first), static_cast<char>(last)};
    }
    return {kHexDigits[first >> 4], kHexDigits[last & 15]};
}

void tls_client(const tls::ClientHello& hello, Transport transport, crypto::Digester& digester,
                TlsClientPrint& out) noexcept {
    Ciphers ciphers;
    pick_ciphers(hello, Order::sorted, ciphers);
    FixedString<kH12Chars> ciphers_h12;
    append_hashed_ciphers(ciphers, digester, ciphers_h12);
    Extensions extensions;
    pick_extensions(hello, Order::sorted, extensions);
    const Counts counts{ciphers.size(), extension_count(hello)};
    hashed_form(hello, transport, counts, ciphers_h12.view(), extensions, digester, out.ja4);

    Extensions lasting;
    for (const std::uint16_t type : extensions) {
        if (!session_bound(type)) lasting.add(type);
    }
    if (lasting.size() == extensions.size()) {
        out.ja4_norm = out.ja4;
        return;
    }
    const Counts lasting_counts{counts.ciphers,
                                counts.extensions - (extensions.size() - lasting.size())};
    hashed_form(hello, transport, lasting_counts, ciphers_h12.view(), lasting, digester,
                out.ja4_norm);
}

void ja4_wire_order(const tls::ClientHello& hello, Transport transport, crypto::Digester& digester,
                    Ja4Text& out) noexcept {
    Ciphers ciphers;
    pick_ciphers(hello, Order::wire, ciphers);
    FixedString<kH12Chars> ciphers_h12;
    append_hashed_ciphers(ciphers, digester, ciphers_h12);
    Extensions extensions;
    pick_extensions(hello, Order::wire, extensions);
    hashed_form(hello, transport, {ciphers.size(), extensions.size()}, ciphers_h12.view(),
                extensions, digester, out);
}

RawForm ja4_raw(const tls::ClientHello& hello, Transport transport, std::span<char> out) noexcept {
    return raw_form(hello, transport, Order::sorted, out);
}

RawForm ja4_raw_wire_order(const tls::ClientHello& hello, Transport transport,
                           std::span<char> out) noexcept {
    return raw_form(hello, transport, Order::wire, out);
}

}  // namespace seine::fingerprint
