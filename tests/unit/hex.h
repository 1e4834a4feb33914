// Bytes as the digits that standards print their known answers in.
#pragma once
#include <cstdint>
#include <string>

#include "dataplane/base/bytes.h"

namespace seine::crypto {

template <typename Range>
std::string hex(const Range& bytes) {
    std::string out;
    for (const std::uint8_t b : bytes) {
        out += kHexDigits[b >> 4];
        out += kHexDigits[b & 15];
    }
    return out;
}

}  // namespace seine::crypto
