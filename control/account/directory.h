// What is known of accounts beside what gateways say: organisation, tier, sign-up, closure, and
// whose an API key is. Tags only.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/model/tag.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/status.h"

namespace seine::account {

// One line of an import after its names became tags.
struct DirectoryEntry {
    model::AccountTag account;
    model::OrgTag org;                // zero: not said
    std::vector<model::KeyTag> keys;  // further ones are added to those known
    std::uint32_t first_seen_day = 0;
    std::uint8_t tier = 0;
    bool declared_intermediary = false;
    Nanos closed_at;  // 0: open
};

// Text forms for the store and for the socket between seinectl and control: words of tags and
// numbers.
std::string to_text(const DirectoryEntry& entry);
// malformed: no such line.
Parse from_text(std::string_view text, DirectoryEntry& out);

// One thread. At most kEntriesMax accounts and as many keys; what does not fit is counted.
class Directory {
  public:
    static constexpr std::size_t kEntriesMax = 8'000'000;

    // Adds or replaces; what the entry does not say stays. False when there is no room.
    bool put(const DirectoryEntry& entry);
    // nullptr: not known.
    [[nodiscard]] const DirectoryEntry* find(const model::AccountTag& account) const;
    [[nodiscard]] const model::AccountTag* owner_of(model::KeyTag key) const;
    // Under a new epoch the account and one key of it have new tags.
    void carry_over(const model::AccountTag& from, const model::AccountTag& to,
                    model::KeyTag new_key);
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] std::size_t keys() const noexcept { return owners_.size(); }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
    // Accounts put since the last call: what the store has yet to take.
    std::vector<model::AccountTag> take_changed();

  private:
    std::unordered_map<model::AccountTag, DirectoryEntry> entries_;
    std::unordered_map<model::KeyTag, model::AccountTag> owners_;
    std::vector<model::AccountTag> changed_;
    std::uint64_t refused_ = 0;
};

}  // namespace seine::account
