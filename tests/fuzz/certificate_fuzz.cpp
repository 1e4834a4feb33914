// Any bytes as a certificate list and as one certificate, and JA4X of it.
#include <cstdlib>

#include "dataplane/tls/certificate.h"
#ifdef SEINE_JA4PLUS
#include "dataplane/fingerprint/ja4plus/ja4x.h"
#endif

namespace {

using namespace seine;

void require(bool holds) {
    if (!holds) std::abort();
}

void require_inside(ByteView whole, ByteView part) {
    if (part.empty()) return;
    require(part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void one(ByteView der) {
    tls::Certificate cert;
    const Parse parse = tls::read_certificate(der, cert);
    require(parse == Parse::ok || parse == Parse::malformed || parse == Parse::limit);
    if (parse != Parse::ok) return;
    for (const ByteView view :
         {cert.serial, cert.issuer_common_name, cert.subject_common_name, cert.not_before, cert.not_after}) {
        require_inside(der, view);
    }
    for (const ByteView oid : cert.issuer_oids) require_inside(der, oid);
    for (const ByteView oid : cert.subject_oids) require_inside(der, oid);
    for (const ByteView oid : cert.extension_oids) require_inside(der, oid);
    for (const ByteView name : cert.dns_names) require_inside(der, name);
    require(cert.dns_name_count >= cert.dns_names.size());
#ifdef SEINE_JA4PLUS
    static crypto::Digester digester;
    fingerprint::Ja4xText text;
    const bool made = fingerprint::ja4x(cert, digester, text);
    require(text.size() == (made ? fingerprint::kJa4xBytes : 0));
#endif
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    one(bytes);
    tls::CertificateList list;
    const Parse parse = tls::read_certificate_list(bytes, list);
    if (parse == Parse::ok || parse == Parse::limit) {
        for (const ByteView der : list.certificates) {
            require_inside(bytes, der);
            one(der);
        }
    }
    return 0;
}
