// The identity table: one probe of four entries for each presented identity.
#include "control/detect/sessions.h"

#include <bit>

#include "dataplane/base/hash.h"

namespace seine::detect {
namespace {
constexpr std::uint32_t kLifetimeS = 48 * 3600;  // no common server keeps a ticket longer
}

SessionTable::SessionTable(std::size_t entries_max)
    : entries_(std::bit_floor(entries_max < 64 ? 64 : entries_max)),
      mask_(entries_.size() / kWays - 1) {}

void SessionTable::insert(const Entry& entry) {
    Entry* const bucket = &entries_[kWays * (mix64(entry.identity, 0xd6e8feb86659fd93u) & mask_)];
    Entry* oldest = bucket;
    for (Entry* at = bucket; at != bucket + kWays; ++at) {
        if (at->last_s < oldest->last_s) oldest = at;
    }
    *oldest = entry;
}

SessionTable::Answer SessionTable::touch(std::uint64_t identity, std::uint32_t account,
                                         std::uint32_t org, std::uint32_t network, Nanos now) {
    Entry* const bucket = &entries_[kWays * (mix64(identity, 0xd6e8feb86659fd93u) & mask_)];
    const auto now_s = static_cast<std::uint32_t>(now.count / kSecond);
    Entry* oldest = bucket;
    for (Entry* entry = bucket; entry != bucket + kWays; ++entry) {
        if (entry->identity == identity && now_s - entry->last_s < kLifetimeS) {
            Answer answer;
            entry->last_s = now_s;
            if (entry->org != org) {
                answer.other = entry->account;
                return answer;
            }
            if (entry->account != account || network == 0) return answer;
            for (std::uint32_t& seen : entry->networks) {
                if (seen == network) return answer;
                if (seen == 0) {
                    seen = network;
                    answer.mobile = &seen == &entry->networks[2];
                    return answer;
                }
            }
            return answer;
        }
        if (entry->last_s < oldest->last_s) oldest = entry;
    }
    if (oldest->identity != 0 && now_s - oldest->last_s < kLifetimeS) ++evicted_;
    *oldest = {identity, account, org, {network, 0, 0}, now_s};
    return {};
}

}  // namespace seine::detect
