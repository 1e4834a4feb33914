#include "dataplane/runtime/port.h"

#include <algorithm>
#include <cstring>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "dataplane/runtime/dpdk_log.h"
#include "dataplane/runtime/dpdk/mbuf.h"

namespace seine::runtime {
namespace {

// A packet's private area holds its meta; DPDK wants it aligned to eight bytes.
constexpr std::uint16_t kPrivateBytes = RTE_ALIGN(sizeof(PacketMeta), RTE_MBUF_PRIV_ALIGN);
constexpr unsigned kCachePackets = 128;
constexpr char kVirtualBus[] = "vdev";

// Both directions of a flow give the same Toeplitz hash when the key repeats every 16 bits
// (Woo and Park, "Scalable TCP Session Monitoring with Symmetric Receive-side Scaling", 2012).
constexpr std::size_t kRssKeyBytesMax = 64;

Status refused(const PortConfig& config, const char* step, int error) {
    std::string why = first_dpdk_error();
    if (why.empty()) why = std::strerror(error < 0 ? -error : error);
    std::string remedy;
    if (error == -EPERM || error == -EACCES) {
        remedy = "; run as root, or: setcap cap_net_raw,cap_net_admin+ep on the binary";
    } else if (error == -ENOMEM || error == -ENOBUFS) {
        remedy = "; give it more memory (--eal \"-m MEGABYTES\" or more huge pages)";
    }
    return failed(config.label + ": " + step + ": " + why + remedy);
}

rte_eth_conf receive_config(const PortConfig& config, const rte_eth_dev_info& info,
                            std::uint8_t* rss_key) {
    rte_eth_conf conf{};
    if (!config.hardware) return conf;
    conf.rxmode.offloads =
        info.rx_offload_capa & (RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_CHECKSUM);
    if (config.mtu != 0) conf.rxmode.mtu = std::min<std::uint32_t>(config.mtu, info.max_mtu);
    const std::uint64_t wanted = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP;
    if (config.queues > 1 && (info.flow_type_rss_offloads & wanted) != 0) {
        for (std::size_t i = 0; i < kRssKeyBytesMax; i += 2) {
            rss_key[i] = 0x6d;
            rss_key[i + 1] = 0x5a;
        }
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_key = rss_key;
        conf.rx_adv_conf.rss_conf.rss_key_len =
            info.hash_key_size != 0
                ? std::min<std::uint8_t>(info.hash_key_size, kRssKeyBytesMax)
                : std::uint8_t{40};
        conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads & wanted;
    }
    return conf;
}

// Queues in turn over the whole redirection table. True when the device spreads flows from here on; one
// without a table of its own spreads as its driver set it up.
bool spread_evenly(std::uint16_t port, std::uint16_t entries, std::uint16_t queues) noexcept {
    if (entries == 0) return true;
    constexpr std::size_t kGroups = RTE_ETH_RSS_RETA_SIZE_512 / RTE_ETH_RETA_GROUP_SIZE;
    rte_eth_rss_reta_entry64 table[kGroups] = {};
    if (entries > RTE_ETH_RSS_RETA_SIZE_512) return true;
    for (std::uint16_t i = 0; i < entries; ++i) {
        rte_eth_rss_reta_entry64& group = table[i / RTE_ETH_RETA_GROUP_SIZE];
        group.mask |= std::uint64_t{1} << i % RTE_ETH_RETA_GROUP_SIZE;
        group.reta[i % RTE_ETH_RETA_GROUP_SIZE] = static_cast<std::uint16_t>(i % queues);
    }
    const int done = rte_eth_dev_rss_reta_update(port, table, entries);
    return done == 0 || done == -ENOTSUP;
}

}  // namespace

std::size_t Pool::bytes(const PoolConfig& config) noexcept {
    const std::size_t element = RTE_ALIGN_CEIL(sizeof(rte_mbuf) + kPrivateBytes + RTE_PKTMBUF_HEADROOM +
                                                   config.data_bytes,
                                               RTE_CACHE_LINE_SIZE) +
                                2 * RTE_CACHE_LINE_SIZE;
    // Beside them: the ring of free packets, a cache for every core DPDK knows, what alignment takes.
    const std::size_t caches = RTE_MAX_LCORE * sizeof(rte_mempool_cache);
    return (element + 16) * (std::size_t{config.packets} + 1) + caches + (std::size_t{2} << 20);
}

Result<std::unique_ptr<Pool>> Pool::make(const PoolConfig& config) {
    const auto room = static_cast<std::uint16_t>(config.data_bytes + RTE_PKTMBUF_HEADROOM);
    const unsigned cache = config.packets >= 8 * kCachePackets ? kCachePackets : 0;
    rte_mempool* pool = rte_pktmbuf_pool_create(config.name.c_str(), config.packets, cache,
                                                kPrivateBytes, room,
                                                config.socket < 0 ? SOCKET_ID_ANY : config.socket);
    if (pool == nullptr) {
        return failed("no memory for " + std::to_string(config.packets) + " packet buffers (" +
                      std::to_string(bytes(config) >> 20) + " MiB): " + std::strerror(rte_errno) +
                      "; give DPDK more (--eal \"-m MEGABYTES\" or more huge pages)");
    }
    return std::unique_ptr<Pool>(new Pool(pool));
}

Pool::~Pool() { rte_mempool_free(pool_); }

std::uint32_t Pool::free_count() const noexcept { return rte_mempool_avail_count(pool_); }

Result<std::unique_ptr<Port>> Port::open(const PortConfig& config, Pool& pool) {
    clear_dpdk_log();
    std::unique_ptr<Port> port(new Port);
    port->label_ = config.label;
    port->queues_ = config.queues;
    if (!config.hardware) {
        const int made =
            rte_eal_hotplug_add(kVirtualBus, config.device.c_str(), config.arguments.c_str());
        if (made != 0) return refused(config, "DPDK cannot open it", made);
        port->device_ = config.device;
        port->virtual_device_ = true;
    }
    if (rte_eth_dev_get_port_by_name(config.device.c_str(), &port->id_) != 0) {
        return failed(config.label + ": no DPDK port of this name; bind it to vfio-pci (dpdk-devbind.py "
                      "-b vfio-pci " + config.device + ") or check the address with lspci");
    }
    const Status ready = port->set_up(config, pool);
    if (!ready.ok()) return ready;
    return port;
}

Status Port::set_up(const PortConfig& config, Pool& pool) {
    rte_eth_dev_info info{};
    int done = rte_eth_dev_info_get(id_, &info);
    if (done != 0) return refused(config, "no answer from its driver", done);
    if (config.queues > info.max_rx_queues) {
        return failed(config.label + ": has " + std::to_string(info.max_rx_queues) +
                      " receive queues, " + std::to_string(config.queues) +
                      " workers want one each; lower --workers");
    }
    std::uint8_t rss_key[kRssKeyBytesMax];
    rte_eth_conf conf = receive_config(config, info, rss_key);
    const std::uint16_t transmit_queues = std::min(config.queues, info.max_tx_queues);
    if (config.forwards && transmit_queues < config.queues) {
        return failed(config.label + ": has " + std::to_string(info.max_tx_queues) + " transmit queues, " +
                      std::to_string(config.queues) + " workers want one each; lower --workers");
    }
    done = rte_eth_dev_configure(id_, config.queues, transmit_queues, &conf);
    if (done != 0 && conf.rxmode.mq_mode == RTE_ETH_MQ_RX_RSS) {
        // A driver that will not have our key: packets are then dealt by hash, worker to worker.
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
        conf.rx_adv_conf.rss_conf = {};
        done = rte_eth_dev_configure(id_, config.queues, transmit_queues, &conf);
    }
    if (done != 0) return refused(config, "its queues cannot be set up", done);
    std::uint16_t receive_descriptors = config.descriptors;
    std::uint16_t transmit_descriptors = 512;
    static_cast<void>(rte_eth_dev_adjust_nb_rx_tx_desc(id_, &receive_descriptors, &transmit_descriptors));
    const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(id_));
    for (std::uint16_t queue = 0; queue < config.queues; ++queue) {
        done = rte_eth_rx_queue_setup(id_, queue, receive_descriptors, socket, nullptr, pool.handle());
        if (done != 0) return refused(config, "a receive queue cannot be set up", done);
    }
    for (std::uint16_t queue = 0; queue < transmit_queues; ++queue) {
        done = rte_eth_tx_queue_setup(id_, queue, transmit_descriptors, socket, nullptr);
        if (done != 0) return refused(config, "a transmit queue cannot be set up", done);
    }
    done = rte_eth_dev_start(id_);
    if (done != 0) return refused(config, "it does not start", done);
    started_ = true;
    if (conf.rxmode.mq_mode == RTE_ETH_MQ_RX_RSS) {
        spreads_flows_ = spread_evenly(id_, info.reta_size, config.queues);
    }
    if (config.hardware || config.forwards) done = rte_eth_promiscuous_enable(id_);
    if (config.forwards && done != 0) return refused(config, "it does not take packets for others", done);
    return {};
}

