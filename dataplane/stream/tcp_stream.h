// One direction of a TCP connection: sequence numbers to contiguous bytes.
#pragma once
#include <cstdint>
#include <string_view>

#include "dataplane/stream/segment_buffer.h"

namespace seine::stream {

// One segment as decoded. `bytes` is what was captured of the payload, payload_bytes its length on the wire.
struct TcpSegment {
    std::uint32_t seq = 0;
    std::uint32_t payload_bytes = 0;
    ByteView bytes;
    bool syn = false;
    bool fin = false;
    bool rst = false;
};

// What a segment was, beyond its bytes: enumerator (also its name) and meaning.
#define SEINE_PUSHED(X)                                                                             \
    X(plain, "nothing special: see the delivery")                                                   \
    X(syn, "the first SYN; any data in it counts from ISN + 1")                                     \
    X(syn_again, "the same SYN once more")                                                          \
    X(new_connection, "a SYN with another ISN: the 5-tuple began anew; nothing was taken in")       \
    X(keep_alive, "a keep-alive probe; its byte is garbage and left out")                           \
    X(out_of_window, "too far from the expected number; left out")                                  \
    X(after_end, "data past FIN or after RST; left out")                                            \
    X(lost, "out of window again and again in one run: the capture lost what lies between")

enum class Pushed : std::uint8_t {
#define SEINE_X(id, meaning) id,
    SEINE_PUSHED(SEINE_X)
#undef SEINE_X
};
[[nodiscard]] std::string_view pushed_name(Pushed pushed) noexcept;

// `delivery` goes back through finish(), as with SegmentBuffer, whatever `pushed` says.
struct Push {
    Delivery delivery;
    Pushed pushed = Pushed::plain;
    bool retransmission = false;  // some of it was sent before
    bool reordering = false;      // it came after bytes that follow it, or before bytes that precede it
    bool fin = false;             // the end of the stream became known with this segment
    bool rst = false;             // a RST in window
};

// 112 bytes of state and what its SegmentBuffer holds. Offsets are 64-bit and count from ISN + 1; without
// a SYN the first segment seen stands at kUnseenStart, and data up to 64 KiB before it may still come.
class TcpStream {
  public:
    static constexpr std::uint64_t kUnseenStart = std::uint64_t{1} << 32;
    static constexpr std::uint32_t kRebaseBytesMax = 64 * 1024;
    static constexpr std::uint32_t kWindowBytes = 1024 * 1024;  // around the highest byte seen
    static constexpr unsigned kDoubtsMax = 3;   // ACKs past a gap before it counts as lost
    static constexpr unsigned kStraysMax = 4;   // far segments in one run before the stream counts as lost

    Push push(const Room& room, const TcpSegment& segment) noexcept;
    Added finish(const Room& room, const Push& push, std::uint64_t used) noexcept {
        return buffer_.finish(room, push.delivery, used);
    }
    // Bytes at the base now and moving over them; `count` may reach past what is ready (a body to skip).
    [[nodiscard]] ByteView ready(const Room& room) const noexcept { return buffer_.ready(room); }
    void consume(const Room& room, std::uint64_t count) noexcept { buffer_.consume(room, count); }

    // The peer acknowledges everything below `ack`. True when it has said so kDoubtsMax times of bytes
    // this side of the capture never saw: they are lost, waiting is no use. Early ACKs of a capture
    // that merges two taps out of order pass unharmed.
    [[nodiscard]] bool acked(const Room& room, std::uint32_t ack) noexcept;
    // Goes on behind what was lost. The bytes given up.
    std::uint64_t resync(const Room& room) noexcept;
    void clear(const Room& room) noexcept { buffer_.clear(room); }

    [[nodiscard]] bool started() const noexcept { return started_; }
    [[nodiscard]] bool syn_seen() const noexcept { return syn_seen_; }
    [[nodiscard]] bool fin_seen() const noexcept { return fin_seen_; }
    [[nodiscard]] bool rst_seen() const noexcept { return rst_seen_; }
    // FIN seen and every byte before it consumed or skipped.
    [[nodiscard]] bool finished() const noexcept { return fin_seen_ && buffer_.base() >= fin_; }
    [[nodiscard]] bool gap() const noexcept { return buffer_.gap(); }
    [[nodiscard]] bool consumed_any() const noexcept { return buffer_.consumed_any(); }
    [[nodiscard]] bool retransmission_seen() const noexcept { return retransmission_seen_; }
    [[nodiscard]] bool reordering_seen() const noexcept { return reordering_seen_; }
    // Offset of the next byte to read; bytes seen up to the highest one, gaps included.
    [[nodiscard]] std::uint64_t base() const noexcept { return buffer_.base(); }
    [[nodiscard]] std::uint64_t highest() const noexcept { return highest_; }
    [[nodiscard]] std::uint32_t isn() const noexcept { return isn_; }  // when syn_seen()
    [[nodiscard]] const SegmentBuffer& buffer() const noexcept { return buffer_; }

  private:
    void start(std::uint32_t first_seq, std::uint64_t offset) noexcept;
    bool take_syn(const Room& room, const TcpSegment& segment, Push& out) noexcept;
    bool take_first(const TcpSegment& segment, Push& out) noexcept;
    void take_rst(const TcpSegment& segment, Push& out) noexcept;
    void take_stray(std::uint32_t seq, const TcpSegment& segment, Push& out) noexcept;
    void take_data(const Room& room, std::int64_t begin, const TcpSegment& segment, Push& out) noexcept;
    void take_fin(std::uint64_t end, Push& out) noexcept;
    void hint(std::uint32_t seq) noexcept;
    [[nodiscard]] std::uint32_t seq_of(std::uint64_t offset) const noexcept {
        return anchor_ + static_cast<std::uint32_t>(offset);
    }
    // Distance of `seq` from the highest byte seen; right within 2 GiB.
    [[nodiscard]] std::int64_t distance(std::uint32_t seq) const noexcept {
        return static_cast<std::int32_t>(seq - seq_of(highest_));
    }

    SegmentBuffer buffer_;
    std::uint64_t highest_ = 0;     // end of the highest byte seen
    std::uint64_t fin_ = 0;         // offset of the end, when fin_seen_
    std::uint64_t acked_ = 0;       // highest offset the peer has acknowledged, when ack_seen_
    std::uint32_t anchor_ = 0;      // sequence number of offset 0 (modulo 2^32); the hint before the start
    std::uint32_t isn_ = 0;
    std::uint32_t stray_next_ = 0;  // where a run of far segments goes on
    std::uint8_t stray_count_ = 0;
    std::uint8_t doubts_ = 0;
    bool hinted_ = false;           // a pure ACK or the peer's ACK told where the stream stands
    bool started_ = false;
    bool syn_seen_ = false;
    bool fin_seen_ = false;
    bool rst_seen_ = false;
    bool ack_seen_ = false;
    bool retransmission_seen_ = false;
    bool reordering_seen_ = false;
};
static_assert(sizeof(TcpStream) <= 112);

}  // namespace seine::stream
