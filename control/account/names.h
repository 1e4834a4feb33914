// Names and keys of a record or log line to its tags, and what the directory adds to them.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "control/account/directory.h"
#include "control/account/tagger.h"
#include "dataplane/contract/account_record.h"

namespace seine::account {

// One thread. While two epochs overlap it also finds the tag an account had before.
class Names {
  public:
    Names(std::shared_ptr<const TagKeys> keys, Directory& directory)
        : keys_(std::move(keys)), directory_(&directory) {}

    // The epoch in force changes as time passes.
    void now(Nanos now);
    // Sets account_tag, org_tag, key_tag, tag_epoch and what the directory knows. `account` and
    // `org` are names, `key` a bare key; each may be empty. False when that names no account.
    bool fill(std::string_view account, std::string_view org, std::string_view key,
              contract::AccountRecord& record);
    // The same for a key that the dataplane hashed under the epoch in force.
    bool fill_hashed(model::KeyTag key, contract::AccountRecord& record);
    // Adds what the directory knows of the account to a record that brings its own tags.
    void complete(contract::AccountRecord& record) const;
    // Accounts whose tag changed with the epoch, told once each: rekey records, account_tag the new
    // one and org_tag the old one.
    std::vector<contract::AccountRecord> take_rekeys();
    [[nodiscard]] const TagKeys& keys() const noexcept { return *keys_; }

  private:
    // Accounts that a rekey was told of; past this no further rekeys are told.
    static constexpr std::size_t kToldMax = 4'000'000;
    void carry(const model::AccountTag& before, const model::AccountTag& tag, model::KeyTag key);

    // The tag that a key's hash gives under the epoch in force: of keys of late, without an HMAC.
    model::AccountTag tag_of(model::KeyTag key);
    struct Known {
        model::KeyTag key = 0;  // 0: free
        model::AccountTag tag;
    };
    static constexpr std::size_t kKnownMax = 65'536;

    std::vector<Known> known_;  // by the key's last bits
    std::shared_ptr<const TagKeys> keys_;
    Directory* directory_;
    std::unique_ptr<Tagger> tagger_;
    std::unique_ptr<Tagger> before_;  // of the epoch before, while it is kept
    std::unordered_set<model::AccountTag> told_;
    std::vector<contract::AccountRecord> rekeys_;
};

}  // namespace seine::account
