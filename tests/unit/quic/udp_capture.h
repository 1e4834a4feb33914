// Reads the UDP datagrams of pcap and pcapng files: just enough for the shared captures, no
// library.
#pragma once
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>

#include "dataplane/base/byte_reader.h"
#include "tests/unit/quic/rfc_packets.h"

namespace seine::quic {

struct Datagram {
    std::string from;  // address and port as bytes
    std::string to;
    ByteView payload;
};

inline std::string as_key(ByteView address, ByteView port) {
    return std::string(as_text(address)) + std::string(as_text(port));
}

// Ethernet with VLANs, Linux cooked, loopback and raw IP; other frames and later fragments are left
// out.
inline bool udp_of(ByteView frame, std::uint32_t link, Datagram& out) {
    ByteReader in(frame);
    if (link == 1) {
        in.skip(12);
        std::uint16_t type = in.be16();
        while (type == 0x8100 || type == 0x88a8) {
            in.skip(2);
            type = in.be16();
        }
        if (type != 0x0800 && type != 0x86dd) return false;
    } else if (link == 113) {
        in.skip(16);
    } else if (link == 0) {
        in.skip(4);
    } else if (link == 9) {
        in.skip(starts_with(frame, "\xff\x03") ? 4 : 2);  // PPP, address and control or not
    } else if (link != 101 && link != 228 && link != 229) {
        return false;
    }
    const ByteView ip = in.rest();
    ByteView udp;
    if (ip.size() >= 20 && ip[0] >> 4 == 4) {
        if (ip[9] != 17 || (load_be16(&ip[6]) & 0x1fff) != 0 || ip.size() < load_be16(&ip[2]))
            return false;
        udp = ip.first(load_be16(&ip[2])).subspan(4u * (ip[0] & 15u));
        if (udp.size() < 8) return false;
        out.from = as_key(ip.subspan(12, 4), udp.first(2));
        out.to = as_key(ip.subspan(16, 4), udp.subspan(2, 2));
    } else if (ip.size() >= 48 && ip[0] >> 4 == 6 && ip[6] == 17) {
        udp = ip.subspan(40);
        out.from = as_key(ip.subspan(8, 16), udp.first(2));
        out.to = as_key(ip.subspan(24, 16), udp.subspan(2, 2));
    } else {
        return false;
    }
    const std::size_t length = load_be16(&udp[4]);
    if (length < 8 || length > udp.size()) return false;
    out.payload = udp.first(length).subspan(8);
    return true;
}

// Calls `each` for every datagram in file order; false when the file cannot be read.
inline bool each_datagram(const std::string& path,
                          const std::function<void(const Datagram&)>& each) {
    std::ifstream file(path, std::ios::binary);
    const std::string read{std::istreambuf_iterator<char>(file), {}};
    const ByteView all = as_bytes(read);
    if (all.size() < 24) return false;
    Datagram datagram;
    std::size_t at = 0;
    if (load_le32(all.data()) == 0x0a0d0d0a) {  // pcapng, little-endian
        std::vector<std::uint32_t> links;
        while (all.size() - at >= 12) {
            const std::uint32_t type = load_le32(&all[at]);
            const std::uint32_t size = load_le32(&all[at + 4]);
            if (size < 12 || size > all.size() - at) break;
            if (type == 1) links.push_back(load_le16(&all[at + 8]));
            if (type == 6) {
                const ByteView frame = all.subspan(at + 28, load_le32(&all[at + 20]));
                if (udp_of(frame, links.at(load_le32(&all[at + 8])), datagram)) each(datagram);
            }
            at += size;
        }
        return true;
    }
    const std::uint32_t magic = load_le32(all.data());
    if (magic != 0xa1b2c3d4 && magic != 0xa1b23c4d) return false;
    for (at = 24; all.size() - at >= 16;) {
        const std::uint32_t size = load_le32(&all[at + 8]);
        if (size > all.size() - at - 16) break;
        if (udp_of(all.subspan(at + 16, size), load_le32(&all[20]), datagram)) each(datagram);
        at += 16 + size;
    }
    return true;
}

}  // namespace seine::quic
