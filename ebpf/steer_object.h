// The compiled XDP program, carried inside the binary.
#pragma once
#include <span>

namespace seine::ebpf {

std::span<const unsigned char> steer_object() noexcept;

}  // namespace seine::ebpf
