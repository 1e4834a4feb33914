// A DPDK port of any driver: its pool, receive queues, link state and counters, in our own types.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "dataplane/base/status.h"
#include "dataplane/runtime/source.h"
#include "dataplane/runtime/stats.h"

struct rte_mempool;

namespace seine::runtime {

// Packet buffers. Memory is excluded from core dumps: keys pass through it.
struct PoolConfig {
    std::string name;
    std::uint32_t packets = 16383;
    std::uint16_t data_bytes = 2048;  // room for a packet, DPDK's headroom not counted
    int socket = -1;                  // NUMA node, -1 for any
};
class Pool {
  public:
    static Result<std::unique_ptr<Pool>> make(const PoolConfig& config);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    [[nodiscard]] rte_mempool* handle() const noexcept { return pool_; }
    // Bytes of memory such a pool takes, for the EAL plan.
    static std::size_t bytes(const PoolConfig& config) noexcept;
    [[nodiscard]] std::uint32_t free_count() const noexcept;

  private:
    explicit Pool(rte_mempool* pool) noexcept : pool_(pool) {}
    rte_mempool* pool_;
};

struct PortConfig {
    std::string label;      // what the operator called it: a file, an interface, an address
    std::string device;     // DPDK's device name, such as net_pcap0 or 0000:03:00.0
    std::string arguments;  // after the first comma of a virtual device; empty for hardware
    std::uint16_t queues = 1;
    std::uint16_t descriptors = 1024;
    bool forwards = false;     // inline: as many transmit queues, promiscuous
    bool hardware = false;     // ask for symmetric RSS, scattered receive, timestamps, promiscuous
    std::uint16_t mtu = 0;     // 0: leave it
};

struct LinkState {
    bool up = false;
    std::uint32_t megabits = 0;
};

class Port {
  public:
    // Attaches the device, sets up its queues and starts it. The message names the label and what to do.
    static Result<std::unique_ptr<Port>> open(const PortConfig& config, Pool& pool);
    ~Port();  // stops, closes and detaches
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    // NUMA node of a device that is already there; -1 when it is not, or has none.
    static int socket_of(const std::string& device) noexcept;

    [[nodiscard]] std::uint16_t id() const noexcept { return id_; }
    [[nodiscard]] const std::string& label() const noexcept { return label_; }
    [[nodiscard]] std::uint16_t queues() const noexcept { return queues_; }
    // The device spreads flows over its queues by our symmetric key.
    [[nodiscard]] bool spreads_flows() const noexcept { return spreads_flows_; }
    [[nodiscard]] LinkState link() const noexcept;
    // Driver counters since open.
    [[nodiscard]] PortCounters counters() const noexcept;
    // At most out.size() packets of a queue; one thread per queue.
    std::size_t receive(std::uint16_t queue, std::span<rte_mbuf*> out) const noexcept;

  private:
    Port() = default;
    Status set_up(const PortConfig& config, Pool& pool);
    std::uint16_t id_ = 0;
    std::uint16_t queues_ = 0;
    bool started_ = false;
    bool spreads_flows_ = false;
    std::string label_;
    std::string device_;
    bool virtual_device_ = false;
};

}  // namespace seine::runtime
