// XDP: frames with IP inside go to the dataplane's AF_XDP socket of their queue, the rest to the kernel.
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "ebpf/parse.h"
#include "ebpf/seine_abi.h"

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, SEINE_XDP_QUEUES_MAX);
    __type(key, __u32);
    __type(value, __u32);
} xsks_map SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, seine_xdp_counter_count);
    __type(key, __u32);
    __type(value, __u64);
} seine_counters SEC(".maps");

static __always_inline void seine_count(__u32 counter) {
    __u64 *cell = bpf_map_lookup_elem(&seine_counters, &counter);
    if (cell) *cell += 1;
}

// A queue without a socket, as after the dataplane was killed, passes everything on: the host never
// loses a frame to a program that outlived its owner.
SEC("xdp")
int seine_steer(struct xdp_md *frame) {
    struct seine_cursor cursor = {(void *)(long)frame->data, (void *)(long)frame->data_end};
    switch (seine_look(&cursor)) {
        case seine_frame_other:
            seine_count(seine_xdp_passed);
            return XDP_PASS;
        case seine_frame_short:
            seine_count(seine_xdp_short);
            return XDP_PASS;
        case seine_frame_ip:
            break;
    }
    const __u32 queue = frame->rx_queue_index;
    if (!bpf_map_lookup_elem(&xsks_map, &queue)) {
        seine_count(seine_xdp_unbound);
        return XDP_PASS;
    }
    seine_count(seine_xdp_steered);
    return bpf_redirect_map(&xsks_map, queue, XDP_PASS);
}

char seine_license[] SEC("license") = "Dual BSD/GPL";
