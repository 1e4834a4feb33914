#include "control/service/join_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <unistd.h>

#include "dataplane/base/hash.h"

namespace seine::service {
namespace {

constexpr std::uint64_t kSeed = 0x6a6f696e66696c65u;

// "a 1234 5678": letter, bytes, hash.
std::string mark_of(char letter, std::string_view state) {
    return std::string(1, letter) + " " + std::to_string(state.size()) + " " + std::to_string(hash64(as_bytes(state), kSeed));
}

}  // namespace

Result<std::string> JoinFile::write(std::string_view state) {
    const char letter = newest_ == 'a' ? 'b' : 'a';
    const int fd = ::open(path(letter).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool whole = fd >= 0;
    for (std::string_view rest = state; whole && !rest.empty();) {
        const ssize_t wrote = ::write(fd, rest.data(), rest.size());
        whole = wrote > 0 || (wrote < 0 && errno == EINTR);
        if (wrote > 0) rest.remove_prefix(static_cast<std::size_t>(wrote));
    }
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (!whole) {
        static_cast<void>(::unlink(path(letter).c_str()));
        return failed(path(letter) + ": cannot be written (" + std::strerror(error) + ")");
    }
    newest_ = letter;
    return mark_of(letter, state);
}

std::string JoinFile::read(const std::string& mark) {
    if (mark.empty() || (mark[0] != 'a' && mark[0] != 'b')) return {};
    std::ifstream file(path(mark[0]), std::ios::binary);
    std::string state((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (mark_of(mark[0], state) != mark) return {};
    newest_ = mark[0];
    return state;
}

}  // namespace seine::service
