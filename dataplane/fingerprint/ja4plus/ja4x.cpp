// JA4X: three lists of object identifiers, each hashed.
#include "dataplane/fingerprint/ja4plus/ja4x.h"

#include "dataplane/fingerprint/digest.h"

namespace seine::fingerprint {
namespace {

// Identifiers in certificates have 3 to 12 bytes; this holds 64 of 31 bytes each.
constexpr std::size_t kListBytesMax = 64 * 64;

// False when the list is longer than its room.
template <std::size_t Cap>
bool append_list(const FixedVector<ByteView, Cap>& oids, crypto::Digester& digester,
                 Ja4xText& out) noexcept {
    FixedString<kListBytesMax> text;
    for (std::size_t i = 0; i < oids.size(); ++i) {
        if (i > 0) text.push(',');
        text.append_hex(oids[i]);
        if (text.truncated()) return false;
    }
    append_h12(digester, text.view(), out);
    return true;
}

}  // namespace

bool ja4x(const tls::Certificate& certificate, crypto::Digester& digester, Ja4xText& out) noexcept {
    out.clear();
    bool fits = append_list(certificate.issuer_oids, digester, out);
    out.push('_');
    fits = fits && append_list(certificate.subject_oids, digester, out);
    out.push('_');
    fits = fits && append_list(certificate.extension_oids, digester, out);
    if (!fits) out.clear();
    return fits;
}

}  // namespace seine::fingerprint
