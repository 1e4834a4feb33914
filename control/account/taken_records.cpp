#include "control/account/taken_records.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace seine::account {
namespace {

constexpr std::uint64_t kTakenMagic = 0x314b415445534e49u;
constexpr std::size_t kPageBytes = 4096;

}  // namespace

struct TakenRecords::Page {
    std::uint64_t magic;
    std::uint64_t id;
    std::uint64_t count;
};

TakenRecords::TakenRecords(const std::string& path) {
    if (open(path)) return;
    problem_ = path + ": cannot be used (" + std::strerror(errno) +
               "); account records of sockets that a kill costs are not counted";
}

TakenRecords::~TakenRecords() {
    if (page_ != nullptr) ::munmap(page_, kPageBytes);
}

bool TakenRecords::open(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return false;
    // Its page is there before it is written to: a full disk says so here, not by a signal later.
    const int room = ::posix_fallocate(fd, 0, kPageBytes);
    void* at = room == 0 ? ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    const int error = room != 0 ? room : errno;
    ::close(fd);
    errno = error;
    if (at == MAP_FAILED) return false;
    page_ = static_cast<Page*>(at);
    if (page_->magic != kTakenMagic || page_->id == 0) {
        std::random_device random;
        *page_ = {kTakenMagic, (std::uint64_t{random()} << 32 | random()) | 1, 0};
    }
    file_id_ = page_->id;
    count_ = &page_->count;
    return true;
}

}  // namespace seine::account
