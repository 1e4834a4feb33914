// Slots, their index by tag, and organisations counted by reference.
#include "control/detect/account_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace seine::detect {
namespace {

constexpr std::uint32_t kEmpty = 0xffffffffu;

// Linear probing with deletion by shifting back: no grave stones that a flood could pile up.
template <typename Cells, typename HashOf>
void probe_insert(Cells& cell, std::uint32_t value, HashOf hash_of) {
    const std::size_t mask = cell.size() - 1;
    std::size_t at = hash_of(value) & mask;
    while (cell[at] != kEmpty) at = (at + 1) & mask;
    cell[at] = value;
}

template <typename Cells, typename HashOf>
void probe_erase(Cells& cell, std::uint32_t value, HashOf hash_of) {
    const std::size_t mask = cell.size() - 1;
    std::size_t at = hash_of(value) & mask;
    while (cell[at] != value) {
        if (cell[at] == kEmpty) return;
        at = (at + 1) & mask;
    }
    for (std::size_t next = (at + 1) & mask; cell[next] != kEmpty; next = (next + 1) & mask) {
        const std::size_t home = hash_of(cell[next]) & mask;
        if (((next - home) & mask) >= ((next - at) & mask)) {
            cell[at] = cell[next];
            at = next;
        }
    }
    cell[at] = kEmpty;
}

template <typename Cells, typename HashOf>
void grow(Cells& cell, std::size_t used, HashOf hash_of) {
    if (2 * (used + 1) <= cell.size()) return;
    Cells old(std::max<std::size_t>(1024, 2 * cell.size()), kEmpty);
    old.swap(cell);
    for (const std::uint32_t value : old) {
        if (value != kEmpty) probe_insert(cell, value, hash_of);
    }
}

// What a list of tokens takes of the heap, its header included.
std::size_t heap_bytes(std::size_t tokens) noexcept {
    return tokens == 0 ? 0 : tokens * sizeof(Token) + 16;
}

}  // namespace

void ShapeHistogram::add(std::uint32_t request_bytes) noexcept {
    const double octaves = std::log2(std::max(256.0, static_cast<double>(request_bytes)) / 256);
    const auto bin = std::min(kBins - 1, static_cast<std::size_t>(4 * octaves));
    if (count[bin] == 255) {
        for (std::uint8_t& c : count) c = static_cast<std::uint8_t>(c / 2);
    }
    ++count[bin];
}

unsigned ShapeHistogram::total() const noexcept {
    unsigned sum = 0;
    for (const std::uint8_t c : count) sum += c;
    return sum;
}

NetClass Account::main_class() const noexcept {
    const auto best = std::max_element(by_class.begin(), by_class.end());
    return static_cast<NetClass>(best - by_class.begin());
}

AccountTable::AccountTable(std::uint32_t accounts_max) : max_(std::max(accounts_max, 1u)) {}

void AccountTable::index_insert(std::uint32_t slot) {
    const auto hash_of = [this](std::uint32_t s) { return (*this)[s].tag.hash(); };
    grow(by_tag_.cell, by_tag_.used, hash_of);
    probe_insert(by_tag_.cell, slot, hash_of);
    ++by_tag_.used;
}

void AccountTable::index_erase(std::uint32_t slot) {
    probe_erase(by_tag_.cell, slot, [this](std::uint32_t s) { return (*this)[s].tag.hash(); });
    --by_tag_.used;
}

std::uint32_t AccountTable::find(const model::AccountTag& tag) const noexcept {
    if (by_tag_.cell.empty()) return kNone;
    const std::size_t mask = by_tag_.cell.size() - 1;
    for (std::size_t at = tag.hash() & mask; by_tag_.cell[at] != kEmpty; at = (at + 1) & mask) {
        if ((*this)[by_tag_.cell[at]].tag == tag) return by_tag_.cell[at];
    }
    return kNone;
}

std::uint32_t AccountTable::get(const model::AccountTag& tag, const model::OrgTag& org, Nanos now) {
    const std::uint32_t known = find(tag);
    if (known != kNone) return known;
    if (size_ >= max_) evict_one();
    std::uint32_t slot = top_;
    if (!free_.empty()) {
        slot = free_.back();
        free_.pop_back();
    } else {
        if (top_ % kChunk == 0) chunks_.push_back(std::make_unique<Account[]>(kChunk));
        ++top_;
    }
    Account& account = (*this)[slot];
    account.tag = tag;
    account.org = org;
    account.org_index = org_get(org);
    account.first = now;
    account.serial = ++serials_;
    ++size_;
    index_insert(slot);
    return slot;
}

