#include "control/account/names.h"

#include <utility>

namespace seine::account {

void Names::now(Nanos now) {
    const std::int64_t seconds = now.count / kSecond;
    const TagKeys::Epoch& epoch = keys_->at(seconds);
    if (tagger_ != nullptr && tagger_->epoch() == epoch.number) return;
    tagger_ = std::make_unique<Tagger>(keys_, epoch);
    const TagKeys::Epoch* before = keys_->before(seconds);
    before_ = before == nullptr ? nullptr : std::make_unique<Tagger>(keys_, *before);
    told_.clear();
    known_.assign(known_.size(), Known());
}

model::AccountTag Names::tag_of(model::KeyTag key) {
    if (known_.empty()) known_.resize(kKnownMax);
    Known& known = known_[key % kKnownMax];
    if (known.key != key) known = {key, tagger_->account_of(key)};
    return known.tag;
}

bool Names::fill(std::string_view account, std::string_view org, std::string_view key,
                 contract::AccountRecord& record) {
    if (account.empty() && key.empty()) return false;
    model::AccountTag tag;
    model::AccountTag before;
    model::KeyTag key_tag = 0;
    if (!key.empty()) {
        key_tag = tagger_->key(key);
        const model::AccountTag* owner = directory_->owner_of(key_tag);
        tag = owner != nullptr ? *owner : tag_of(key_tag);
        if (before_ != nullptr && owner == nullptr) {
            const model::KeyTag old = before_->key(key);
            if (const model::AccountTag* old_owner = directory_->owner_of(old)) {
                // The directory's account keeps its tag until it is imported again; the key is
                // learned.
                DirectoryEntry entry = *directory_->find(*old_owner);
                entry.keys = {key_tag};
                tag = entry.account;
                static_cast<void>(directory_->put(entry));
            } else {
                before = before_->account_of(old);
            }
        }
    }
    if (!account.empty()) {
        tag = tagger_->account(account);
        if (before_ != nullptr) before = before_->account(account);
    }
    if (before.known()) carry(before, tag, key_tag);
    record.account_tag = tag.bytes;
    record.key_tag = key_tag;
    record.tag_epoch = tagger_->epoch();
    record.org_tag =
        org.empty() ? std::array<std::uint8_t, 16>{} : tagger_->organisation(org).bytes;
    complete(record);
    return true;
}

bool Names::fill_hashed(model::KeyTag key, contract::AccountRecord& record) {
    if (key == 0) return false;
    const model::AccountTag* owner = directory_->owner_of(key);
    record.account_tag = owner != nullptr ? owner->bytes : tag_of(key).bytes;
    record.key_tag = key;
    record.tag_epoch = tagger_->epoch();
    complete(record);
    return true;
}

void Names::complete(contract::AccountRecord& record) const {
    const DirectoryEntry* known = directory_->find({record.account_tag});
    if (known == nullptr) return;
    if (record.org_tag == std::array<std::uint8_t, 16>{}) record.org_tag = known->org.bytes;
    if (record.first_seen_day == 0) record.first_seen_day = known->first_seen_day;
    if (record.tier == 0) record.tier = known->tier;
    if (known->declared_intermediary) record.flags |= contract::AccountFlags::declared_intermediary;
}

void Names::carry(const model::AccountTag& before, const model::AccountTag& tag,
                  model::KeyTag key) {
    if (before == tag || told_.size() >= kToldMax || !told_.insert(tag).second) return;
    if (directory_->find(tag) == nullptr) directory_->carry_over(before, tag, key);
    contract::AccountRecord rekey;
    rekey.type = contract::AccountType::rekey;
    rekey.account_tag = tag.bytes;
    rekey.org_tag = before.bytes;
    rekey.tag_epoch = tagger_->epoch();
    rekeys_.push_back(rekey);
}

std::vector<contract::AccountRecord> Names::take_rekeys() { return std::exchange(rekeys_, {}); }

}  // namespace seine::account
