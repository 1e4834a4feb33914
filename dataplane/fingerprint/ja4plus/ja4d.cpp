// Prints JA4D and JA4D6.
#include "dataplane/fingerprint/ja4plus/ja4d.h"

#include <algorithm>

namespace seine::fingerprint {
namespace {

// Names of message types from 1 on, as the method's publisher abbreviates them.
constexpr std::string_view kTypesV4[] = {"disco", "offer", "reqst", "decln", "dpack", "dpnak",
                                         "relse", "infor", "frenw", "lqery", "lunas", "lunkn",
                                         "lactv", "blklq", "lqdon", "actlq", "lqsta", "dhtls"};
constexpr std::string_view kTypesV6[] = {
    "solct", "advrt", "reqst", "confm", "renew", "rebnd", "reply", "relse", "decln", "recon",
    "inreq", "rlayf", "rlayr", "query", "qrply", "qdone", "qdata", "rereq", "rrply", "v4qry",
    "v4res", "acqry", "sttls", "bdudp", "brply", "poreq", "pores", "urqst", "ureqa", "udone",
    "conne", "connr", "dconn", "state", "conta", "arinf", "arrep"};

void append_digits(FixedString<kJa4dBytesMax>& out, unsigned value, unsigned digit_count) noexcept {
    for (unsigned unit = digit_count == 5 ? 10000 : 1000; unit > 0; unit /= 10) {
        out.push(static_cast<char>('0' + value / unit % 10));
    }
}

void append_type(FixedString<kJa4dBytesMax>& out, const dhcp::Message& message) noexcept {
    const bool v6 = message.family == dhcp::Family::v6;
    const std::size_t name_count = v6 ? std::size(kTypesV6) : std::size(kTypesV4);
    if (message.type == 0 || message.type > name_count) {
        append_digits(out, message.type, 5);
        return;
    }
    out.append((v6 ? kTypesV6 : kTypesV4)[message.type - 1]);
}

// Of DHCPv4, the type and what the first part already says stay out of the list.
bool is_listed(const dhcp::Message& message, std::uint16_t code) noexcept {
    return message.family == dhcp::Family::v6 || (code != 50 && code != 53 && code != 81);
}

}  // namespace

void ja4d(const dhcp::Message& message, FixedString<kJa4dBytesMax>& out) noexcept {
    constexpr unsigned kSizeMax = 9999;
    const unsigned size =
        message.family == dhcp::Family::v6 ? message.client_duid_bytes : message.max_message_bytes;
    out.clear();
    append_type(out, message);
    append_digits(out, std::min(size, kSizeMax), 4);
    out.push(message.requests_address ? 'i' : 'n');
    out.push(message.has_fqdn ? 'd' : 'n');
    out.push('_');
    const std::size_t options_at = out.size();
    for (const std::uint16_t code : message.options) {
        if (!is_listed(message, code)) continue;
        if (out.size() > options_at) out.push('-');
        out.append_decimal(code);
    }
    if (out.size() == options_at) out.append("00");
    out.push('_');
    for (std::size_t i = 0; i < message.requested.size(); ++i) {
        if (i > 0) out.push('-');
        out.append_decimal(message.requested[i]);
    }
    if (message.requested.empty()) out.append("00");
}

}  // namespace seine::fingerprint
