// The identity table: one probe of four entries for each presented identity.
#include "control/detect/sessions.h"

#include <bit>

#include "dataplane/base/hash.h"

namespace seine::detect {
namespace {
// No common server keeps a ticket longer than two days.
constexpr std::uint32_t kLifetimeM = 48 * 60, kFree = 0x10000;

std::uint16_t minute(Nanos at) noexcept {
    return static_cast<std::uint16_t>(at.count / (60 * kSecond));
}

// Minutes since an entry was used, modulo 45 days; a free place is older than any entry. What is
// told late may be older than what came before it: up to an hour is now.
std::uint32_t age_of(const SessionTable::Entry& entry, std::uint16_t now_m) noexcept {
    const auto age = static_cast<std::uint16_t>(now_m - entry.last_m);
    return entry.identity == 0 ? kFree : age > 0xffff - 60 ? 0 : age;
}

// Never 0, which stands for no network. Two networks of an account that look alike make it look
// less mobile, not more.
std::uint16_t network_mark(std::uint32_t network) noexcept {
    const auto mark = static_cast<std::uint16_t>(network * 0x9e3779b1u >> 16);
    return mark == 0 ? 1 : mark;
}
}  // namespace

SessionTable::SessionTable(std::size_t entries_max)
    : entries_(std::bit_floor(entries_max < 64 ? 64 : entries_max)),
      mask_(entries_.size() / kWays - 1) {}

void SessionTable::insert(const Entry& entry, Nanos now) {
    Entry* const bucket = &entries_[kWays * (mix64(entry.identity, 0xd6e8feb86659fd93u) & mask_)];
    const std::uint16_t now_m = minute(now);
    Entry* oldest = bucket;
    for (Entry* at = bucket; at != bucket + kWays; ++at) {
        if (age_of(*at, now_m) > age_of(*oldest, now_m)) oldest = at;
    }
    *oldest = entry;
}

SessionTable::Answer SessionTable::touch(std::uint64_t identity, std::uint32_t account,
                                         std::uint32_t org, std::uint32_t network, Nanos now) {
    Entry* const bucket = &entries_[kWays * (mix64(identity, 0xd6e8feb86659fd93u) & mask_)];
    const std::uint16_t now_m = minute(now);
    const std::uint16_t mark = network == 0 ? std::uint16_t{0} : network_mark(network);
    Entry* oldest = bucket;
    for (Entry* entry = bucket; entry != bucket + kWays; ++entry) {
        if (entry->identity == identity && age_of(*entry, now_m) < kLifetimeM) {
            Answer answer;
            entry->last_m = now_m;
            if (entry->org != org) {
                answer.other = entry->account;
                return answer;
            }
            if (entry->account != account || mark == 0) return answer;
            for (std::uint16_t& seen : entry->networks) {
                if (seen == mark) return answer;
                if (seen == 0) {
                    seen = mark;
                    answer.mobile = &seen == &entry->networks[2];
                    return answer;
                }
            }
            return answer;
        }
        if (age_of(*entry, now_m) > age_of(*oldest, now_m)) oldest = entry;
    }
    if (age_of(*oldest, now_m) < kLifetimeM) ++evicted_;
    *oldest = {identity, account, org, {mark, 0, 0}, now_m};
    return {};
}

}  // namespace seine::detect
