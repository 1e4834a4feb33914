// HTTP/2 frames for tests, one line each.
#pragma once
#include <string>
#include <string_view>

#include "dataplane/http/h2_frames.h"

namespace seine::http::test {

inline std::string be(std::size_t value, int bytes) {
    std::string out;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(value >> shift));
    return out;
}
inline std::string frame(H2Type type, int flags, std::uint32_t stream, std::string_view payload) {
    return be(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) +
           be(stream, 4) + std::string(payload);
}
inline std::string setting(int id, std::uint32_t value) {
    return be(static_cast<std::size_t>(id), 2) + be(value, 4);
}
// A literal field without indexing.
inline std::string field(std::string_view name, std::string_view value) {
    return std::string(1, '\0') + static_cast<char>(name.size()) + std::string(name) +
           static_cast<char>(value.size()) + std::string(value);
}
inline std::string get(std::string_view path) {
    return field(":method", "GET") + field(":authority", "h.example") + field(":scheme", "http") +
           field(":path", path) + field("user-agent", "x");
}
inline constexpr int kWhole = kH2EndHeaders | kH2EndStream;

}  // namespace seine::http::test
