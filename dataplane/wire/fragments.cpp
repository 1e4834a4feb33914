#include "dataplane/wire/fragments.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "dataplane/base/assert.h"
#include "dataplane/base/hash.h"

namespace seine::wire {

struct FragmentTable::Block {
    static constexpr std::size_t kBytes = 2048 - 12;
    std::uint32_t next;
    std::uint32_t offset;
    std::uint32_t length;
    std::uint8_t bytes[kBytes];
    [[nodiscard]] std::size_t end() const noexcept { return std::size_t{offset} + length; }
};

namespace {
// An IP payload has 65,535 bytes at most; one assembly buffer each.
constexpr std::size_t kAssemblyBytes = 65536;
}  // namespace

FragmentTable::FragmentTable(const FragmentLimits& limits, std::uint64_t seed)
    : limits_(limits), seed_(seed) {
    static_assert(sizeof(Block) == 2048);
    limits_.datagrams_max = std::max(limits_.datagrams_max, 1u);
    limits_.datagram_bytes_max = std::min(limits_.datagram_bytes_max, 65535u);
    block_count_ = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(limits_.pool_bytes / sizeof(Block), 1, std::size_t{kNone} - 1));
    const std::size_t bucket_count = std::bit_ceil(std::size_t{limits_.datagrams_max} * 2);
    bucket_mask_ = bucket_count - 1;
    buckets_ = std::make_unique_for_overwrite<std::uint32_t[]>(bucket_count);
    std::fill_n(buckets_.get(), bucket_count, kNone);
    datagrams_ = std::make_unique<Datagram[]>(limits_.datagrams_max);
    for (std::uint32_t i = limits_.datagrams_max; i-- > 0;) {
        datagrams_[i].state = State::free;
        datagrams_[i].chain_next = free_datagram_;
        free_datagram_ = i;
    }
    // Not written to here: pages of blocks and buffers that nobody needs never become resident.
    blocks_ = std::make_unique_for_overwrite<Block[]>(block_count_);
    assembly_ = std::make_unique_for_overwrite<std::uint8_t[]>(kAssemblyBytes * kNestingMax);
}

FragmentTable::~FragmentTable() = default;
FragmentTable::FragmentTable(FragmentTable&&) noexcept = default;
FragmentTable& FragmentTable::operator=(FragmentTable&&) noexcept = default;

std::size_t FragmentTable::pool_bytes_used() const noexcept {
    return sizeof(Block) * (blocks_touched_ - blocks_free_count_);
}

std::uint32_t* FragmentTable::bucket_of(const FragmentKey& key) noexcept {
    // Of mapped IPv4 addresses the first word is zero, and so may the seed be: no factor is made of them alone.
    constexpr std::uint64_t kOdd0 = 0x9e3779b97f4a7c15u;
    constexpr std::uint64_t kOdd1 = 0xd6e8feb86659fd93u;
    constexpr std::uint64_t kOdd2 = 0xa0761d6478bd642fu;
    const std::uint64_t rest =
        (std::uint64_t{key.id} << 16) | (std::uint64_t{key.protocol} << 8) | key.ip_version;
    const std::uint64_t source =
        mix64(key.source.words[0] ^ seed_ ^ kOdd0, key.source.words[1] ^ (seed_ + kOdd1));
    const std::uint64_t target =
        mix64(key.target.words[0] ^ (seed_ + kOdd2), key.target.words[1] ^ seed_ ^ kOdd0);
    const std::uint64_t small = mix64(rest ^ seed_ ^ kOdd2, key.context ^ (seed_ + kOdd1));
    const std::uint64_t hash = mix64(source ^ small ^ kOdd0, target + small + seed_) ^ source;
    return &buckets_[hash & bucket_mask_];
}

std::size_t FragmentTable::longest_chain() const noexcept {
    std::size_t longest = 0;
    for (std::size_t bucket = 0; bucket <= bucket_mask_; ++bucket) {
        std::size_t length = 0;
        for (std::uint32_t at = buckets_[bucket]; at != kNone; at = datagrams_[at].chain_next) ++length;
        longest = std::max(longest, length);
    }
    return longest;
}

