// What the XDP program and its loader agree on: names of maps and program, and the counters' order.
// Read by clang for bpf as C and by the loader as C++.
#pragma once

#define SEINE_XDP_PROGRAM_NAME "seine_steer"
#define SEINE_XDP_SOCKETS_MAP "xsks_map" /* the name DPDK's af_xdp driver looks for */
#define SEINE_XDP_COUNTERS_MAP "seine_counters"
#define SEINE_XDP_QUEUES_MAX 64

/* X(name, meaning). Each is an entry of the per-processor counter map. */
#define SEINE_XDP_COUNTERS(X)                                                         \
    X(xdp_steered, "frames with IP inside, sent to the dataplane")                    \
    X(xdp_passed, "frames left to the kernel: no IP inside, such as ARP")             \
    X(xdp_unbound, "IP frames left to the kernel: no socket on their receive queue")  \
    X(xdp_short, "frames left to the kernel: shorter than their headers")

enum seine_xdp_counter {
#define SEINE_X(name, meaning) seine_##name,
    SEINE_XDP_COUNTERS(SEINE_X)
#undef SEINE_X
        seine_xdp_counter_count
};
