// Items of 34 bytes: u16 field, u64 value, i64 first, i64 last, u64 flows.
#include "control/store/account_values.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/bytes.h"

namespace seine::store {
namespace {

constexpr std::size_t kItemBytes = 34;

void append(std::string& out, const void* value, std::size_t bytes) {
    out.append(static_cast<const char*>(value), bytes);
}

}  // namespace

std::vector<AccountValueRow> read_account_values(std::string_view bytes) {
    std::vector<AccountValueRow> out;
    if (bytes.size() % kItemBytes != 0) return out;
    const ByteView view = as_bytes(bytes);
    for (std::size_t at = 0; at < view.size(); at += kItemBytes) {
        AccountValueRow row;
        row.field = load_le16(view.data() + at);
        row.value = load_le64(view.data() + at + 2);
        row.first_seen = {static_cast<std::int64_t>(load_le64(view.data() + at + 10))};
        row.last_seen = {static_cast<std::int64_t>(load_le64(view.data() + at + 18))};
        row.flows = load_le64(view.data() + at + 26);
        out.push_back(row);
    }
    return out;
}

std::string merge_account_values(std::string_view bytes, const std::vector<AccountValueRow>& more) {
    std::vector<AccountValueRow> rows = read_account_values(bytes);
    for (const AccountValueRow& each : more) {
        const auto at = std::find_if(rows.begin(), rows.end(), [&each](const AccountValueRow& row) {
            return row.field == each.field && row.value == each.value;
        });
        if (at == rows.end()) {
            rows.push_back(each);
            continue;
        }
        at->first_seen = std::min(at->first_seen, each.first_seen);
        at->last_seen = std::max(at->last_seen, each.last_seen);
        at->flows += each.flows;
    }
    std::sort(rows.begin(), rows.end(), [](const AccountValueRow& a, const AccountValueRow& b) {
        return a.field != b.field ? a.field < b.field : a.last_seen != b.last_seen ? a.last_seen > b.last_seen : a.value < b.value;
    });
    std::string out;
    out.reserve(rows.size() * kItemBytes);
    std::uint16_t field = 0;
    std::size_t of_field = 0;
    for (const AccountValueRow& row : rows) {
        of_field = row.field == field ? of_field + 1 : 1;
        field = row.field;
        if (of_field > kValuesPerFieldMax) continue;
        append(out, &row.field, 2);
        append(out, &row.value, 8);
        append(out, &row.first_seen.count, 8);
        append(out, &row.last_seen.count, 8);
        append(out, &row.flows, 8);
    }
    return out;
}

}  // namespace seine::store