bool AccountTable::rename(const model::AccountTag& from, const model::AccountTag& to) {
    const std::uint32_t slot = find(from);
    if (slot == kNone || find(to) != kNone) return false;
    index_erase(slot);
    member_changes_ += (*this)[slot].farm != 0 ? 1 : 0;
    (*this)[slot].tag = to;
    index_insert(slot);
    return true;
}

void AccountTable::set_org(std::uint32_t slot, const model::OrgTag& org) {
    Account& account = (*this)[slot];
    if (account.org == org) return;
    member_changes_ += account.farm != 0 ? 1 : 0;
    org_release(account.org_index);
    account.org = org;
    account.org_index = org_get(org);
}

void AccountTable::erase(std::uint32_t slot) {
    index_erase(slot);
    org_release((*this)[slot].org_index);
    member_changes_ += (*this)[slot].farm != 0 ? 1 : 0;
    if ((*this)[slot].farm != 0) members_gone_.push_back(slot);
    token_bytes_ -= heap_bytes((*this)[slot].tokens.capacity());
    (*this)[slot] = Account{};
    free_.push_back(slot);
    --size_;
}

void AccountTable::reserve_tokens(Account& account, std::size_t tokens) {
    token_bytes_ -= heap_bytes(account.tokens.capacity());
    account.tokens.reserve(tokens);
    token_bytes_ += heap_bytes(account.tokens.capacity());
}

// Sixteen slots in turn; the one that loses the least goes: alerted ones stay as long as any other
// is there, then many connections and a late last sighting count.
void AccountTable::evict_one() {
    std::uint32_t worst = kNone;
    double least = std::numeric_limits<double>::max();
    for (unsigned tries = 0; tries < 16 || worst == kNone; ++tries) {
        hand_ = hand_ + 1 < top_ ? hand_ + 1 : 0;
        if (!live(hand_)) continue;
        const Account& a = (*this)[hand_];
        const double kept = static_cast<double>(std::min(a.connections, 100u)) * 3600e9 +
                            static_cast<double>(a.last.count) +
                            (a.has(Account::kAlerted) ? 1e18 : 0);
        if (kept < least) {
            least = kept;
            worst = hand_;
        }
    }
    erase(worst);
    ++evicted_;
}

std::uint32_t AccountTable::org_get(const model::OrgTag& tag) {
    const auto hash_of = [this](std::uint32_t o) { return orgs_[o].tag.hash(); };
    grow(by_org_.cell, by_org_.used, hash_of);
    const std::size_t mask = by_org_.cell.size() - 1;
    for (std::size_t at = tag.hash() & mask; by_org_.cell[at] != kEmpty; at = (at + 1) & mask) {
        const std::uint32_t org = by_org_.cell[at];
        if (orgs_[org].tag == tag) {
            ++orgs_[org].accounts;
            return org;
        }
    }
    std::uint32_t org = static_cast<std::uint32_t>(orgs_.size());
    if (!orgs_free_.empty()) {
        org = orgs_free_.back();
        orgs_free_.pop_back();
    } else {
        orgs_.emplace_back();
    }
    orgs_[org] = {tag, 1};
    probe_insert(by_org_.cell, org, hash_of);
    ++by_org_.used;
    ++orgs_live_;
    return org;
}

void AccountTable::org_release(std::uint32_t org) {
    if (--orgs_[org].accounts > 0) return;
    probe_erase(by_org_.cell, org, [this](std::uint32_t o) { return orgs_[o].tag.hash(); });
    --by_org_.used;
    --orgs_live_;
    orgs_free_.push_back(org);
}

std::size_t AccountTable::bytes() const noexcept {
    return chunks_.size() * kChunk * sizeof(Account) +
           4 * (by_tag_.cell.size() + by_org_.cell.size() + free_.capacity()) +
           orgs_.capacity() * sizeof(Org) + token_bytes_;
}

}  // namespace seine::detect
