#include "dataplane/runtime/interface.h"

#include <dirent.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace seine::runtime {
namespace {

class Socket {
  public:
    Socket(int domain, int type) : fd_(socket(domain, type | SOCK_CLOEXEC, 0)) {}
    ~Socket() {
        if (fd_ >= 0) close(fd_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    [[nodiscard]] int fd() const noexcept { return fd_; }

  private:
    int fd_;
};

ifreq request_for(const std::string& name) {
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    return request;
}

bool switched_on(int fd, const std::string& name, std::uint32_t command) {
    ethtool_value value{};
    value.cmd = command;
    ifreq request = request_for(name);
    request.ifr_data = reinterpret_cast<char*>(&value);  // NOLINT: how this ioctl is written
    return ioctl(fd, SIOCETHTOOL, &request) == 0 && value.data != 0;
}

std::vector<std::string> offloads_of(int fd, const std::string& name) {
    struct Known {
        std::uint32_t command;
        const char* word;
    };
    static constexpr Known kKnown[] = {{ETHTOOL_GTSO, "tso"},
                                       {ETHTOOL_GGSO, "gso"},
                                       {ETHTOOL_GGRO, "gro"},
                                       {ETHTOOL_GTXCSUM, "tx"}};
    std::vector<std::string> on;
    for (const Known& known : kKnown) {
        if (switched_on(fd, name, known.command)) on.emplace_back(known.word);
    }
    ethtool_value flags{};
    flags.cmd = ETHTOOL_GFLAGS;
    ifreq request = request_for(name);
    request.ifr_data = reinterpret_cast<char*>(&flags);  // NOLINT: how this ioctl is written
    if (ioctl(fd, SIOCETHTOOL, &request) == 0 && (flags.data & ETH_FLAG_LRO) != 0) on.emplace_back("lro");
    return on;
}

std::uint32_t queues_of(int fd, const std::string& name) {
    ethtool_channels channels{};
    channels.cmd = ETHTOOL_GCHANNELS;
    ifreq request = request_for(name);
    request.ifr_data = reinterpret_cast<char*>(&channels);  // NOLINT: how this ioctl is written
    if (ioctl(fd, SIOCETHTOOL, &request) != 0) return 1;
    return std::max(channels.combined_count + channels.rx_count, 1u);
}

bool has_address(const std::string& name) {
    ifaddrs* all = nullptr;
    if (getifaddrs(&all) != 0) return false;
    bool found = false;
    for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr == nullptr || name != one->ifa_name) continue;
        if (one->ifa_addr->sa_family == AF_INET) found = true;
        if (one->ifa_addr->sa_family == AF_INET6) {
            sockaddr_in6 address{};
            std::memcpy(&address, one->ifa_addr, sizeof address);
            if (!IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr)) found = true;
        }
    }
    freeifaddrs(all);
    return found;
}

// What a raw packet socket on such a device hands over; false when we cannot read it.
bool link_of(unsigned short hardware, wire::LinkType& out) {
    switch (hardware) {
        case ARPHRD_ETHER:
        case ARPHRD_LOOPBACK:
            out = wire::LinkType::ethernet;
            return true;
        case ARPHRD_NONE:
        case ARPHRD_RAWIP:
        case ARPHRD_TUNNEL:
        case ARPHRD_TUNNEL6:
        case ARPHRD_SIT:
            out = wire::LinkType::raw_ip;
            return true;
        case ARPHRD_PPP:
            out = wire::LinkType::ppp;
            return true;
        default:
            return false;
    }
}

}  // namespace

bool InterfaceFacts::merges() const noexcept {
    return std::any_of(offloads.begin(), offloads.end(),
                       [](const std::string& word) { return word != "tx"; });
}

std::string InterfaceFacts::remedy() const {
    if (offloads.empty()) return {};
    std::string out = "ethtool -K " + name;
    for (const std::string& word : offloads) out += " " + word + " off";
    return out;
}

Result<InterfaceFacts> look_at_interface(const std::string& name) {
    InterfaceFacts out;
    out.name = name;
    if (name.empty() || name.size() >= IFNAMSIZ || if_nametoindex(name.c_str()) == 0) {
        return Status(Code::not_found, name + ": no such interface; `ip link` lists those there are");
    }
    const Socket socket(AF_INET, SOCK_DGRAM);
    ifreq request = request_for(name);
    if (ioctl(socket.fd(), SIOCGIFHWADDR, &request) != 0) {
        return failed(name + ": the kernel does not describe it: " + std::strerror(errno));
    }
    const unsigned short hardware = request.ifr_hwaddr.sa_family;
    if (!link_of(hardware, out.link)) {
        return failed(name + ": its link layer (type " + std::to_string(hardware) +
                      ") is not read; Ethernet, loopback, PPP and tunnel interfaces are");
    }
    request = request_for(name);
    if (ioctl(socket.fd(), SIOCGIFFLAGS, &request) == 0) out.up = (request.ifr_flags & IFF_UP) != 0;
    request = request_for(name);
    if (ioctl(socket.fd(), SIOCGIFMTU, &request) == 0 && request.ifr_mtu > 0) {
        out.mtu = static_cast<std::uint32_t>(request.ifr_mtu);
    }
    out.has_address = has_address(name);
    out.offloads = offloads_of(socket.fd(), name);
    out.queues = queues_of(socket.fd(), name);
    return out;
}

Status may_listen() {
    const Socket socket(AF_PACKET, SOCK_RAW);
    if (socket.fd() >= 0) return {};
    const int error = errno;
    return failed(std::string("listening on an interface is not allowed: ") + std::strerror(error) +
                  "; run as root, or: setcap cap_net_raw,cap_net_admin+ep on this binary");
}

std::vector<KernelSocket> kernel_sockets() {
    std::vector<KernelSocket> out;
    DIR* folder = opendir("/proc/self/fd");
    if (folder == nullptr) return out;
    while (const dirent* entry = readdir(folder)) {
        char* end = nullptr;
        const long fd = std::strtol(entry->d_name, &end, 10);
        if (end == entry->d_name || *end != 0) continue;
        int domain = 0;
        socklen_t length = sizeof domain;
        if (getsockopt(static_cast<int>(fd), SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0) continue;
        if (domain != AF_PACKET && domain != AF_XDP) continue;
        KernelSocket socket;
        socket.fd = static_cast<int>(fd);
        socket.xdp = domain == AF_XDP;
        out.push_back(socket);
    }
    closedir(folder);
    std::sort(out.begin(), out.end());
    return out;
}

void refresh(KernelSocket& socket) {
    if (socket.xdp) {
        xdp_statistics counts{};
        socklen_t length = sizeof counts;
        if (getsockopt(socket.fd, SOL_XDP, XDP_STATISTICS, &counts, &length) == 0) {
            socket.drops = counts.rx_dropped + counts.rx_ring_full;
        }
        return;
    }
    // The kernel starts over at each look.
    tpacket_stats counts{};
    socklen_t length = sizeof counts;
    if (getsockopt(socket.fd, SOL_PACKET, PACKET_STATISTICS, &counts, &length) != 0) return;
    socket.packets += counts.tp_packets;
    socket.drops += counts.tp_drops;
}

}  // namespace seine::runtime
