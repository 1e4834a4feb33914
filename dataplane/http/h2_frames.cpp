// HTTP/2 frame header, recognisers and the fixed parts of the frames we read.
#include "dataplane/http/h2_frames.h"

namespace seine::http {

Parse read(ByteReader& in, H2FrameHeader& out) noexcept {
    const std::uint8_t* at = in.fixed<H2FrameHeader::kBytes>();
    if (at == nullptr) return Parse::need_more;
    out.length = load_be24(at);
    out.type = at[3];
    out.flags = at[4];
    out.stream = load_be32(at + 5) & 0x7fffffff;
    return Parse::ok;
}

Parse looks_like_h2_preface(ByteView bytes) noexcept {
    const std::size_t here = bytes.size() < kH2Preface.size() ? bytes.size() : kH2Preface.size();
    if (!starts_with(bytes, kH2Preface.substr(0, here))) return Parse::not_this;
    return here == kH2Preface.size() ? Parse::ok : Parse::need_more;
}

Parse looks_like_h2_server(ByteView bytes) noexcept {
    constexpr std::uint32_t kParameterBytes = 6;
    constexpr std::uint32_t kParametersMax = 32;
    // Length below 256, type SETTINGS, no flags, stream 0: told from most else by its first bytes.
    constexpr std::uint8_t kShape[] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
    for (std::size_t i = 0; i < bytes.size() && i < sizeof kShape; ++i)
        if (i != 2 && bytes[i] != kShape[i]) return Parse::not_this;
    if (bytes.size() < H2FrameHeader::kBytes) return Parse::need_more;
    const bool whole =
        bytes[2] % kParameterBytes == 0 && bytes[2] <= kParameterBytes * kParametersMax;
    return whole ? Parse::ok : Parse::not_this;
}

Parse header_fragment(const H2FrameHeader& frame, ByteView payload, ByteView& block) noexcept {
    if (frame.stream == 0) return Parse::malformed;
    ByteReader in(payload);
    std::size_t padding = 0;
    if (!frame.is(H2Type::continuation)) {
        if (frame.has(kH2Padded)) padding = in.u8();
        if (frame.is(H2Type::headers) && frame.has(kH2Priority)) in.skip(5);
        if (frame.is(H2Type::push_promise)) in.skip(4);
    }
    if (in.failed() || padding > in.left()) return Parse::malformed;
    block = in.take(in.left() - padding);
    return Parse::ok;
}

Parse read_priority(const H2FrameHeader& frame, ByteView payload, H2Priority& out) noexcept {
    if (payload.size() != 5) return Parse::malformed;
    const std::uint32_t word = load_be32(payload.data());
    out.stream = frame.stream;
    out.exclusive = (word >> 31) != 0;
    out.depends_on = word & 0x7fffffff;
    out.weight = static_cast<std::uint16_t>(payload[4] + 1);
    return Parse::ok;
}

}  // namespace seine::http