int Port::socket_of(const std::string& device) noexcept {
    std::uint16_t id = 0;
    return rte_eth_dev_get_port_by_name(device.c_str(), &id) == 0 ? rte_eth_dev_socket_id(id) : -1;
}

Port::~Port() {
    if (device_.empty() && !started_) return;
    if (started_) static_cast<void>(rte_eth_dev_stop(id_));
    if (virtual_device_) {
        static_cast<void>(rte_eal_hotplug_remove(kVirtualBus, device_.c_str()));  // closes the port as well
    } else {
        static_cast<void>(rte_eth_dev_close(id_));
    }
}

LinkState Port::link() const noexcept {
    rte_eth_link link{};
    if (rte_eth_link_get_nowait(id_, &link) != 0) return {};
    const bool known = link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
    return {link.link_status == RTE_ETH_LINK_UP, known ? link.link_speed : 0};
}

PortCounters Port::counters() const noexcept {
    rte_eth_stats stats{};
    if (rte_eth_stats_get(id_, &stats) != 0) return {};
    PortCounters out;
    out.ipackets = stats.ipackets;
    out.ibytes = stats.ibytes;
    out.imissed = stats.imissed;
    out.ierrors = stats.ierrors;
    out.rx_nombuf = stats.rx_nombuf;
    return out;
}

std::size_t Port::receive(std::uint16_t queue, std::span<rte_mbuf*> out) const noexcept {
    const std::size_t count =
        rte_eth_rx_burst(id_, queue, out.data(), static_cast<std::uint16_t>(out.size()));
    taken_from_pool(out.first(count));
    return count;
}

}  // namespace seine::runtime
