// Any bytes as an account datagram: binary records and JSON lines, with and without a MAC.
#include <algorithm>
#include <vector>

#include "control/account/datagram.h"
#include "tests/fuzz/account_keys.h"

namespace {

using namespace seine;
using namespace seine::account;

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Directory directory;
    static Names names(fuzz_keys(), directory);
    names.now(Nanos{kSecond});
    for (const bool mac_needed : {false, true}) {
        DatagramReader reader(names, mac_needed);
        std::vector<std::uint8_t> datagram(data, data + size);
        std::uint64_t taken = 0;
        reader.read(datagram, [&taken](const SourceRecord& said) {
            ++taken;
            // What is handed on names an account, and is sound by the rules of the record.
            require(said.record.account_tag != std::array<std::uint8_t, 16>{});
            require((said.record.flags & ~unsigned{contract::AccountFlags::all}) == 0);
            require(said.record.type <= contract::AccountType::directory);
        });
        const DatagramCounters& c = reader.counters();
        require(c.datagrams == 1 && c.records == taken);
        // Nothing is dropped in silence.
        if (taken == 0 && size > 0 && data[0] != '{') {
            require(c.malformed + c.other_version + c.oversized + c.forged + c.unsigned_refused +
                        c.anonymous >
                    0);
        }
        // JSON may hold names and keys: it is wiped.
        if (size > 0 && data[0] == '{') {
            require(std::all_of(datagram.begin(), datagram.end(),
                                [](std::uint8_t byte) { return byte == 0; }));
        }
    }
    return 0;
}
