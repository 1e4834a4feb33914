// What an account was seen with, as the bytes of one column: bounded, the latest of each field.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "control/store/records.h"

namespace seine::store {

// Values of one field that an account keeps; the one seen longest ago goes first.
inline constexpr std::size_t kValuesPerFieldMax = 32;

// `bytes` with `more` added. Bytes that are none of ours are taken as empty.
std::string merge_account_values(std::string_view bytes, const std::vector<AccountValueRow>& more);
std::vector<AccountValueRow> read_account_values(std::string_view bytes);

}  // namespace seine::store
