// Walks the options once: kinds as they stand, MSS and scale on the way.
#include "dataplane/fingerprint/ja4plus/ja4t.h"

#include "dataplane/wire/tcp.h"

namespace seine::fingerprint {
namespace {

// "00" stands for absent and for zero (D22).
void append_or_zeros(std::uint32_t value, Ja4tText& out) noexcept {
    if (value == 0) {
        out.append("00");
    } else {
        out.append_decimal(value);
    }
}

}  // namespace

void ja4t(std::uint16_t window, ByteView options, Ja4tText& out) noexcept {
    out.clear();
    out.append_decimal(window);
    out.push('_');
    std::uint32_t mss = 0;
    std::uint32_t scale = 0;
    wire::TcpOptions walk(options);
    wire::TcpOption option;
    bool first = true;
    while (walk.next(option) == Parse::ok) {
        if (!first) out.push('-');
        first = false;
        out.append_decimal(option.kind);
        if (option.kind == wire::kTcpOptionMss && option.value.size() == 2) mss = load_be16(option.value.data());
        if (option.kind == wire::kTcpOptionWindowScale && option.value.size() == 1) scale = option.value[0];
    }
    if (first) out.append("00");
    out.push('_');
    append_or_zeros(mss, out);
    out.push('_');
    append_or_zeros(scale, out);
}

}  // namespace seine::fingerprint
