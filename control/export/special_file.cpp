// By lstat or stat alone: nothing is opened to find out.
#include "control/export/special_file.h"

#include <sys/stat.h>

namespace seine::siem {
namespace {

std::string_view kind_of_file(mode_t mode) {
    if (S_ISDIR(mode)) return "a folder";
    if (S_ISLNK(mode)) return "a symbolic link";
    if (S_ISFIFO(mode)) return "a named pipe";
    if (S_ISSOCK(mode)) return "a socket";
    return "a device";
}

}  // namespace

Status check_plain_file(const std::string& path, Links links) {
    struct stat about {};
    const int found =
        links == Links::followed ? ::stat(path.c_str(), &about) : ::lstat(path.c_str(), &about);
    if (found != 0 || S_ISREG(about.st_mode)) return {};
    return failed(path + ": is " + std::string(kind_of_file(about.st_mode)) + ", a plain file is wanted; " +
                  (S_ISLNK(about.st_mode) ? "name the file that it points to"
                                          : "name another path, or take it away"));
}

}  // namespace seine::siem
