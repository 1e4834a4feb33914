// The chunked coding crossed byte by byte in its lines and by length in its data.
//
//   size --hex--> size --;--> extension --LF--> data ... data_cr -> data_lf -> size
//   size "0" --LF--> trailer --empty line--> end
#include "dataplane/http/http1.h"

namespace seine::http {
namespace {

constexpr std::uint64_t kChunkBytesMax = std::uint64_t{1} << 60;

int hex_value(std::uint8_t c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    const int folded = c | 0x20;
    return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

}  // namespace

std::uint64_t ChunkedSkipper::skippable() const noexcept { return at_ == At::data ? left_ : 0; }

void ChunkedSkipper::skipped(std::uint64_t count) noexcept {
    SEINE_ASSERT(count <= skippable());
    left_ -= count;
    if (at_ == At::data && left_ == 0) at_ = At::data_cr;
}

Parse ChunkedSkipper::feed(ByteView bytes, std::size_t& consumed) noexcept {
    std::size_t i = 0;
    consumed = 0;
    while (i < bytes.size()) {
        if (at_ == At::data) {
            const std::uint64_t here = bytes.size() - i;
            const std::uint64_t step = here < left_ ? here : left_;
            i += static_cast<std::size_t>(step);
            skipped(step);
            continue;
        }
        const std::uint8_t c = bytes[i++];
        if (at_ != At::data_cr && at_ != At::data_lf && ++line_bytes_ > kHeadBytesMax)
            return Parse::limit;
        switch (at_) {
            case At::size:
                if (const int digit = hex_value(c); digit >= 0) {
                    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
                    if (left_ > kChunkBytesMax) return Parse::limit;
                    digits_ = 1;
                    break;
                }
                if (digits_ == 0) return Parse::malformed;
                if (c != ';' && c != ' ' && c != '\t' && c != '\r' && c != '\n')
                    return Parse::malformed;
                at_ = At::extension;
                [[fallthrough]];
            case At::extension:
                if (c != '\n') break;
                line_bytes_ = 0;
                digits_ = 0;
                line_empty_ = true;
                at_ = left_ == 0 ? At::trailer : At::data;
                break;
            case At::data_cr:
                if (c == '\n') {
                    at_ = At::size;
                } else if (c == '\r') {
                    at_ = At::data_lf;
                } else {
                    return Parse::malformed;
                }
                break;
            case At::data_lf:
                if (c != '\n') return Parse::malformed;
                at_ = At::size;
                break;
            case At::trailer:
                if (c == '\n') {
                    if (line_empty_) {
                        consumed = i;
                        reset();
                        return Parse::ok;
                    }
                    line_empty_ = true;
                } else if (c != '\r') {
                    line_empty_ = false;
                }
                break;
            case At::data:
                break;
        }
    }
    consumed = i;
    return Parse::need_more;
}

}  // namespace seine::http