std::uint32_t FragmentTable::find(const FragmentKey& key) noexcept {
    std::uint32_t index = *bucket_of(key);
    while (index != kNone && !(datagrams_[index].key == key)) index = datagrams_[index].chain_next;
    return index;
}

void FragmentTable::link(List& list, std::uint32_t index) noexcept {
    Datagram& datagram = datagrams_[index];
    datagram.older = list.newest;
    datagram.newer = kNone;
    (list.newest == kNone ? list.oldest : datagrams_[list.newest].newer) = index;
    list.newest = index;
    ++list.count;
}

void FragmentTable::unlink(std::uint32_t index) noexcept {
    Datagram& datagram = datagrams_[index];
    List& list = list_of(datagram.state);
    (datagram.older == kNone ? list.oldest : datagrams_[datagram.older].newer) = datagram.newer;
    (datagram.newer == kNone ? list.newest : datagrams_[datagram.newer].older) = datagram.older;
    --list.count;
}

void FragmentTable::free_blocks(Datagram& datagram) noexcept {
    for (std::uint32_t at = datagram.first; at != kNone;) {
        const std::uint32_t next = blocks_[at].next;
        blocks_[at].next = free_block_;
        free_block_ = at;
        ++blocks_free_count_;
        at = next;
    }
    datagram.first = kNone;
    datagram.last = kNone;
}

// A fresh datagram; the oldest completed one, else the oldest of all, makes room.
std::uint32_t FragmentTable::open(const FragmentKey& key, Nanos now) noexcept {
    if (free_datagram_ == kNone) {
        if (done_.oldest != kNone) {
            close(done_.oldest);
        } else {
            if (datagrams_[waiting_.oldest].state == State::waiting) ++counters_.evicted;
            close(waiting_.oldest);
        }
    }
    const std::uint32_t index = free_datagram_;
    Datagram& datagram = datagrams_[index];
    free_datagram_ = datagram.chain_next;
    datagram.key = key;
    std::uint32_t* bucket = bucket_of(key);
    datagram.chain_next = *bucket;
    *bucket = index;
    datagram.since = now;
    datagram.first = kNone;
    datagram.last = kNone;
    datagram.filled_bytes = 0;
    datagram.total_bytes = 0;
    datagram.piece_count = 0;
    datagram.header = {};
    datagram.state = State::waiting;
    link(waiting_, index);
    return index;
}

void FragmentTable::close(std::uint32_t index) noexcept {
    Datagram& datagram = datagrams_[index];
    SEINE_ASSERT(datagram.state != State::free);
    free_blocks(datagram);
    unlink(index);
    std::uint32_t* at = bucket_of(datagram.key);
    while (*at != index) at = &datagrams_[*at].chain_next;
    *at = datagram.chain_next;
    datagram.state = State::free;
    datagram.chain_next = free_datagram_;
    free_datagram_ = index;
}

// Keeps the key until the time limit, so that later fragments do not start it again.
void FragmentTable::discard(std::uint32_t index) noexcept {
    free_blocks(datagrams_[index]);
    datagrams_[index].state = State::discarded;
}

void FragmentTable::expire(Nanos now) noexcept {
    // What began in a time to come is of the time before the clock went back.
    const auto over = [&](std::uint32_t oldest, std::int64_t limit_ns) noexcept {
        if (oldest == kNone) return false;
        const std::int64_t age_ns = now - datagrams_[oldest].since;
        return age_ns > limit_ns || age_ns < -limits_.timeout_ns;
    };
    while (over(done_.oldest, kRepeatNs)) close(done_.oldest);
    while (over(waiting_.oldest, limits_.timeout_ns)) {
        if (datagrams_[waiting_.oldest].state == State::waiting) ++counters_.timed_out;
        close(waiting_.oldest);
    }
}

