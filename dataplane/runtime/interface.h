// What the kernel says of a network interface before it is listened on.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/status.h"
#include "dataplane/wire/link_type.h"

namespace seine::runtime {

struct InterfaceFacts {
    std::string name;
    bool up = false;
    bool has_address = false;  // IPv4 or IPv6, link-local IPv6 left out
    std::uint32_t mtu = 0;
    std::uint32_t queues = 1;  // receive queues of the device
    wire::LinkType link{};
    // Offloads that change what a tap sees, as ethtool -K names them: "tso", "gso", "gro", "lro", "tx".
    std::vector<std::string> offloads;

    // Packets arrive merged, up to 64 KiB, not as they were on the wire.
    [[nodiscard]] bool merges() const noexcept;
    // "ethtool -K eth0 tso off gso off": what would switch them off; empty when none is on.
    [[nodiscard]] std::string remedy() const;
};

// not_found: no such interface; failed: one whose link layer is not read.
Result<InterfaceFacts> look_at_interface(const std::string& name);

// ok, or failed with the remedy: this process may not open a packet socket.
Status may_listen();

// Packet and AF_XDP sockets of this process, and what the kernel counted on them. DPDK's drivers keep
// their sockets to themselves; they are found as descriptors that appeared while a port opened.
struct KernelSocket {
    int fd = -1;
    bool xdp = false;
    std::uint64_t packets = 0;  // seen for this socket, drops included; packet sockets only
    std::uint64_t drops = 0;    // no room in its ring
    friend bool operator<(const KernelSocket& one, const KernelSocket& other) {
        return one.fd < other.fd;
    }
};
std::vector<KernelSocket> kernel_sockets();  // in order of their descriptors
// Brings the counts up to date.
void refresh(KernelSocket& socket);

}  // namespace seine::runtime
