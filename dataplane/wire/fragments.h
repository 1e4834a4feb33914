// Bounded reassembly of IPv4 and IPv6 fragments.
#pragma once
#include <cstdint>
#include <memory>

#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "dataplane/wire/address.h"

namespace seine::wire {

struct FragmentLimits {
    std::uint32_t datagrams_max = 4096;  // unfinished at one time; past it the oldest is given up
    std::uint32_t datagram_bytes_max = 65535;  // of IP payload
    std::uint32_t pieces_max = 512;            // stored pieces of one datagram
    std::int64_t timeout_ns = 30 * kSecond;    // from its first fragment
    std::size_t pool_bytes = std::size_t{32}
                             << 20;  // for all bytes held; past it the oldest is given up
};

// Each is also the counter's name.
#define SEINE_FRAGMENT_COUNTERS(X)                                                  \
    X(offered, "fragments offered")                                                 \
    X(completed, "datagrams put together")                                          \
    X(timed_out, "datagrams given up because a fragment did not come in time")      \
    X(evicted, "datagrams given up to make room for a newer one")                   \
    X(duplicates, "fragments whose bytes were all there already")                   \
    X(overlaps_v4, "IPv4 fragments that overlap; the first byte received stays")    \
    X(conflicts_v4, "IPv4 fragments whose overlapping bytes differ")                \
    X(overlaps_v6, "IPv6 datagrams discarded because fragments overlap (RFC 5722)") \
    X(bad_length, "fragments past the end of their datagram, or with another end")  \
    X(past_bound, "datagrams discarded because they have too many pieces or bytes") \
    X(after_discard, "fragments of a datagram discarded before")

struct FragmentCounters {
#define SEINE_X(id, meaning) std::uint64_t id = 0;
    SEINE_FRAGMENT_COUNTERS(SEINE_X)
#undef SEINE_X
};

// What makes fragments one datagram: RFC 791 section 3.2 (addresses, protocol, id) and RFC 8200
// section 4.5 (addresses, id; `protocol` is 0 then). `context` is a hash of VLANs and tunnels
// around it, so that two tenants who use the same private addresses stay apart.
struct FragmentKey {
    Address source;
    Address target;
    std::uint64_t context;
    std::uint32_t id;
    std::uint8_t ip_version;
    std::uint8_t protocol;
    friend bool operator==(const FragmentKey&, const FragmentKey&) = default;
};

// Fields of an IP header that a whole datagram takes from its first fragment.
struct FragmentHeader {
    std::uint8_t ttl;
    std::uint8_t traffic_class;
    std::uint8_t next_header;  // IPv6: of the fragment header; IPv4: the protocol
};

struct Fragment {
    FragmentKey key;
    FragmentHeader header;
    std::size_t offset_bytes;
    bool more_fragments;
    ByteView bytes;  // borrowed for the call
};

// Whether a fragment of `byte_count` bytes can be one: it has bytes, ends inside the largest
// datagram, and if others follow is a multiple of eight long (an IPv4 one is cut down to that, as
// hosts do).
constexpr bool is_sound_fragment(std::uint8_t ip_version, std::size_t offset_bytes,
                                 std::size_t byte_count, bool more_fragments) noexcept {
    if (more_fragments && ip_version == 6 && byte_count % 8 != 0) return false;
    const std::size_t kept = more_fragments ? byte_count & ~std::size_t{7} : byte_count;
    return kept > 0 && offset_bytes + kept <= 65535;
}

enum class [[nodiscard]] FragmentAnswer : std::uint8_t {held, complete, duplicate, dropped,
                                                       malformed};

// IPv4: where fragments overlap, the byte received first stays. IPv6: a datagram whose fragments
// overlap is discarded, with the fragments still to come (RFC 5722 section 4); an exact repetition
// is no overlap (RFC 8200 section 4.5). A fragment repeated shortly after its datagram was
// completed is a duplicate.
class FragmentTable {
  public:
    // Reassembled datagrams nested in one another, each with a buffer of its own.
    static constexpr std::size_t kNestingMax = 5;

