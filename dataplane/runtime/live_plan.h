// Live inputs looked at before anything starts: what each needs, and what the operator should know.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/status.h"
#include "dataplane/runtime/interface.h"

namespace seine::runtime {

// inline_pair: a bump in the wire, "A+B", two interfaces or two devices.
enum class LiveKind : std::uint8_t { af_packet, af_xdp, device, inline_pair };

struct LiveRequest {
    LiveKind kind{};
    std::string name;  // interface, or address of a device; ADDR+ADDR for two fibres
    // af_xdp: traffic may be taken from a host that has an address on this interface.
    bool consume = false;
};

// The kernel's ring of an af_packet queue: frames in blocks, memory twice (receive and transmit).
struct KernelRing {
    std::uint32_t frame_bytes = 2048;
    std::uint32_t block_bytes = 65536;
    std::uint32_t frames = 16384;
    // Bytes a packet may have; longer ones are cut.
    [[nodiscard]] std::uint32_t packet_bytes() const noexcept;
    [[nodiscard]] std::string arguments(const std::string& interface, unsigned queues) const;
};

struct LiveInput {
    LiveKind kind{};
    std::string name;
    InterfaceFacts facts;  // of interfaces
    KernelRing ring;       // of af_packet
    std::uint32_t queues = 1;
    std::string program;   // of af_xdp: file of the XDP program, for DPDK's driver
    int forward_to = -1;   // inline: the input whose port sends what this one receives
};

struct LivePlan {
    std::vector<LiveInput> inputs;
    unsigned workers = 1;
    bool devices = false;                  // some input is found on the PCI bus
    std::uint16_t buffer_bytes = 2048;     // of every packet buffer
    std::uint32_t buffers = 0;             // in all
    std::uint32_t handover_slots = 0;      // of each ring between two workers
    std::vector<std::string> notices;
    [[nodiscard]] std::size_t memory_bytes() const noexcept;
};

// The ring for an interface: frames as long as its packets can get, as many as fit in a budget and in
// what this process may lock (a receive and a transmit half).
[[nodiscard]] KernelRing ring_for(const InterfaceFacts& facts,
                                  std::uint64_t lockable_bytes = UINT64_MAX) noexcept;

// not_found or failed, one line with the remedy: an interface that is not there, no permission, one
// that must not be taken from its host.
Result<LivePlan> plan_live(const std::vector<LiveRequest>& requests, unsigned workers);

}  // namespace seine::runtime
