// Bounds-checked header steps as the kernel's verifier wants them: compare with data_end, then load.
#pragma once
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define SEINE_VLAN_TAGS_MAX 4
#define SEINE_MPLS_LABELS_MAX 8

enum seine_frame_kind {
    seine_frame_ip,     // IPv4 or IPv6, perhaps under tags, labels or PPPoE
    seine_frame_other,  // anything else
    seine_frame_short,  // ends inside its link headers
};

struct seine_cursor {
    void *at;
    void *end;
};

// The next two bytes as a host number, stepped over `bytes`; -1 when they are not there.
static __always_inline int seine_take16(struct seine_cursor *cursor, __u32 offset, __u32 bytes) {
    __u8 *at = cursor->at;
    if (at + bytes > (__u8 *)cursor->end || offset + 2 > bytes) return -1;
    const int value = at[offset] << 8 | at[offset + 1];
    cursor->at = at + bytes;
    return value;
}

static __always_inline enum seine_frame_kind seine_under_mpls(struct seine_cursor *cursor) {
    for (int i = 0; i < SEINE_MPLS_LABELS_MAX; ++i) {
        __u8 *at = cursor->at;
        if (at + 4 > (__u8 *)cursor->end) return seine_frame_short;
        cursor->at = at + 4;
        if (at[2] & 1) break;  // bottom of the stack (RFC 3032 section 2.1)
    }
    // What is below is not named; the dataplane looks for IP, with and without a control word.
    return seine_frame_ip;
}

// What a frame holds, as far as its link headers tell.
static __always_inline enum seine_frame_kind seine_look(struct seine_cursor *cursor) {
    int type = seine_take16(cursor, 12, 14);
    for (int i = 0; i < SEINE_VLAN_TAGS_MAX && (type == 0x8100 || type == 0x88a8 || type == 0x9100); ++i) {
        type = seine_take16(cursor, 2, 4);
    }
    if (type < 0) return seine_frame_short;
    switch (type) {
        case 0x0800:  // IPv4
        case 0x86dd:  // IPv6
            return seine_frame_ip;
        case 0x8847:  // MPLS
        case 0x8848:
            return seine_under_mpls(cursor);
        case 0x8864:  // PPPoE session: six bytes, then the PPP protocol
            type = seine_take16(cursor, 6, 8);
            if (type < 0) return seine_frame_short;
            return type == 0x0021 || type == 0x0057 ? seine_frame_ip : seine_frame_other;
        default:
            // 802.3: SNAP may hold IP; it is rare, and the dataplane knows it.
            return type < 0x0600 && seine_take16(cursor, 0, 8) == 0xaaaa ? seine_frame_ip : seine_frame_other;
    }
}
