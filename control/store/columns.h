// How times and tags stand in the columns of the tables.
#pragma once
#include <cstdint>
#include <string_view>

#include "control/model/tag.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"

namespace seine::store {

// Days and minutes are counted since the epoch.
inline constexpr std::int64_t kMinute = 60 * kSecond;
inline constexpr std::int64_t kDay = 86400 * kSecond;

// A tag's 16 bytes as a blob; valid as long as the tag.
template <typename Of>
std::string_view view(const model::Tag<Of>& tag) {
    return as_text(ByteView(tag.bytes.data(), tag.bytes.size()));
}

}  // namespace seine::store