    FragmentTable(const FragmentLimits& limits, std::uint64_t seed);
    ~FragmentTable();
    FragmentTable(FragmentTable&&) noexcept;
    FragmentTable& operator=(FragmentTable&&) noexcept;

    // complete: `whole` is the payload and `header` that of the first fragment; `whole` borrows
    // from buffer `nesting` until the next completion at that nesting. The other answers leave both
    // alone. malformed: not is_sound_fragment().
    FragmentAnswer add(const Fragment& fragment, Nanos now, std::size_t nesting, ByteView& whole,
                       FragmentHeader& header) noexcept;
    void expire(Nanos now) noexcept;

    [[nodiscard]] const FragmentCounters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::size_t datagram_count() const noexcept { return waiting_.count; }
    [[nodiscard]] std::size_t pool_bytes_used() const noexcept;
    // Of datagrams that one search may walk along now. Looks at every bucket.
    [[nodiscard]] std::size_t longest_chain() const noexcept;

  private:
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr std::int64_t kRepeatNs = 10 * kMillisecond;

    // A stretch of bytes of one datagram; longer fragments take several.
    struct Block;
    enum class State : std::uint8_t { free, waiting, discarded, done };
    struct Datagram {
        FragmentKey key;
        Nanos since;          // first fragment, or when done: completion
        std::uint32_t first;  // blocks in order of offset
        std::uint32_t last;
        std::uint32_t chain_next;  // same hash bucket, or free list
        std::uint32_t older;       // list of its state, by `since`
        std::uint32_t newer;
        std::uint32_t filled_bytes;
        std::uint32_t total_bytes;  // 0 until the last fragment has come
        std::uint32_t piece_count;
        FragmentHeader header;
        State state;
    };
    struct List {
        std::uint32_t oldest = kNone;
        std::uint32_t newest = kNone;
        std::size_t count = 0;
    };

    [[nodiscard]] std::uint32_t* bucket_of(const FragmentKey& key) noexcept;
    [[nodiscard]] std::uint32_t find(const FragmentKey& key) noexcept;
    std::uint32_t open(const FragmentKey& key, Nanos now) noexcept;
    void close(std::uint32_t index) noexcept;
    void discard(std::uint32_t index) noexcept;
    void finish(std::uint32_t index, Nanos now, std::size_t nesting, ByteView& whole) noexcept;
    void link(List& list, std::uint32_t index) noexcept;
    void unlink(std::uint32_t index) noexcept;
    [[nodiscard]] List& list_of(State state) noexcept {
        return state == State::done ? done_ : waiting_;
    }
    void free_blocks(Datagram& datagram) noexcept;
    [[nodiscard]] std::uint32_t take_block(std::uint32_t owner) noexcept;
    struct Overlap {
        bool any = false;
        bool differs = false;
        std::size_t new_bytes = 0;
    };
    [[nodiscard]] Overlap compare(const Datagram& datagram, std::size_t offset,
                                  ByteView bytes) const noexcept;
    [[nodiscard]] bool insert(std::uint32_t index, std::size_t offset, ByteView bytes) noexcept;
    [[nodiscard]] bool store(std::uint32_t index, std::uint32_t& after, std::size_t offset,
                             ByteView bytes) noexcept;

    FragmentLimits limits_;
    std::uint64_t seed_;
    FragmentCounters counters_;
    std::unique_ptr<Datagram[]> datagrams_;
    std::unique_ptr<std::uint32_t[]> buckets_;
    std::uint64_t bucket_mask_;
    std::uint32_t free_datagram_ = kNone;
    std::unique_ptr<Block[]> blocks_;
    std::uint32_t block_count_;
    std::uint32_t blocks_touched_ =
        0;  // blocks past this were never used: their pages are not resident
    std::uint32_t blocks_free_count_ = 0;
    std::uint32_t free_block_ = kNone;
    std::unique_ptr<std::uint8_t[]> assembly_;
    List waiting_;  // waiting and discarded
    List done_;
};

}  // namespace seine::wire
