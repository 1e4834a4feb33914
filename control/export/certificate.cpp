// PEM by libcrypto.
#include "control/export/certificate.h"

#include <cstdio>
#include <ctime>
#include <memory>

#include <openssl/pem.h>
#include <openssl/x509.h>

namespace seine::siem {

Result<Nanos> certificate_ends(const std::string& path) {
    const std::unique_ptr<FILE, int (*)(FILE*)> file(
        std::fopen(path.c_str(), "re"),
        [](FILE* held) { return held == nullptr ? 0 : std::fclose(held); });
    if (file == nullptr) return failed(path + ": cannot be read");
    Nanos earliest{};
    bool any = false;
    while (X509* certificate = PEM_read_X509(file.get(), nullptr, nullptr, nullptr)) {
        std::tm broken{};
        if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &broken) == 1) {
            const Nanos ends{static_cast<std::int64_t>(::timegm(&broken)) * kSecond};
            if (!any || ends < earliest) earliest = ends;
            any = true;
        }
        X509_free(certificate);
    }
    if (!any) return failed(path + ": holds no PEM certificate");
    return earliest;
}

}  // namespace seine::siem
