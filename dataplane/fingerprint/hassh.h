// HASSH and HASSHServer: MD5 over four name lists of SSH_MSG_KEXINIT, as sent.
#pragma once
#include <string_view>

#include "dataplane/base/fixed_string.h"

namespace seine::crypto {
class Digester;
}

namespace seine::fingerprint {

// The lists of one side: the client's for hassh (encryption, mac and compression client to server),
// the server's for hassh_server (server to client). The same function makes both.
struct HasshLists {
    std::string_view kex;
    std::string_view encryption;
    std::string_view mac;
    std::string_view compression;
};
void hassh(const HasshLists& lists, crypto::Digester& digester, FixedString<32>& out) noexcept;

}  // namespace seine::fingerprint
