// libcrypto's one-shot digest.
#include "control/config/digest.h"

#include <openssl/evp.h>

#include "dataplane/base/assert.h"
#include "dataplane/base/bytes.h"

namespace seine::config {

std::string sha256_hex(std::string_view text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned bytes = 0;
    SEINE_CHECK(EVP_Digest(text.data(), text.size(), digest, &bytes, EVP_sha256(), nullptr) == 1);
    std::string out;
    for (unsigned i = 0; i < bytes; ++i) {
        out.push_back(kHexDigits[digest[i] >> 4]);
        out.push_back(kHexDigits[digest[i] & 15]);
    }
    return out;
}

}  // namespace seine::config
