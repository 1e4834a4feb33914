// Keeps memory that packet bytes pass through out of core dumps: API keys are among them.
#pragma once

namespace seine::runtime {

// Marks what DPDK has mapped, and all it maps from now on. Once, after DPDK has started.
void keep_dpdk_memory_out_of_core_dumps();

// Marks every private mapping of this process that is writable and not backed by a file: inspector
// tables, stream buffers, rings, the heap and thread stacks. What is mapped later is not marked.
void keep_heap_out_of_core_dumps();

// No core dump at all, and no tracing by other users; the wide net behind the two above.
void forbid_core_dumps();

}  // namespace seine::runtime
