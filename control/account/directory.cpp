#include "control/account/directory.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace seine::account {
namespace {

std::string_view next_word(std::string_view& text) noexcept {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

template <typename T>
bool from_digits(std::string_view word, T& out, int base = 10) noexcept {
    const char* end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, out, base);
    return !word.empty() && error == std::errc{} && stop == end;
}

}  // namespace

// account org day tier intermediary closed_ns key..
std::string to_text(const DirectoryEntry& entry) {
    std::string text = model::to_text(entry.account) + " " + model::to_text(entry.org) + " " +
                       std::to_string(entry.first_seen_day) + " " + std::to_string(entry.tier) +
                       " " + (entry.declared_intermediary ? "1 " : "0 ") +
                       std::to_string(entry.closed_at.count);
    char digits[17];
    for (const model::KeyTag key : entry.keys) {
        const auto end = std::to_chars(digits, digits + sizeof digits, key, 16).ptr;
        text.push_back(' ');
        text.append(digits, end);
    }
    return text;
}

Parse from_text(std::string_view text, DirectoryEntry& out) {
    out = {};
    unsigned tier = 0;
    unsigned intermediary = 0;
    if (!model::from_text(next_word(text), out.account) || !out.account.known() ||
        !model::from_text(next_word(text), out.org) ||
        !from_digits(next_word(text), out.first_seen_day) || !from_digits(next_word(text), tier) ||
        tier > 255 || !from_digits(next_word(text), intermediary) || intermediary > 1 ||
        !from_digits(next_word(text), out.closed_at.count)) {
        return Parse::malformed;
    }
    out.tier = static_cast<std::uint8_t>(tier);
    out.declared_intermediary = intermediary == 1;
    constexpr std::size_t kKeysMax = 4096;
    while (!text.empty()) {
        model::KeyTag key = 0;
        if (!from_digits(next_word(text), key, 16) || key == 0 || out.keys.size() == kKeysMax)
            return Parse::malformed;
        out.keys.push_back(key);
    }
    return Parse::ok;
}

bool Directory::put(const DirectoryEntry& entry) {
    auto found = entries_.find(entry.account);
    if (found == entries_.end()) {
        if (entries_.size() >= kEntriesMax) {
            ++refused_;
            return false;
        }
        found = entries_.emplace(entry.account, DirectoryEntry{}).first;
        found->second.account = entry.account;
    }
    DirectoryEntry& have = found->second;
    if (entry.org.known()) have.org = entry.org;
    if (entry.first_seen_day != 0) have.first_seen_day = entry.first_seen_day;
    if (entry.tier != 0) have.tier = entry.tier;
    have.declared_intermediary = entry.declared_intermediary;
    have.closed_at = entry.closed_at;
    for (const model::KeyTag key : entry.keys) {
        if (owners_.size() >= kEntriesMax && owners_.find(key) == owners_.end()) {
            ++refused_;
            continue;
        }
        owners_[key] = entry.account;
        if (std::find(have.keys.begin(), have.keys.end(), key) == have.keys.end())
            have.keys.push_back(key);
    }
    changed_.push_back(entry.account);
    return true;
}

const DirectoryEntry* Directory::find(const model::AccountTag& account) const {
    const auto found = entries_.find(account);
    return found == entries_.end() ? nullptr : &found->second;
}

const model::AccountTag* Directory::owner_of(model::KeyTag key) const {
    const auto found = owners_.find(key);
    return found == owners_.end() ? nullptr : &found->second;
}

void Directory::carry_over(const model::AccountTag& from, const model::AccountTag& to,
                           model::KeyTag new_key) {
    const DirectoryEntry* old = find(from);
    if (old == nullptr) return;
    DirectoryEntry entry = *old;
    entry.account = to;
    entry.keys.clear();
    if (new_key != 0) entry.keys.push_back(new_key);
    static_cast<void>(put(entry));
}

std::vector<model::AccountTag> Directory::take_changed() {
    std::sort(changed_.begin(), changed_.end());
    changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
    return std::exchange(changed_, {});
}

}  // namespace seine::account
