// The identity table: one look-up for each presented identity.
#include "control/detect/sessions.h"

#include "dataplane/base/hash.h"

namespace seine::detect {
namespace {

std::uint16_t minute(Nanos at) noexcept {
    return static_cast<std::uint16_t>(at.count / (60 * kSecond));
}

// Never 0, which stands for no network. Two networks of an account that look alike make it look
// less mobile, not more.
std::uint16_t network_mark(std::uint32_t network) noexcept {
    const auto mark = static_cast<std::uint16_t>(network * 0x9e3779b1u >> 16);
    return mark == 0 ? 1 : mark;
}

}  // namespace

void SessionTable::put_back(const Entry& entry, Nanos now) {
    Entry* const known = table_.find(entry.identity);
    (known != nullptr ? *known : table_.place(entry.identity, minute(now))) = entry;
}

SessionTable::Answer SessionTable::touch(std::uint64_t identity, std::uint32_t account,
                                         std::uint32_t org, std::uint32_t network, Nanos now) {
    if (identity == 0) return {};
    const std::uint16_t now_m = minute(now);
    const std::uint16_t mark = network == 0 ? std::uint16_t{0} : network_mark(network);
    Entry* const entry = table_.find(identity);
    if (entry == nullptr || entry->age(now_m) >= Entry::kStale) {
        (entry != nullptr ? *entry : table_.place(identity, now_m)) = {
            identity, account, org, {mark, 0, 0}, now_m};
        return {};
    }
    Answer answer;
    entry->last_m = now_m;
    if (entry->org != org) {
        answer.other = entry->account;
        answer.org = entry->org;
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

}  // namespace seine::detect
