// HASSH: MD5 over the name lists joined with `;`.
#include "dataplane/fingerprint/hassh.h"

#include "dataplane/crypto/digest.h"

namespace seine::fingerprint {

void hassh(const HasshLists& lists, crypto::Digester& digester, FixedString<32>& out) noexcept {
    const std::string_view parts[] = {lists.kex, ";", lists.encryption, ";",
                                      lists.mac, ";", lists.compression};
    crypto::Digester::Md5 digest;
    digester.md5(parts, digest);
    out.clear();
    out.append_hex(digest);
}

}  // namespace seine::fingerprint
