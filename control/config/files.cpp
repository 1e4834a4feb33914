// Written beside, pushed to the disk, renamed, and the folder pushed as well.
#include "control/config/files.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace seine::config {

Result<std::string> read_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return Status(errno == ENOENT ? Code::not_found : Code::failed,
                      path + ": cannot be opened: " + std::strerror(errno));
    std::string out;
    char buffer[64 * 1024];
    ssize_t count = 0;
    while ((count = ::read(fd, buffer, sizeof buffer)) > 0)
        out.append(buffer, static_cast<std::size_t>(count));
    const int error = errno;
    ::close(fd);
    if (count < 0) return failed(path + ": cannot be read: " + std::strerror(error));
    return out;
}

Status replace_file(const std::string& path, std::string_view content) {
    const std::string fresh = path + ".new";
    const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return failed(fresh + ": cannot be written: " + std::strerror(errno));
    const ssize_t count = ::write(fd, content.data(), content.size());
    const bool whole = count == static_cast<ssize_t>(content.size());
    const bool written = whole && ::fsync(fd) == 0;
    // A part of it: the disk is full, which only the next write would say.
    const int error = !whole && count > 0 ? ENOSPC : errno;
    ::close(fd);
    if (!written || std::rename(fresh.c_str(), path.c_str()) != 0) {
        const int why = written ? errno : error;
        ::unlink(fresh.c_str());
        return failed(path + ": cannot be written: " + std::strerror(why));
    }
    const std::string folder = path.substr(0, path.rfind('/') + 1);
    const int folder_fd =
        ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd >= 0) {
        static_cast<void>(::fsync(folder_fd));
        ::close(folder_fd);
    }
    return {};
}

}  // namespace seine::config
