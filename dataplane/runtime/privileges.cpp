#include "dataplane/runtime/privileges.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace seine::runtime {
namespace {

Status refused(const User& user, const char* step) {
    return failed("--user " + user.name + ": " + step + " (" + std::strerror(errno) +
                  "); start as root, or without --user and with cap_net_raw and cap_net_admin");
}

// Of the calling thread: these and no others, none of them for programs it might run.
bool keep_only(std::uint32_t permitted) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3]{};
    sets[0].permitted = sets[0].effective = permitted;
    return syscall(SYS_capset, &header, sets) == 0;
}

}  // namespace

Result<User> find_user(const std::string& name) {
    std::array<char, 4096> room{};
    passwd entry{};
    passwd* found = nullptr;
    const int error = getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
    if (found == nullptr) {
        return Status(Code::not_found, "--user " + name + ": " +
                                           (error != 0 ? std::strerror(error) : "no such user") +
                                           "; make one with: useradd --system " + name);
    }
    if (entry.pw_uid == 0)
        return Status(Code::usage, "--user " + name + ": is root, which would drop nothing");
    return User{name, entry.pw_uid, entry.pw_gid};
}

Status become(const User& user, bool keep_net_admin) {
    if (geteuid() != 0)
        return failed("--user " + user.name + ": only root can become another user");
    if (keep_net_admin && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
        return refused(user, "capabilities cannot be kept");
    // The library tells every thread of the process.
    if (initgroups(user.name.c_str(), user.gid) != 0)
        return refused(user, "its groups cannot be taken");
    if (setresgid(user.gid, user.gid, user.gid) != 0)
        return refused(user, "its group cannot be taken");
    if (setresuid(user.uid, user.uid, user.uid) != 0) return refused(user, "it cannot be taken");
    if (!keep_only(keep_net_admin ? 1u << CAP_NET_ADMIN : 0))
        return refused(user, "capabilities cannot be dropped");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return refused(user, "the way back cannot be closed");
    // Changing the user made the process dumpable by nobody; it stays so.
    if (setuid(0) == 0)
        return failed("--user " + user.name + ": root can still be had, which must not be");
    return {};
}

Status hand_to(const User& user, const std::string& path) {
    if (chown(path.c_str(), user.uid, user.gid) == 0) return {};
    return failed(path + ": cannot be given to " + user.name + " (" + std::strerror(errno) + ")");
}

}  // namespace seine::runtime
