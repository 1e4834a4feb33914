// Addresses from and to text.
#include "control/model/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>

#include "dataplane/contract/json.h"

namespace seine::model {

std::string to_text(const Address& address) {
    std::string text;
    contract::append_address(text, ByteView(address.data(), address.size()));
    return text;
}

bool from_text(std::string_view text, Address& out) noexcept {
    if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
        text = text.substr(1, text.size() - 2);
    }
    char copy[INET6_ADDRSTRLEN] = {};
    if (text.empty() || text.size() >= sizeof copy) return false;
    std::memcpy(copy, text.data(), text.size());
    if (std::memchr(copy, 0, text.size()) != nullptr) return false;
    Address found{};
    if (text.find(':') == std::string_view::npos) {
        found[10] = found[11] = 0xff;
        if (inet_pton(AF_INET, copy, found.data() + 12) != 1) return false;
    } else if (inet_pton(AF_INET6, copy, found.data()) != 1) {
        return false;
    }
    out = found;
    return true;
}

Address prefix_of(const Address& address, unsigned bits) noexcept {
    Address prefix = address;
    for (unsigned i = 0; i < prefix.size(); ++i) {
        const unsigned kept = bits > 8 * i ? std::min(8u, bits - 8 * i) : 0;
        prefix[i] = static_cast<std::uint8_t>(prefix[i] & (0xff00u >> kept));
    }
    return prefix;
}

}  // namespace seine::model
