// Any bytes as a log line, by each preset and by a pattern; and as the line that declares a source.
#include <algorithm>
#include <string>

#include "control/account/line_record.h"
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
    const std::string_view text = as_text({data, size});
    for (const char* line :
         {"a file /x format=nginx", "a file /x format=haproxy", "a file /x format=envoy",
          "a file /x format=caddy", "a file /x format=json time=start server=any",
          "a file /x format=nginx pattern=\"$remote_addr:$remote_port [$time_local] $x_api_key "
          "$status\""}) {
        const auto config = read_source(line);
        require(config.has_value());
        LineReader reader(*config, names);
        SourceRecord said;
        const Parse parse = reader.read(text, Nanos{5 * kSecond}, said);
        require((parse == Parse::ok) == reader.fault().empty());
        if (parse == Parse::ok) {
            require(said.record.account_tag != std::array<std::uint8_t, 16>{});
            require(said.record.client_port != 0 || said.unique_id != 0);
            require(said.record.t_conn_us <= said.record.t_req_us);
        }
    }
    if (size < 4096) {
        const auto declared = read_source(text);
        if (!declared.has_value()) require(!declared.error().message().empty());
    }
    DirectoryEntry entry;
    if (from_text(text, entry) == Parse::ok) {
        DirectoryEntry again;
        require(from_text(to_text(entry), again) == Parse::ok && to_text(again) == to_text(entry));
    }
    return 0;
}
