// Bodies of the extensions that are read: numbers in lists, a name, protocol names.
#include "dataplane/tls/extensions.h"

namespace seine::tls {
namespace {

Parse whole_numbers(const ByteReader& in, ByteView list, U16List& out) noexcept {
    if (in.failed() || !in.empty() || list.size() % 2 != 0) return Parse::malformed;
    out = U16List(list);
    return Parse::ok;
}

}  // namespace

Parse read_u16_list16(ByteView body, U16List& out) noexcept {
    out = {};
    if (body.empty()) return Parse::ok;
    ByteReader in(body);
    const ByteView list = in.vec16();
    return whole_numbers(in, list, out);
}

Parse read_u16_list8(ByteView body, U16List& out) noexcept {
    out = {};
    if (body.empty()) return Parse::ok;
    ByteReader in(body);
    const ByteView list = in.vec8();
    return whole_numbers(in, list, out);
}

Parse read_u8_list8(ByteView body, ByteView& out) noexcept {
    out = {};
    if (body.empty()) return Parse::ok;
    ByteReader in(body);
    const ByteView list = in.vec8();
    if (in.failed() || !in.empty()) return Parse::malformed;
    out = list;
    return Parse::ok;
}

Parse read_server_name(ByteView body, ByteView& out) noexcept {
    constexpr std::uint8_t kHostName = 0;
    out = {};
    if (body.empty()) return Parse::ok;
    ByteReader in(body);
    ByteReader names(in.vec16());
    if (in.failed() || !in.empty()) return Parse::malformed;
    while (!names.empty()) {
        const std::uint8_t name_type = names.u8();
        const ByteView name = names.vec16();
        if (names.failed()) return Parse::malformed;
        if (name_type == kHostName) {
            out = name;
            return Parse::ok;
        }
    }
    return Parse::ok;
}

Parse read_alpn(ByteView body, ByteView& out) noexcept {
    out = {};
    if (body.empty()) return Parse::ok;
    ByteReader in(body);
    const ByteView list = in.vec16();
    if (in.failed() || !in.empty()) return Parse::malformed;
    ByteReader names(list);
    while (!names.empty()) names.vec8();
    if (names.failed()) return Parse::malformed;
    out = list;
    return Parse::ok;
}

}  // namespace seine::tls
