#include "dataplane/runtime/live_plan.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "dataplane/runtime/port.h"

namespace seine::runtime {
namespace {

// What the kernel puts in front of a packet in its ring (TPACKET_V2, aligned), less what the driver
// counts as its own.
constexpr std::uint32_t kRingHeadBytes = 96;
constexpr std::uint32_t kLinkBytes = 22;  // Ethernet and two VLAN tags
constexpr std::uint32_t kRingBudget = 32u << 20;
constexpr std::uint32_t kDriverHeadBytes = 32;  // the driver's share of that, not copied
// A packet buffer of DPDK holds 65,535 bytes with its headroom at most, frames must fill their block,
// and blocks are whole pages: 32 of these are 511 pages. 45 segments of 1,448 bytes, the most that
// Linux merges, still fit.
constexpr std::uint32_t kLargestFrame = 65408;
constexpr std::uint32_t kLargestBlock = 32 * kLargestFrame;
constexpr std::uint32_t kLargeFrames = 1024;
constexpr std::uint32_t kBlockBytes = 65536;
// A worker naps for 50 us when idle: its peers' rings hold what a 10 Gb/s line brings meanwhile.
constexpr std::uint32_t kHandoverSlots = 4096;
constexpr std::uint32_t kLargeHandoverSlots = 256;
constexpr std::uint32_t kBuffersPerQueue = 2048;
constexpr std::uint32_t kXdpBuffersPerQueue = 8192;  // the driver's fill ring holds 2,048 of them
constexpr std::uint32_t kXdpMtuMax = 1800;
constexpr std::uint32_t kXdpQueuesMax = 64;
constexpr std::uint32_t kLargeBuffersPerQueue = 512;

// What this process may keep from being paged out; the driver locks its rings.
std::uint64_t lockable_bytes() noexcept {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3]{};
    if (syscall(SYS_capget, &header, sets) == 0 && (sets[0].effective >> CAP_IPC_LOCK & 1) != 0) {
        return UINT64_MAX;
    }
    rlimit limit{};
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return 0;
    return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

void note_facts(const InterfaceFacts& facts, LivePlan& plan) {
    if (!facts.up) {
        plan.notices.push_back(facts.name + ": is down; bring it up with: ip link set " + facts.name +
                               " up");
    }
    if (facts.merges()) {
        plan.notices.push_back(facts.name + ": offloads merge packets before they are seen here, up to "
                               "64 KiB; they are read all the same, but round trips and sizes are "
                               "those of merged packets; as on the wire with: " + facts.remedy());
    }
}

}  // namespace

std::uint32_t KernelRing::packet_bytes() const noexcept { return frame_bytes - kRingHeadBytes; }

std::string KernelRing::arguments(const std::string& interface, unsigned queues) const {
    return "iface=" + interface + ",qpairs=" + std::to_string(queues) + ",framecnt=" +
           std::to_string(frames) + ",blocksz=" + std::to_string(block_bytes) + ",framesz=" +
           std::to_string(frame_bytes);
}

KernelRing ring_for(const InterfaceFacts& facts, std::uint64_t lockable_bytes) noexcept {
    KernelRing ring;
    const std::uint32_t longest = facts.merges() ? UINT32_MAX : facts.mtu + kLinkBytes;
    ring.frame_bytes = kLargestFrame;
    ring.block_bytes = kLargestBlock;
    for (const std::uint32_t bytes : {2048u, 4096u, 8192u, 16384u, 32768u}) {
        if (longest > bytes - kRingHeadBytes) continue;
        ring.frame_bytes = bytes;
        ring.block_bytes = kBlockBytes;
        break;
    }
    const std::uint32_t frames_a_block = ring.block_bytes / ring.frame_bytes;
    const std::uint32_t wanted = std::max(kRingBudget / ring.frame_bytes, kLargeFrames);
    const std::uint64_t blocks =
        std::min<std::uint64_t>(wanted / frames_a_block, lockable_bytes / 2 / ring.block_bytes);
    ring.frames = std::max(static_cast<std::uint32_t>(blocks), 1u) * frames_a_block;
    return ring;
}

std::size_t LivePlan::memory_bytes() const noexcept {
    PoolConfig pool;
    pool.packets = buffers;
    pool.data_bytes = buffer_bytes;
    return Pool::bytes(pool) + (std::size_t{48} << 20);
}

namespace {

// "A+B" is two devices that belong together.
void plan_devices(const LiveRequest& request, LivePlan& plan) {
    plan.devices = true;
    std::size_t at = 0;
    while (at <= request.name.size()) {
        const std::size_t plus = std::min(request.name.find('+', at), request.name.size());
        LiveInput input;
        input.kind = request.kind;
        input.name = request.name.substr(at, plus - at);
        input.queues = plan.workers;
        plan.inputs.push_back(std::move(input));
        at = plus + 1;
    }
}

Status plan_af_packet(LiveInput& input, std::uint64_t lockable_a_queue, LivePlan& plan) {
    const Status allowed = may_listen();
    if (!allowed.ok()) return failed(input.name + ": " + allowed.message());
    note_facts(input.facts, plan);
    input.queues = plan.workers;
    input.ring = ring_for(input.facts, lockable_a_queue);
    const KernelRing wanted = ring_for(input.facts);
    if (input.ring.frames < wanted.frames) {
        plan.notices.push_back(input.name + ": this user may not lock more memory, so the kernel keeps " +
                               std::to_string(input.ring.frames) + " packets a queue instead of " +
                               std::to_string(wanted.frames) +
                               "; more with: ulimit -l unlimited (systemd: LimitMEMLOCK=infinity)");
    }
    plan.buffer_bytes = static_cast<std::uint16_t>(
        std::max<std::uint32_t>(plan.buffer_bytes, input.ring.frame_bytes - kDriverHeadBytes));
    return {};
}

Status plan_af_xdp(LiveInput& input, const LiveRequest& request, LivePlan& plan) {
    const InterfaceFacts& facts = input.facts;
    if (facts.has_address && !request.consume) {
        return failed(input.name + ": has an address, and frames taken here never reach the host; listen "
                      "beside it with --af-packet " + input.name + ", or take them with --consume");
    }
    if (facts.mtu > kXdpMtuMax) {
        return failed(input.name + ": its MTU of " + std::to_string(facts.mtu) + " is past the " +
                      std::to_string(kXdpMtuMax) + " that fit an XDP frame; ip link set " + input.name +
                      " mtu 1500, or --af-packet " + input.name);
    }
    if (facts.queues > kXdpQueuesMax) {
        return failed(input.name + ": has " + std::to_string(facts.queues) + " queues, " +
                      std::to_string(kXdpQueuesMax) + " at most are read; ethtool -L " + input.name +
                      " combined " + std::to_string(plan.workers));
    }
    if (!facts.up) note_facts(facts, plan);
    input.queues = facts.queues;
    return {};
}

// Either both are devices on a bus, or both are interfaces of the kernel.
Status plan_inline(const LiveRequest& request, std::uint64_t lockable_a_queue, LivePlan& plan) {
    const std::size_t plus = request.name.find('+');
    const bool two = plus != std::string::npos && plus > 0 && plus + 1 < request.name.size() &&
                     request.name.find('+', plus + 1) == std::string::npos &&
                     request.name.substr(0, plus) != request.name.substr(plus + 1);
    if (!two) return {Code::usage, "--inline " + request.name + ": name the two ports of the wire as A+B"};
    const bool devices = request.name.find(':') != std::string::npos;
    for (const std::string& name : {request.name.substr(0, plus), request.name.substr(plus + 1)}) {
        LiveInput input;
        input.kind = devices ? LiveKind::device : LiveKind::af_packet;
        input.name = name;
        input.queues = plan.workers;
        if (!devices) {
            auto facts = look_at_interface(name);
            if (!facts) return Status(facts.error().code(), "--inline " + facts.error().message());
            input.facts = std::move(*facts);
            if (input.facts.has_address)
                return failed("--inline " + name + ": has an address, so its host would answer what is passed on; "
                              "take it off with: ip address flush dev " + name);
            const Status planned = plan_af_packet(input, lockable_a_queue, plan);
            if (!planned.ok()) return failed("--inline " + planned.message());
        } else {
            plan.devices = true;
        }
        plan.inputs.push_back(std::move(input));
    }
    const auto count = static_cast<int>(plan.inputs.size());
    plan.inputs[plan.inputs.size() - 2].forward_to = count - 1;
    plan.inputs.back().forward_to = count - 2;
    plan.notices.push_back(request.name + ": is a part of the wire from now on; without cards that bypass it, the link is "
                           "cut whenever this program does not run; after a crash a second process takes over");
    return {};
}

std::uint32_t buffers_for(const LivePlan& plan) noexcept {
    const bool large = plan.buffer_bytes > 16384;
    std::uint32_t buffers = plan.workers > 1 ? plan.handover_slots * plan.workers : 0;
    for (const LiveInput& input : plan.inputs) {
        const std::uint32_t a_queue = input.kind == LiveKind::af_xdp ? kXdpBuffersPerQueue
                                      : large                        ? kLargeBuffersPerQueue
                                                                     : kBuffersPerQueue;
        buffers += a_queue * input.queues;
    }
    return std::max(buffers, large ? 1023u : 8191u);
}

}  // namespace

Result<LivePlan> plan_live(const std::vector<LiveRequest>& requests, unsigned workers) {
    LivePlan plan;
    plan.workers = workers;
    const std::uint64_t lockable = lockable_bytes();
    for (const LiveRequest& request : requests) {
        if (request.kind == LiveKind::device) {
            plan_devices(request, plan);
            continue;
        }
        if (request.kind == LiveKind::inline_pair) {
            const Status planned = plan_inline(request, lockable / workers / requests.size() / 2, plan);
            if (!planned.ok()) return planned;
            continue;
        }
        const bool xdp = request.kind == LiveKind::af_xdp;
        const std::string option = xdp ? "--af-xdp " : "--af-packet ";
        auto facts = look_at_interface(request.name);
        if (!facts) return Status(facts.error().code(), option + facts.error().message());
        LiveInput input;
        input.kind = request.kind;
        input.name = request.name;
        input.facts = std::move(*facts);
        const Status planned = xdp ? plan_af_xdp(input, request, plan)
                                   : plan_af_packet(input, lockable / workers / requests.size(), plan);
        if (!planned.ok()) return failed(option + planned.message());
        plan.inputs.push_back(std::move(input));
    }
    plan.handover_slots = plan.buffer_bytes > 16384 ? kLargeHandoverSlots : kHandoverSlots;
    plan.buffers = buffers_for(plan);
    return plan;
}

}  // namespace seine::runtime
