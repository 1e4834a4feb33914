// Zeroed memory mapped at start and touched as it is used: tables, pools and slabs live in it.
#pragma once
#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "dataplane/base/status.h"

namespace seine {

// One anonymous mapping, given back by the destructor. The kernel hands out pages at first touch, so a
// bound that is never reached costs address space only. Large mappings ask for huge pages.
class MappedMemory {
  public:
    MappedMemory() = default;
    MappedMemory(MappedMemory&& other) noexcept
        : at_(std::exchange(other.at_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    MappedMemory& operator=(MappedMemory&& other) noexcept {
        std::swap(at_, other.at_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    MappedMemory(const MappedMemory&) = delete;
    MappedMemory& operator=(const MappedMemory&) = delete;
    ~MappedMemory() {
        if (at_ != nullptr) ::munmap(at_, bytes_);
    }

    // `what` names the user in the message of a failure.
    static Result<MappedMemory> make(std::size_t bytes, const char* what) {
        constexpr std::size_t kHugePage = std::size_t{2} << 20;
        MappedMemory memory;
        const std::size_t unit = bytes >= kHugePage ? kHugePage : std::size_t{4096};
        const std::size_t rounded = (bytes + unit - 1) / unit * unit;
        void* at = ::mmap(nullptr, rounded, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED) {
            return failed(std::string(what) + ": cannot reserve " + std::to_string(rounded >> 20) +
                          " MiB (" + std::strerror(errno) + "); lower the limit or raise ulimit -v");
        }
        memory.at_ = at;
        memory.bytes_ = rounded;
        // Bytes of the network pass through here, keys among them: not for a core dump.
        static_cast<void>(::madvise(at, rounded, MADV_DONTDUMP));
        // A hint: where huge pages are off the table works, only slower.
        if (rounded >= kHugePage) static_cast<void>(::madvise(at, rounded, MADV_HUGEPAGE));
        return memory;
    }

    [[nodiscard]] std::uint8_t* data() const noexcept { return static_cast<std::uint8_t*>(at_); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  private:
    void* at_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace seine
