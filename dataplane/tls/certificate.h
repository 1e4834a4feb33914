// Certificate message of TLS and DTLS up to 1.2, and the parts of an X.509 certificate that are read.
#pragma once
#include <cstdint>

#include "dataplane/base/bytes.h"
#include "dataplane/base/fixed_vector.h"
#include "dataplane/base/status.h"

namespace seine::tls {

inline constexpr std::size_t kCertificatesMax = 16;

// The certificates of one message, leaf first, each a borrowed DER value.
struct CertificateList {
    FixedVector<ByteView, kCertificatesMax> certificates;
};
// `body` is the message without its handshake header (RFC 5246 section 7.4.2).
// ok: `out` is set; an empty list is sound (a client that has none).
// malformed: lengths do not add up. limit: more than kCertificatesMax; `out` then holds the first ones.
Parse read_certificate_list(ByteView body, CertificateList& out) noexcept;

// What is read of one certificate (RFC 5280 section 4.1). All views borrow from the DER bytes. Object
// identifiers are content bytes, without tag and length: 55 04 03 for 2.5.4.3.
struct Certificate {
    static constexpr std::size_t kAttributesMax = 64;
    static constexpr std::size_t kExtensionOidsMax = 64;
    static constexpr std::size_t kDnsNamesMax = 32;

    ByteView serial;  // content bytes of the INTEGER
    FixedVector<ByteView, kAttributesMax> issuer_oids;   // in order, every attribute of every RDN
    FixedVector<ByteView, kAttributesMax> subject_oids;
    FixedVector<ByteView, kExtensionOidsMax> extension_oids;
    ByteView issuer_common_name;   // bytes of the last commonName, encoding as sent
    ByteView subject_common_name;
    FixedVector<ByteView, kDnsNamesMax> dns_names;  // the first ones of subjectAltName
    std::uint32_t dns_name_count = 0;               // all of them
    ByteView not_before;  // text of UTCTime or GeneralizedTime as sent
    ByteView not_after;
    // Seconds since 1970 UTC; 0 when the text is not a time.
    std::int64_t not_before_s = 0;
    std::int64_t not_after_s = 0;
};

// ok:        `out` is set.
// malformed: not the DER of a certificate. Lengths are definite, of at most four bytes, inside their
//            parent; tags of more than one byte and indefinite lengths do not occur in certificates.
// limit:     more attributes or extensions than fit.
// Reads each byte at most a fixed number of times, without recursion.
Parse read_certificate(ByteView der, Certificate& out) noexcept;

}  // namespace seine::tls
