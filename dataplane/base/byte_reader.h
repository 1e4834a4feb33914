// Bounds-checked forward cursor over borrowed bytes.
#pragma once
#include "dataplane/base/bytes.h"

namespace seine {

// Every read past the end yields zero or an empty view and sets failed(), which sticks; a caller may
// read a whole structure and ask once. Use fixed<N> for headers of known size (one check, then plain
// loads) and the single reads for lists whose length the wire decides.
class ByteReader {
  public:
    ByteReader() = default;
    explicit ByteReader(ByteView bytes) noexcept
        : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    // Start of the next N bytes, stepped over; nullptr and failed() when they are not there.
    template <std::size_t N>
    const std::uint8_t* fixed() noexcept {
        if (left() < N) {
            fail();
            return nullptr;
        }
        const std::uint8_t* start = at_;
        at_ += N;
        return start;
    }
    std::uint8_t u8() noexcept {
        const auto* at = fixed<1>();
        return at == nullptr ? std::uint8_t{0} : *at;
    }
    std::uint16_t be16() noexcept {
        const auto* at = fixed<2>();
        return at == nullptr ? std::uint16_t{0} : load_be16(at);
    }
    std::uint32_t be24() noexcept {
        const auto* at = fixed<3>();
        return at == nullptr ? 0 : load_be24(at);
    }
    std::uint32_t be32() noexcept {
        const auto* at = fixed<4>();
        return at == nullptr ? 0 : load_be32(at);
    }
    std::uint64_t be64() noexcept {
        const auto* at = fixed<8>();
        return at == nullptr ? 0 : load_be64(at);
    }
    // The next `count` bytes as a view; empty and failed() when they are not there.
    ByteView take(std::size_t count) noexcept {
        if (left() < count) {
            fail();
            return {};
        }
        const ByteView view(at_, count);
        at_ += count;
        return view;
    }
    void skip(std::size_t count) noexcept { static_cast<void>(take(count)); }
    // Vectors with a length prefix of one, two or three bytes (RFC 8446 section 3.4).
    ByteView vec8() noexcept { return take(u8()); }
    ByteView vec16() noexcept { return take(be16()); }
    ByteView vec24() noexcept { return take(be24()); }

    [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
    [[nodiscard]] bool empty() const noexcept { return at_ == end_; }
    [[nodiscard]] bool failed() const noexcept { return failed_; }
    [[nodiscard]] ByteView rest() const noexcept { return {at_, left()}; }

  private:
    void fail() noexcept {
        failed_ = true;
        at_ = end_;
    }
    const std::uint8_t* at_ = nullptr;
    const std::uint8_t* end_ = nullptr;
    bool failed_ = false;
};

}  // namespace seine
