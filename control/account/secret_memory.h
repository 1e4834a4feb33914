// Memory for keys: locked, left out of core dumps, wiped when it goes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "dataplane/base/status.h"

namespace seine::account {

// Overwrites bytes in a way that the compiler keeps.
void wipe(void* at, std::size_t bytes) noexcept;

// Whole pages of its own. Any thread may read it.
class SecretMemory {
  public:
    SecretMemory() = default;
    SecretMemory(SecretMemory&& other) noexcept
        : at_(std::exchange(other.at_, nullptr)),
          bytes_(std::exchange(other.bytes_, 0)),
          locked_(other.locked_) {}
    SecretMemory& operator=(SecretMemory&& other) noexcept {
        std::swap(at_, other.at_);
        std::swap(bytes_, other.bytes_);
        std::swap(locked_, other.locked_);
        return *this;
    }
    SecretMemory(const SecretMemory&) = delete;
    SecretMemory& operator=(const SecretMemory&) = delete;
    ~SecretMemory();

    // Zeroed. Fails when the pages cannot be had or cannot be kept out of core dumps.
    static Result<SecretMemory> make(std::size_t bytes);

    [[nodiscard]] std::span<std::uint8_t> bytes() const noexcept { return {at_, bytes_}; }
    // False where the limit of locked memory (ulimit -l) forbids it: keys might then reach the
    // swap.
    [[nodiscard]] bool locked() const noexcept { return locked_; }

  private:
    std::uint8_t* at_ = nullptr;
    std::size_t bytes_ = 0;
    bool locked_ = false;
};

}  // namespace seine::account
