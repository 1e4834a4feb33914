#include "control/account/secret_memory.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/mman.h>

namespace seine::account {

void wipe(void* at, std::size_t bytes) noexcept {
    std::memset(at, 0, bytes);
    // The compiler may not take the writes for dead.
    asm volatile("" : : "r"(at) : "memory");
}

Result<SecretMemory> SecretMemory::make(std::size_t bytes) {
    constexpr std::size_t kPage = 4096;
    SecretMemory memory;
    const std::size_t rounded = (bytes + kPage - 1) / kPage * kPage;
    void* at = ::mmap(nullptr, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        return failed(std::string("no memory for tag keys: ") + std::strerror(errno));
    }
    memory.at_ = static_cast<std::uint8_t*>(at);
    memory.bytes_ = rounded;
    if (::madvise(at, rounded, MADV_DONTDUMP) != 0) {
        return failed(std::string("the kernel will not keep tag keys out of core dumps: ") +
                      std::strerror(errno));
    }
    // A child that a library forks would carry a copy.
    static_cast<void>(::madvise(at, rounded, MADV_WIPEONFORK));
    memory.locked_ = ::mlock(at, rounded) == 0;
    return memory;
}

SecretMemory::~SecretMemory() {
    if (at_ == nullptr) return;
    wipe(at_, bytes_);
    ::munmap(at_, bytes_);
}

}  // namespace seine::account
