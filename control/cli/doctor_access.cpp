// Who may read what: secrets, keys, the state folder and the rings.
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <pwd.h>
#include <sys/stat.h>

#include "control/cli/doctor.h"

namespace seine::cli {
namespace {

std::string octal(unsigned mode) {
    std::string out = "0000";
    for (int i = 3; i >= 0; --i, mode >>= 3)
        out[static_cast<std::size_t>(i)] = static_cast<char>('0' + (mode & 7));
    return out;
}

std::string owner_of(uid_t user) {
    const passwd* found = ::getpwuid(user);
    return found == nullptr ? std::to_string(user) : std::string(found->pw_name);
}

// A path whose content is for one user: nobody else may have any of `forbidden`.
void look_at_path(const std::string& path, unsigned forbidden, const std::string& advised,
                  std::vector<Finding>& findings) {
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) return;
    const unsigned mode = about.st_mode & 07777;
    if ((mode & forbidden) == 0) {
        findings.push_back({"access", Finding::Level::ok,
                            path + " is " + octal(mode) + " of " + owner_of(about.st_uid), ""});
        return;
    }
    findings.push_back({"access", Finding::Level::fail,
                        path + " is " + octal(mode) + ": others than its user may get at it",
                        "chmod " + advised + " " + path});
}

void look_at_secrets(const std::string& folder, std::vector<Finding>& findings) {
    look_at_path(folder, 077, "0700", findings);
    DIR* open = ::opendir(folder.c_str());
    if (open == nullptr) {
        if (errno == EACCES)
            findings.push_back({"access", Finding::Level::note,
                                folder + " cannot be looked into: " + std::strerror(errno),
                                "run seinectl doctor as root"});
        return;
    }
    std::size_t looked = 0;
    while (const dirent* entry = ::readdir(open)) {
        if (entry->d_name[0] == '.' || ++looked > 256) continue;
        const std::string path = folder + "/" + entry->d_name;
        const std::string_view name = entry->d_name;
        // Certificates are no secrets.
        if (!name.ends_with(".pem") && !name.ends_with(".crt"))
            look_at_path(path, 077, "0600", findings);
    }
    ::closedir(open);
}

}  // namespace

void look_at_access(const DoctorRoot& root, std::vector<Finding>& findings) {
    look_at_secrets(root.etc + "/seine/secrets", findings);
    look_at_path(root.etc + "/seine/tag.keys", 077, "0600", findings);
    look_at_path(root.state, 077, "0700", findings);
    struct stat about {};
    const std::string ring = root.run + "/flows.ring";
    if (::stat(ring.c_str(), &about) != 0) return;
    if ((about.st_mode & 07) != 0)
        findings.push_back({"access", Finding::Level::fail,
                            ring + " is open to everybody: records of flows are personal",
                            "chmod o= " + ring + "; the unit's UMask is 0007"});
    if ((about.st_mode & 060) != 060 || about.st_gid == 0)
        findings.push_back({"access", Finding::Level::warn,
                            ring + " is not of a group that seine-control is in: it may not be "
                                   "able to read it",
                            "chgrp seine " + ring + " && chmod 0660 " + ring});
}

}  // namespace seine::cli
