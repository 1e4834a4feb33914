// From root to an ordinary user, once everything that needs root is open.
#pragma once
#include <string>
#include <sys/types.h>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::runtime {

struct User {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
};

// not_found: no such user. usage: root, which would change nothing.
Result<User> find_user(const std::string& name);

// All threads of this process become that user, with its own groups, for good. The calling thread
// keeps CAP_NET_ADMIN when `keep_net_admin` (an XDP program is taken off at the end with it);
// nothing else stays. failed: not started as root, or the kernel refused; nothing is half done that
// the process could go on with.
Status become(const User& user, bool keep_net_admin);

// Gives a folder or file that the process has made to the user, so that it can be written and
// removed later.
Status hand_to(const User& user, const std::string& path);

}  // namespace seine::runtime