// A free block; the oldest datagram but `owner` is given up for one when the pool is empty.
std::uint32_t FragmentTable::take_block(std::uint32_t owner) noexcept {
    while (free_block_ == kNone && blocks_touched_ == block_count_) {
        std::uint32_t victim = waiting_.oldest;
        while (victim != kNone && (victim == owner || datagrams_[victim].first == kNone)) {
            victim = datagrams_[victim].newer;
        }
        if (victim == kNone) return kNone;
        ++counters_.evicted;
        close(victim);
    }
    if (free_block_ == kNone) return blocks_touched_++;
    const std::uint32_t block = free_block_;
    free_block_ = blocks_[block].next;
    --blocks_free_count_;
    return block;
}

// Puts bytes that overlap nothing behind block `after` (kNone: in front) and moves `after` along.
bool FragmentTable::store(std::uint32_t index, std::uint32_t& after, std::size_t offset,
                          ByteView bytes) noexcept {
    Datagram& datagram = datagrams_[index];
    while (!bytes.empty()) {
        if (datagram.piece_count == limits_.pieces_max) return false;
        const std::uint32_t taken = take_block(index);
        if (taken == kNone) return false;
        Block& block = blocks_[taken];
        const std::size_t count = std::min(bytes.size(), Block::kBytes);
        block.offset = static_cast<std::uint32_t>(offset);
        block.length = static_cast<std::uint32_t>(count);
        std::memcpy(block.bytes, bytes.data(), count);
        std::uint32_t& link_to = after == kNone ? datagram.first : blocks_[after].next;
        block.next = link_to;
        link_to = taken;
        if (block.next == kNone) datagram.last = taken;
        after = taken;
        ++datagram.piece_count;
        datagram.filled_bytes += block.length;
        bytes = bytes.subspan(count);
        offset += count;
    }
    return true;
}

// What of `bytes` is there already, and whether it is the same.
FragmentTable::Overlap FragmentTable::compare(const Datagram& datagram, std::size_t offset,
                                              ByteView bytes) const noexcept {
    Overlap found{.new_bytes = bytes.size()};
    if (datagram.last != kNone && offset >= blocks_[datagram.last].end()) return found;
    const std::size_t end = offset + bytes.size();
    for (std::uint32_t at = datagram.first; at != kNone; at = blocks_[at].next) {
        const Block& block = blocks_[at];
        if (block.offset >= end) break;
        const std::size_t from = std::max<std::size_t>(block.offset, offset);
        const std::size_t to = std::min(block.end(), end);
        if (from >= to) continue;
        found.any = true;
        found.new_bytes -= to - from;
        if (std::memcmp(block.bytes + (from - block.offset), bytes.data() + (from - offset),
                        to - from) != 0) {
            found.differs = true;
        }
    }
    return found;
}

// Fills the gaps that `bytes` covers; bytes received before stay. False when a bound was hit.
bool FragmentTable::insert(std::uint32_t index, std::size_t offset, ByteView bytes) noexcept {
    Datagram& datagram = datagrams_[index];
    if (datagram.last == kNone || offset >= blocks_[datagram.last].end()) {
        std::uint32_t after = datagram.last;
        return store(index, after, offset, bytes);
    }
    const std::size_t end = offset + bytes.size();
    std::uint32_t before = kNone;
    std::uint32_t at = datagram.first;
    for (std::size_t next = offset; next < end;) {
        while (at != kNone && blocks_[at].end() <= next) {
            before = at;
            at = blocks_[at].next;
        }
        if (at != kNone && blocks_[at].offset <= next) {
            next = blocks_[at].end();
            continue;
        }
        const std::size_t gap_end =
            at == kNone ? end : std::min<std::size_t>(end, blocks_[at].offset);
        if (!store(index, before, next, bytes.subspan(next - offset, gap_end - next))) return false;
        next = gap_end;
    }
    return true;
}

