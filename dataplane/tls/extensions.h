// Extension lists and the list shapes inside them, walked where they lie.
#pragma once
#include <cstdint>

#include "dataplane/base/byte_reader.h"
#include "dataplane/base/status.h"
#include "dataplane/tls/registry.h"

namespace seine::tls {

// Big-endian 16-bit numbers in wire order: suites, groups, schemes, versions. Borrows.
class U16List {
  public:
    U16List() = default;
    // `bytes` holds whole numbers; an odd last byte is the caller's to refuse.
    explicit U16List(ByteView bytes) noexcept : bytes_(bytes) {}
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() / 2; }
    [[nodiscard]] bool empty() const noexcept { return bytes_.size() < 2; }
    std::uint16_t operator[](std::size_t index) const noexcept {
        SEINE_ASSERT(index < size());
        return load_be16(bytes_.data() + 2 * index);
    }
    [[nodiscard]] ByteView bytes() const noexcept { return bytes_; }

  private:
    ByteView bytes_;
};

//  0        2        4
//  +--------+--------+-----------------+
//  | type   | length | body (length)   |   RFC 8446 section 4.2
//  +--------+--------+-----------------+
struct Extension {
    std::uint16_t type = 0;
    ByteView body;
};

// The next extension of a list. `in` must not be empty.
// ok:        `in` stands after it.
// malformed: its length runs past the list.
inline Parse read(ByteReader& in, Extension& out) noexcept {
    const std::uint8_t* at = in.fixed<4>();
    if (at == nullptr) return Parse::malformed;
    out.type = load_be16(at);
    out.body = in.take(load_be16(at + 2));
    return in.failed() ? Parse::malformed : Parse::ok;
}

// Bodies. An empty body is an empty list: broken, but some clients send it and it says what it says.
// malformed: the inner length is not that of the body, or numbers are cut.
Parse read_u16_list16(ByteView body, U16List& out) noexcept;  // groups, signature_algorithms
Parse read_u16_list8(ByteView body, U16List& out) noexcept;   // a client's supported_versions
Parse read_u8_list8(ByteView body, ByteView& out) noexcept;   // ec_point_formats
// The first host_name of server_name (RFC 6066 section 3); empty when there is none.
Parse read_server_name(ByteView body, ByteView& out) noexcept;
// The protocol list of ALPN (RFC 7301) without its outer length: each entry a length byte and a name.
Parse read_alpn(ByteView body, ByteView& out) noexcept;

// Walks the entries of an ALPN list that read_alpn() accepted.
//     ByteReader in(hello.alpn);
//     while (!in.empty()) use(in.vec8());

}  // namespace seine::tls
