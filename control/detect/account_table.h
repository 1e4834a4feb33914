// Accounts by tag in stable slots, with a hard cap: when full, an old account of little use goes.
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "control/detect/account.h"

namespace seine::detect {

class AccountTable {
  public:
    static constexpr std::uint32_t kNone = 0xffffffffu;

    explicit AccountTable(std::uint32_t accounts_max);
    // The slot of an account, made when it is new; never fails, but may evict another account.
    std::uint32_t get(const model::AccountTag& tag, const model::OrgTag& org, Nanos now);
    [[nodiscard]] std::uint32_t find(const model::AccountTag& tag) const noexcept;
    // The account whose session this one shared last; kNone: there is none, or it was evicted.
    [[nodiscard]] std::uint32_t linked_to(const Account& account) const noexcept {
        const std::uint32_t slot = account.linked_slot;
        if (slot >= top_ || (*this)[slot].serial != account.linked_serial) return kNone;
        return slot;
    }
    void link(std::uint32_t a, std::uint32_t b) noexcept {
        (*this)[a].linked_slot = b;
        (*this)[a].linked_serial = (*this)[b].serial;
        (*this)[b].linked_slot = a;
        (*this)[b].linked_serial = (*this)[a].serial;
    }
    // A rekeyed account keeps its slot and everything in it.
    bool rename(const model::AccountTag& from, const model::AccountTag& to);
    void set_org(std::uint32_t slot, const model::OrgTag& org);
    void erase(std::uint32_t slot);
    // Room for so many tokens; all room that an account has is asked for here.
    void reserve_tokens(Account& account, std::size_t tokens);

    [[nodiscard]] Account& operator[](std::uint32_t slot) noexcept {
        return chunks_[slot / kChunk][slot % kChunk];
    }
    [[nodiscard]] const Account& operator[](std::uint32_t slot) const noexcept {
        return chunks_[slot / kChunk][slot % kChunk];
    }
    // Slots reach from 0 to here; those not live() are free.
    [[nodiscard]] std::uint32_t slots() const noexcept { return top_; }
    [[nodiscard]] bool live(std::uint32_t slot) const noexcept { return (*this)[slot].tag.known(); }
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint32_t orgs() const noexcept { return orgs_live_; }
    [[nodiscard]] std::uint32_t org_slots() const noexcept {
        return static_cast<std::uint32_t>(orgs_.size());
    }
    // Accounts of an organisation.
    [[nodiscard]] std::uint32_t org_accounts(std::uint32_t org) const noexcept {
        return orgs_[org].accounts;
    }
    [[nodiscard]] std::uint64_t evicted() const noexcept { return evicted_; }
    // How often an account of a farm was given another tag or organisation, or went.
    [[nodiscard]] std::uint64_t member_changes() const noexcept { return member_changes_; }
    // Places whose account was evicted while it was of a farm, since the last call.
    [[nodiscard]] std::vector<std::uint32_t> members_gone() noexcept {
        return std::exchange(members_gone_, {});
    }
    [[nodiscard]] std::size_t bytes() const noexcept;

  private:
    static constexpr std::uint32_t kChunk = 4096;
    struct Org {
        model::OrgTag tag;
        std::uint32_t accounts = 0;
    };
    // Open addressing over slots; a key is the first eight bytes of a tag, which is uniform.
    struct Index {
        std::vector<std::uint32_t> cell;
        std::size_t used = 0;
    };
    void evict_one();
    void index_insert(std::uint32_t slot);
    void index_erase(std::uint32_t slot);
    std::uint32_t org_get(const model::OrgTag& tag);
    void org_release(std::uint32_t org);
    void org_insert(std::uint32_t org);

    std::uint32_t max_;
    std::uint32_t top_ = 0;
    std::uint32_t size_ = 0;
    std::uint32_t orgs_live_ = 0;
    std::uint32_t hand_ = 0;  // of the clock that looks for a victim
    std::uint64_t evicted_ = 0, member_changes_ = 0;
    std::vector<std::uint32_t> members_gone_;
    std::uint32_t serials_ = 0;
    std::size_t token_bytes_ = 0;
    std::vector<std::unique_ptr<Account[]>> chunks_;
    std::vector<std::uint32_t> free_;
    std::vector<Org> orgs_;
    std::vector<std::uint32_t> orgs_free_;
    Index by_tag_;
    Index by_org_;
};

}  // namespace seine::detect
