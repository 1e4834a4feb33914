// A text from the wire known by a number: what tables count instead of strings.
#pragma once
#include <cstdint>
#include <string_view>

#include "dataplane/base/hash.h"

namespace seine::model {

// 64-bit hash of a fingerprint or name; 0: absent. The same text has the same id in every process
// and at every start, so ids may be stored. The text itself is kept in the store's dictionary.
using ValueId = std::uint64_t;

[[nodiscard]] inline ValueId value_id(std::string_view text) noexcept {
    if (text.empty()) return 0;
    constexpr std::uint64_t kSeed = 0x5e1e5e1e5e1e5e1eu;
    // Any text may be read as bytes.
    const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());  // NOLINT
    const ValueId id = hash64(ByteView(at, text.size()), kSeed);
    return id == 0 ? 1 : id;
}

}  // namespace seine::model
