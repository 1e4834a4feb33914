// Any bytes as a DHCPv4 and as a DHCPv6 message, and what JA4D makes of them.
#include <cstdlib>

#include "dataplane/dhcp/message.h"
#ifdef SEINE_JA4PLUS
#include "dataplane/fingerprint/ja4plus/ja4d.h"
#endif

namespace {

using namespace seine;

void require(bool holds) {
    if (!holds) std::abort();
}

void print([[maybe_unused]] const dhcp::Message& message) {
#ifdef SEINE_JA4PLUS
    FixedString<fingerprint::kJa4dBytesMax> out;
    fingerprint::ja4d(message, out);
    require(!out.truncated() && out.size() >= 15);
#endif
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView datagram(data, size);
    dhcp::Message message;
    const Parse v4 = dhcp::read_v4(datagram, message);
    require((v4 == Parse::not_this) || dhcp::looks_like_v4(datagram));
    if (v4 == Parse::ok) print(message);
    const Parse v6 = dhcp::read_v6(datagram, message);
    if (v6 == Parse::ok) print(message);
    require(dhcp::looks_like_v6(datagram, 546, 547) ==
            (v6 == Parse::ok && !message.options.empty()));
    require(!dhcp::looks_like_v6(datagram, 53, 547));
    return 0;
}