void FragmentTable::finish(std::uint32_t index, Nanos now, std::size_t nesting,
                           ByteView& whole) noexcept {
    Datagram& datagram = datagrams_[index];
    std::uint8_t* const buffer = assembly_.get() + nesting * kAssemblyBytes;
    std::size_t written = 0;
    for (std::uint32_t at = datagram.first; at != kNone; at = blocks_[at].next) {
        SEINE_ASSERT(blocks_[at].offset == written);
        std::memcpy(buffer + written, blocks_[at].bytes, blocks_[at].length);
        written += blocks_[at].length;
    }
    SEINE_ASSERT(written == datagram.total_bytes);
    whole = {buffer, written};
    ++counters_.completed;
    free_blocks(datagram);
    unlink(index);
    datagram.state = State::done;
    datagram.since = now;
    link(done_, index);
}

FragmentAnswer FragmentTable::add(const Fragment& fragment, Nanos now, std::size_t nesting,
                                  ByteView& whole, FragmentHeader& header) noexcept {
    SEINE_ASSERT(nesting < kNestingMax);
    ++counters_.offered;
    expire(now);
    const bool v6 = fragment.key.ip_version == 6;
    ByteView bytes = fragment.bytes;
    if (!is_sound_fragment(fragment.key.ip_version, fragment.offset_bytes, bytes.size(),
                           fragment.more_fragments)) {
        return FragmentAnswer::malformed;
    }
    if (fragment.more_fragments) bytes = bytes.first(bytes.size() & ~std::size_t{7});
    const std::size_t end = fragment.offset_bytes + bytes.size();

    std::uint32_t index = find(fragment.key);
    if (index == kNone) {
        index = open(fragment.key, now);
    } else if (datagrams_[index].state == State::done) {
        // expire() has dropped it if it was completed longer ago: its id was used again.
        ++counters_.duplicates;
        return FragmentAnswer::duplicate;
    }
    Datagram& datagram = datagrams_[index];
    if (datagram.state == State::discarded) {
        ++counters_.after_discard;
        return FragmentAnswer::dropped;
    }
    if (end > limits_.datagram_bytes_max) {
        ++counters_.past_bound;
        discard(index);
        return FragmentAnswer::dropped;
    }
    const std::size_t end_seen = datagram.last == kNone ? 0 : blocks_[datagram.last].end();
    const bool end_known = datagram.total_bytes != 0;
    const bool end_wrong = end_known ? (fragment.more_fragments ? end > datagram.total_bytes
                                                                : end != datagram.total_bytes)
                                     : (!fragment.more_fragments && end < end_seen);
    if (end_wrong) {
        ++counters_.bad_length;
        return FragmentAnswer::dropped;
    }
    const Overlap overlap = compare(datagram, fragment.offset_bytes, bytes);
    if (overlap.any) {
        if (overlap.new_bytes == 0 && !overlap.differs) {
            ++counters_.duplicates;
        } else if (v6) {
            ++counters_.overlaps_v6;
            discard(index);
            return FragmentAnswer::dropped;
        } else {
            ++counters_.overlaps_v4;
            if (overlap.differs) ++counters_.conflicts_v4;
        }
    }
    const bool begin_known = datagram.first != kNone && blocks_[datagram.first].offset == 0;
    if (fragment.offset_bytes == 0 && !begin_known) datagram.header = fragment.header;
    if (!fragment.more_fragments) datagram.total_bytes = static_cast<std::uint32_t>(end);
    if (overlap.new_bytes == 0) {
        // The last fragment may repeat bytes and still bring the end.
        if (datagram.filled_bytes != datagram.total_bytes) return FragmentAnswer::duplicate;
    } else if (!insert(index, fragment.offset_bytes, bytes)) {
        ++counters_.past_bound;
        discard(index);
        return FragmentAnswer::dropped;
    }
    if (datagram.filled_bytes != datagram.total_bytes) return FragmentAnswer::held;
    header = datagram.header;
    finish(index, now, nesting, whole);
    return FragmentAnswer::complete;
}

}  // namespace seine::wire
