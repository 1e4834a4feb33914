// What one UDP flow remembers of its QUIC handshake until the hello is done.
#pragma once
#include <type_traits>

#include "dataplane/quic/frames.h"
#include "dataplane/quic/initial.h"

namespace seine::quic {

inline constexpr std::size_t kPacketsPerDatagramMax = 16;
inline constexpr std::uint8_t kDatagramsMax = 16;   // with Initials, of each path, opened or not
inline constexpr std::uint8_t kDerivationsMax = 8;  // key schedules each path may cost us

// The two directions of a flow as its caller numbers them; which is the client is found out here.
using Path = std::uint8_t;  // 0 or 1
enum class Side : std::uint8_t { unknown, client, server };

struct ConnectionId {
    std::uint8_t size = 0;
    std::uint8_t bytes[kConnectionIdBytesMax] = {};

    [[nodiscard]] ByteView view() const noexcept { return {bytes, size}; }
    void assign(ByteView id) noexcept;  // at most kConnectionIdBytesMax bytes
    [[nodiscard]] bool equals(ByteView id) const noexcept;
};

// What one datagram said, without the pieces. Views borrow from the datagram.
struct DatagramSummary {
    Side side = Side::unknown;  // who sent it, once an Initial of the client has opened
    std::uint32_t version = 0;  // of the first long header; zero if there was none
    bool initial = false;       // what stood in it, read from the headers, opened or not
    bool zero_rtt = false;
    bool handshake = false;
    bool retry = false;
    bool retry_sound = false;  // its tag answers the client's Initial we opened
    bool version_negotiation = false;
    bool short_header = false;
    bool unknown_version = false;
    bool rekeyed = false;  // a client's Initial opened under a new connection id: after a Retry
                           // (`token` is then set) or a new connection on the old ports
    std::uint8_t opened_count = 0;     // Initials opened
    std::uint8_t failed_count = 0;     // Initials whose tag did not fit any keys we have
    std::uint8_t no_keys_count = 0;    // server's Initials without the client's having been seen
    std::uint8_t foreign_count = 0;    // coalesced packets for another connection id, skipped
    std::uint16_t trailing_bytes = 0;  // after the last packet: padding outside QUIC
    ByteView target_id;                // of the first long header
    ByteView source_id;
    ByteView token;        // of the client's Initial; session evidence, only ever as a hash
    ByteView retry_token;  // of a Retry
    FrameFacts frames;
};

// One datagram's findings; the pieces borrow from the scratch. Three kilobytes: one per worker.
struct DatagramFacts : DatagramSummary {
    CryptoPieces crypto;  // of `side`, in wire order

    void clear() noexcept {
        static_cast<DatagramSummary&>(*this) = {};
        crypto.clear();
    }
};

// Plain value: copy it, keep it in a pool. A fresh one is a new connection.
//
//   no keys -- client's Initial opens --> client known -- one opens under a new id --> rekeyed
//                                            |
//                                            +-- server's Initial: keys from the client's id
class Session {
  public:
    Session() = default;
    // `datagrams_max` at most 254; more is taken as 254.
    explicit Session(std::uint8_t datagrams_max) noexcept
        : datagrams_max_(datagrams_max < 255 ? datagrams_max : std::uint8_t{254}) {}

    // Walks the coalesced packets of one datagram and opens the Initials of either side.
    // `scratch` has room for datagram.size() + 21 bytes; `facts` is cleared first.
    // ok:        the datagram was walked; see the counts for what opened.
    // not_this:  its first packet is not QUIC's, or no client is known and it has no fixed bit.
    // need_more: a packet is cut (a cut capture); the ones before it count.
    // malformed: a header or a frame is broken; what was read before it stands.
    // limit:     a bound was met: datagrams or key schedules of this path (then none of its
    //            Initials is opened any more, headers are still read), packets in a datagram,
    //            pieces, frames, scratch.
    Parse on_datagram(ByteView datagram, Path path, crypto::QuicCrypto& crypto,
                      std::span<std::uint8_t> scratch, DatagramFacts& facts) noexcept;

    // Whether an Initial of the client has opened, and which path it came by.
    [[nodiscard]] bool client_known() const noexcept { return client_known_; }
    [[nodiscard]] Path client_path() const noexcept { return client_path_; }
    // Whether a path's budget is spent: no Initial of it will be opened any more.
    [[nodiscard]] bool exhausted(Path path) const noexcept {
        return datagram_counts_[path & 1] > datagrams_max_ ||
               derivation_counts_[path & 1] > kDerivationsMax;
    }
    // Of the client's last opened Initial; zero before.
    [[nodiscard]] std::uint32_t version() const noexcept { return client_.version; }
    // The Destination Connection ID the Initial keys come from.
    [[nodiscard]] ByteView original_id() const noexcept { return original_id_.view(); }

  private:
    struct Keyed {
        crypto::QuicKeys keys{};
        std::uint32_t version = 0;  // zero: no keys yet
        NumberSpace space;
    };
    struct Call;   // the arguments of one on_datagram
    struct Tried;  // whether keys fit a packet, and what the packet then said

    Parse walk(ByteView datagram, Call& call) noexcept;
    Parse on_packet(const Packet& packet, Call& call) noexcept;
    Parse on_initial(const Packet& packet, Call& call) noexcept;
    Parse on_client_initial(const Packet& packet, Call& call) noexcept;
    Parse on_server_initial(const Packet& packet, Call& call) noexcept;
    void on_retry(const Packet& packet, Call& call) noexcept;
    Tried try_new_keys(const Packet& packet, ByteView id, crypto::QuicSide side, Call& call,
                       Keyed& out) noexcept;
    static Tried try_keys(const Packet& packet, Keyed& keyed, Call& call) noexcept;
    void adopt_client(const Packet& packet, const Keyed& fresh, Call& call) noexcept;

    Keyed client_;
    Keyed server_;
    ConnectionId original_id_;
    Path client_path_ = 0;
    bool client_known_ = false;
    std::uint8_t datagrams_max_ = kDatagramsMax;
    std::uint8_t datagram_counts_[2] = {};
    std::uint8_t derivation_counts_[2] = {};
};
static_assert(std::is_trivially_copyable_v<Session> && sizeof(Session) <= 256);

}  // namespace seine::quic
