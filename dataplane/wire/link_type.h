// What a captured frame begins with, and how capture files number it.
#pragma once
#include <cstdint>
#include <string_view>

namespace seine::wire {

enum class LinkType : std::uint8_t {
    ethernet,    // Ethernet II or 802.3, with or without padding and FCS
    raw_ip,      // IPv4 or IPv6, told apart by the version nibble
    ppp,         // PPP, with or without the HDLC address and control bytes; Cisco HDLC
    nflog,       // Linux netfilter log: a list of TLVs, one of which is the packet
    linux_sll,   // Linux cooked capture, 16 bytes
    linux_sll2,  // Linux cooked capture v2, 20 bytes
    loopback,    // BSD null and loop: a 4-byte family in either byte order
};
inline constexpr std::uint8_t kLinkTypeCount = 7;

// The link type of a number found in a capture file or told by libpcap (LINKTYPE_ and DLT_ numbers
// differ for raw IP alone, both are known here). False, and `out` untouched, for one we do not
// read.
constexpr bool link_type_of(std::uint32_t number, LinkType& out) noexcept {
    switch (number) {
        case 0:    // NULL
        case 108:  // LOOP
            out = LinkType::loopback;
            return true;
        case 1:
            out = LinkType::ethernet;
            return true;
        case 9:   // PPP
        case 50:  // PPP_HDLC
            out = LinkType::ppp;
            return true;
        case 12:   // DLT_RAW
        case 14:   // DLT_RAW of OpenBSD
        case 101:  // LINKTYPE_RAW
        case 228:  // IPV4
        case 229:  // IPV6
            out = LinkType::raw_ip;
            return true;
        case 113:
            out = LinkType::linux_sll;
            return true;
        case 239:
            out = LinkType::nflog;
            return true;
        case 276:
            out = LinkType::linux_sll2;
            return true;
        default:
            return false;
    }
}

// The LINKTYPE_ number that a capture file of this link type carries.
constexpr std::uint32_t link_type_number(LinkType link) noexcept {
    switch (link) {
        case LinkType::ethernet:
            return 1;
        case LinkType::raw_ip:
            return 101;
        case LinkType::ppp:
            return 9;
        case LinkType::nflog:
            return 239;
        case LinkType::linux_sll:
            return 113;
        case LinkType::linux_sll2:
            return 276;
        case LinkType::loopback:
            return 0;
    }
    return 1;
}

constexpr std::string_view link_type_name(LinkType link) noexcept {
    switch (link) {
        case LinkType::ethernet:
            return "ethernet";
        case LinkType::raw_ip:
            return "raw_ip";
        case LinkType::ppp:
            return "ppp";
        case LinkType::nflog:
            return "nflog";
        case LinkType::linux_sll:
            return "linux_sll";
        case LinkType::linux_sll2:
            return "linux_sll2";
        case LinkType::loopback:
            return "loopback";
    }
    return "?";
}

}  // namespace seine::wire
