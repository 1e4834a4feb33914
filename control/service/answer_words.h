// Arguments that several nouns share, read alike.
#pragma once
#include <cstdint>
#include <string>

#include "control/command/request.h"
#include "control/model/tag.h"
#include "control/store/store.h"
#include "dataplane/base/clock.h"
#include "dataplane/contract/frame.h"

namespace seine::service {

// "90s", "10m", "2h", "7d" before `now`; zero time when it was not given.
Result<Nanos> since(const command::Arguments& arguments, Nanos now);
// `name` as the 32 hex digits of an account, or as many of them as are unambiguous.
Result<model::AccountTag> account_of(const command::Arguments& arguments, std::string_view name,
                                     const store::Store& store);
// "F-12", as the list of farms prints it.
Result<std::uint64_t> farm_of(const command::Arguments& arguments, std::string_view name);
std::string farm_text(std::uint64_t id);
// "dataplane-epoch-counter", as records print it.
Result<contract::FlowId> flow_id_of(const std::string& text);
// Days since 1970, and the first of the last `days` (argument "days").
struct Days {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
};
Result<Days> days_of(const command::Arguments& arguments, Nanos now);

}  // namespace seine::service
