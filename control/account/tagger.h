// Names and keys to tags (detection.md 4.3): the first thing that happens to them, and the last.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

#include "control/account/tag_keys.h"
#include "control/model/tag.h"
#include "dataplane/base/bytes.h"

namespace seine::account {

// Works under one epoch. Copies nothing of a name or key; buffers of the caller are the caller's to
// wipe. One thread.
class Tagger {
  public:
    Tagger(std::shared_ptr<const TagKeys> keys, const TagKeys::Epoch& epoch) noexcept
        : keys_(std::move(keys)), epoch_(&epoch) {}

    // HMAC-SHA256(tag key, "acct\0" name), its first 16 bytes.
    [[nodiscard]] model::AccountTag account(std::string_view name) const;
    // HMAC-SHA256(tag key, "org\0" name).
    [[nodiscard]] model::OrgTag organisation(std::string_view name) const;
    // SipHash-2-4(hash key, key); never 0. `key` is the bare key (contract/api_key.h).
    [[nodiscard]] model::KeyTag key(std::string_view key) const noexcept;
    // The account that an API key of no known account is: HMAC-SHA256(tag key, "key\0" key tag).
    [[nodiscard]] model::AccountTag account_of(model::KeyTag key) const;
    [[nodiscard]] std::uint16_t epoch() const noexcept { return epoch_->number; }

  private:
    std::shared_ptr<const TagKeys> keys_;
    const TagKeys::Epoch* epoch_;
};

// Whether `mac` is SipHash-2-4 of `bytes` under the 16-byte key; compares in constant time.
[[nodiscard]] bool mac_fits(const std::uint8_t* key, ByteView bytes, std::uint64_t mac) noexcept;
[[nodiscard]] std::uint64_t mac_of(const std::uint8_t* key, ByteView bytes) noexcept;

}  // namespace seine::account
