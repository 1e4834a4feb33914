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

// Packet sockets of this process, and what the kernel counted on them. DPDK's driver keeps its sockets
// to itself; they are found as descriptors that appeared while it opened.
std::vector<int> packet_sockets();
struct KernelCounts {
    std::uint64_t packets = 0;  // seen for this socket, drops included
    std::uint64_t drops = 0;    // no room in its ring
};
// Since the last call for this socket: the kernel starts over at each.
KernelCounts take_kernel_counts(int packet_socket);

}  // namespace seine::runtime
