#include "dataplane/runtime/core_dump.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include <rte_memory.h>

namespace seine::runtime {
namespace {

void exclude(const void* start, std::size_t bytes) {
    // Refused only for memory that is not mapped; then there is nothing to dump either.
    static_cast<void>(madvise(const_cast<void*>(start), bytes, MADV_DONTDUMP));
}

int exclude_segments(const rte_memseg_list*, const rte_memseg* segment, std::size_t bytes, void*) {
    exclude(segment->addr, bytes);
    return 0;
}

void exclude_new(rte_mem_event event, const void* start, std::size_t bytes, void*) {
    if (event == RTE_MEM_EVENT_ALLOC) exclude(start, bytes);
}

}  // namespace

void keep_dpdk_memory_out_of_core_dumps() {
    static_cast<void>(rte_memseg_contig_walk(exclude_segments, nullptr));
    // Not supported without huge pages; there all memory is mapped at start.
    static_cast<void>(rte_mem_event_callback_register("seine-core-dump", exclude_new, nullptr));
}

void keep_heap_out_of_core_dumps() {
    std::FILE* maps = std::fopen("/proc/self/maps", "re");
    if (maps == nullptr) return;
    char line[512];
    while (std::fgets(line, sizeof line, maps) != nullptr) {
        std::uintptr_t start = 0;
        std::uintptr_t end = 0;
        char access[5] = {};
        unsigned long long inode = 0;
        if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %llu", &start, &end, access,
                        &inode) != 4) {
            continue;
        }
        if (inode != 0 || access[1] != 'w' || std::strstr(line, "[v") != nullptr) continue;
        exclude(reinterpret_cast<const void*>(start), end - start);  // NOLINT: an address as text
    }
    std::fclose(maps);
}

void forbid_core_dumps() { static_cast<void>(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)); }

}  // namespace seine::runtime
