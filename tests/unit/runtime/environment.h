// DPDK for the tests: started once, on ordinary pages, whatever the machine has.
#pragma once
#include <string>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "dataplane/runtime/eal.h"

namespace seine::runtime_test {

// The one EAL of this process, with six slots.
runtime::Eal& eal();

// A folder that is removed at the end of the process.
const std::string& folder();

// What the fake inspector makes of one frame: its record.
struct Seen {
    std::int64_t time = 0;
    std::uint32_t wire_bytes = 0;
    std::uint32_t bytes = 0;
    std::uint64_t hash = 0;
    std::uint16_t worker = 0;
    std::uint8_t link = 0;
    std::uint8_t kind = 0;  // 0 a frame, 1 a flow closed at the end
    friend auto operator<=>(const Seen&, const Seen&) = default;
};
Seen seen_of(ByteView record);
// The last time that any fake inspector was advance()d to.
Nanos last_advance();

}  // namespace seine::runtime_test
